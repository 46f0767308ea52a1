package wallet

import (
	"bytes"
	"math"
	"strings"

	"dcrspv/wallet/internal/coverage"
	"dcrspv/wallet/internal/keys"
)

// script is a watched payment script: of all outputs that pay it or, as an entry
// beside that, of one of them.
type script struct {
	raw string // without stake opcode, as committed filters hold it

	coverage.Entry // its birthday, see birthdayOf, and which blocks it was tested on

	// outpoint: of what pays the script only this output is meant. It is explicit and
	// of no account.
	outpoint *outPoint

	// explicit: watched by itself, not only through an account.
	explicit bool
	since    uint32 // its birthday then
	label    string

	account uint32 // 0 is none
	branch  uint8
	index   uint32

	// ahead: of an account, but beyond its gap limit. Such a script is tested
	// together with the others, so that it has little to catch up with when the
	// gap reaches it, but it is not watched yet.
	ahead bool

	// usedAt, of a script of an account, is the lowest block of the best chain, from the
	// account's birthday on, that is known to pay it or to hold a ticket that commits to.
	usedAt uint32

	// awaited: ahead, but what waits to be mined counts all the same. See await.
	awaited bool
}

// newScript is a script that nothing watches yet.
func newScript(raw string) *script { return &script{raw: raw, usedAt: unused} }

// unused is the usedAt of a script that no block is known to use.
const unused = math.MaxUint32

const (
	scriptExplicit = 1 << iota
	scriptAhead
	scriptAwaited
)

// scriptFlags is where the flags are in a script's record.
const scriptFlags = 29

// watched reports whether what pays the script is the wallet's.
func (s *script) watched() bool { return s.explicit || !s.ahead }

// awaits reports whether a transaction that pays the script, and waits to be mined,
// is the wallet's.
func (s *script) awaits() bool { return s.watched() || s.awaited }

// watchAlone has it watched by itself from a birthday on, or from a lower one than now,
// with a label unless that is empty. It reports whether anything has changed.
func (s *script) watchAlone(birthday uint32, label string) bool {
	if s.explicit {
		birthday = min(birthday, s.since)
	}
	if label == "" {
		label = s.label
	}
	if s.explicit && birthday == s.since && label == s.label {
		return false
	}
	s.explicit, s.since, s.label = true, birthday, label
	return true
}

func (s *script) unwatchAlone() { s.explicit, s.since, s.label = false, 0, "" }

// join makes it the script of an account, ahead of the gap.
func (s *script) join(b *branch, index uint32) {
	s.account, s.branch, s.index, s.ahead = b.of.id, b.number, index, true
}

// part is join undone.
func (s *script) part() {
	s.account, s.branch, s.index, s.ahead, s.awaited, s.usedAt = 0, 0, 0, false, false, unused
}

// setAhead has it ahead of the gap of its account, or watched.
func (s *script) setAhead(ahead bool) { s.ahead, s.awaited = ahead, false }

func (s *script) setAwaited(awaited bool) { s.awaited = awaited }

func (s *script) setUsedAt(height uint32) { s.usedAt = height }

func (s *script) setLabel(text string) { s.label = text }

// scriptAwaits reports the same of a script's record, which may be nil.
func scriptAwaits(record []byte) bool {
	return len(record) > scriptFlags && record[scriptFlags]&(scriptAhead|scriptExplicit|scriptAwaited) != scriptAhead
}

// scriptLabel is the label in a script's record, which may be nil.
func scriptLabel(record []byte) string {
	if len(record) <= scriptFlags {
		return ""
	}
	return string(record[scriptFlags+1:])
}

// encode: group 8, birthday 4, birthday by itself 4, used at 4, account 4, branch 1,
// index 4, flags 1, label.
func (s *script) encode() []byte {
	b := make([]byte, 0, scriptFlags+1+len(s.label))
	b = be.AppendUint64(b, s.Group())
	b = be.AppendUint32(be.AppendUint32(be.AppendUint32(b, s.Birthday()), s.since), s.usedAt)
	b = be.AppendUint32(b, s.account)
	b = append(b, s.branch)
	b = be.AppendUint32(b, s.index)
	var flags byte
	if s.explicit {
		flags |= scriptExplicit
	}
	if s.ahead {
		flags |= scriptAhead
	}
	if s.awaited {
		flags |= scriptAwaited
	}
	return append(append(b, flags), s.label...)
}

func decodeScript(raw, b []byte) (s *script, group uint64, birthday uint32, ok bool) {
	d := decoder{b: b}
	s = &script{raw: string(raw)}
	group = d.u64()
	birthday, s.since, s.usedAt = d.u32(), d.u32(), d.u32()
	s.account, s.branch, s.index = d.u32(), d.u8(), d.u32()
	flags := d.u8()
	s.explicit, s.ahead, s.awaited = flags&scriptExplicit != 0, flags&scriptAhead != 0, flags&scriptAwaited != 0
	s.label = string(d.rest())
	return s, group, birthday, d.ok() && s.branch < keys.Branches
}

// saveScript notes that a script has changed. One that is not in the ledger yet is
// written when it gets there.
func (c *change) saveScript(s *script) {
	c.coverage.SetWatched(s, s.watched())
	if s.Group() != 0 {
		c.writeScript(s)
	}
}

func (c *change) writeScript(s *script) {
	if s.outpoint != nil {
		c.put(c.points, s.outpoint.key(), s.encodeOutpoint())
		return
	}
	c.put(c.scripts, []byte(s.raw), s.encode())
}

func (c *change) dropScript(s *script) {
	if s.outpoint != nil {
		c.del(c.points, s.outpoint.key())
		return
	}
	c.del(c.scripts, []byte(s.raw))
}

// compareScripts orders by script, and the outpoints that pay it behind.
func compareScripts(a, b *script) int {
	if d := strings.Compare(a.raw, b.raw); d != 0 || a.outpoint == nil || b.outpoint == nil {
		return d
	}
	return bytes.Compare(a.outpoint.key(), b.outpoint.key())
}

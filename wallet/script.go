package wallet

import (
	"fmt"
	"math"
	"slices"

	"dcrspv/wallet/internal/coverage"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// script is a watched payment script: of all outputs that pay it or, as an entry
// beside that, of one of them.
type script struct {
	raw string // without stake opcode, as committed filters hold it

	coverage.Entry // its birthday, see birthdayOf, and which blocks it was tested on

	// point: of what pays the script only this output is meant. It is explicit and
	// of no account.
	point *outPoint

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
	return s, group, birthday, d.ok() && s.branch < branches
}

func (w *Wallet) loadScripts(b *buckets) error {
	n := b.scripts.tally.count // a map that grows takes twice as long
	w.scripts = make(map[string]*script, n)
	for _, a := range w.accounts {
		if uint64(a.known[0])+uint64(a.known[1]) > n+branches*noKeys {
			return corrupt("account %d: %d scripts for %d and %d indices", a.id, n, a.known[0], a.known[1])
		}
		for f := range a.forms() {
			for branch, known := range a.known {
				a.at[f][branch] = make([]*script, known)
			}
		}
	}
	return b.scripts.ForEach(func(k, v []byte) error {
		s, group, birthday, ok := decodeScript(k, v)
		if !ok || !w.ledger.LoadScript(s, group, birthday, s.watched()) {
			return corrupt("watched script %.40x", k)
		}
		a := w.accounts[s.account]
		if s.account != 0 && (a == nil || s.index >= a.known[s.branch] || s.ahead != (s.index >= a.derived[s.branch])) {
			return corrupt("script %.40x is of no account", k)
		}
		if s.account != 0 {
			if s.form() >= a.forms() || a.at[s.form()][s.branch][s.index] != nil {
				return corrupt("script %.40x is not of its account", k)
			}
			a.at[s.form()][s.branch][s.index] = s
		}
		if birthday != w.birthdayOf(s) || s.usedAt != unused && (a == nil || s.usedAt < a.from) {
			return corrupt("script %.40x: birthday %d, used at %d", k, birthday, s.usedAt)
		}
		w.scripts[s.raw] = s
		return nil
	})
}

// birthdayOf is what the birthday of an entry has to be: the lowest one of those for which
// it is watched. Ahead of the gap it has that of its account only until it is watched
// by itself.
func (w *Wallet) birthdayOf(s *script) uint32 {
	from := uint32(math.MaxUint32)
	if s.explicit {
		from = s.since
	}
	if a := w.accounts[s.account]; a != nil && (!s.ahead || !s.explicit) {
		from = min(from, a.from)
	}
	return from
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
	if s.point != nil {
		c.put(c.points, s.point.key(), s.encodePoint())
		return
	}
	c.put(c.scripts, []byte(s.raw), s.encode())
}

// networks are searched to tell what network a foreign address is of.
func networks() []*chaincfg.Params {
	return []*chaincfg.Params{
		chaincfg.MainNetParams(), chaincfg.TestNet3Params(),
		chaincfg.SimNetParams(), chaincfg.RegNetParams(),
	}
}

// addressScript is the script that pays an address.
func addressScript(addr string, params *chaincfg.Params) ([]byte, error) {
	a, err := stdaddr.DecodeAddress(addr, params)
	if err == nil {
		version, raw := a.PaymentScript()
		if version != 0 {
			return nil, fmt.Errorf("%w %q: script version %d is not known", ErrAddress, addr, version)
		}
		return raw, nil
	}
	for _, other := range networks() {
		if _, e := stdaddr.DecodeAddress(addr, other); e == nil && other.Net != params.Net {
			return nil, fmt.Errorf("%w: address %s is for %s, this wallet is for %s",
				ErrWrongNetwork, addr, other.Name, params.Name)
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrAddress, err)
}

// rawScript checks a script given as such.
func rawScript(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw) > txscript.MaxScriptSize {
		return nil, fmt.Errorf("%w: it has %d bytes, not 1 to %d", ErrScript, len(raw), txscript.MaxScriptSize)
	}
	_, raw = untag(wire.TxTreeStake, 0, raw)
	return slices.Clone(raw), nil
}

// scriptAddress is the address that a script pays; "" if it has none.
func scriptAddress(raw []byte, params *chaincfg.Params) string {
	if hash := stdscript.ExtractPubKeyHashV0(raw); hash != nil { // nearly all, and quickly
		addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hash, params)
		if err == nil {
			return addr.String()
		}
	}
	kind, addrs := stdscript.ExtractAddrs(0, raw, params)
	if len(addrs) != 1 || kind == stdscript.STMultiSig {
		return ""
	}
	return addrs[0].String()
}

// hashScript is the script that pays whoever has what this is the hash of: a script,
// or a public key.
func hashScript(hash []byte, p2sh bool) string {
	if p2sh {
		return "\xa9\x14" + string(hash) + "\x87"
	}
	return "\x76\xa9\x14" + string(hash) + "\x88\xac"
}

// untag takes the stake opcode off an output script, as filters do (dcrd
// gcs/blockcf2: Regular), and tells what kind of output it marks. In the
// regular tree no script has one.
func untag(tree int8, version uint16, raw []byte) (CoinKind, []byte) {
	if tree != wire.TxTreeStake {
		return Regular, raw
	}
	switch {
	case stake.IsTicketPurchaseScript(version, raw):
		return Ticket, raw[1:]
	case stake.IsVoteScript(version, raw):
		return Vote, raw[1:]
	case stake.IsRevocationScript(version, raw):
		return Revocation, raw[1:]
	case stake.IsStakeChangeScript(version, raw):
		return StakeChange, raw[1:]
	case stake.IsTreasuryGenScript(version, raw):
		return Treasury, raw[1:]
	}
	return Regular, raw
}

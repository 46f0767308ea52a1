package wallet

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Watch says what to watch.
type Watch struct {
	// Addresses of the wallet's network, of any standard kind: public key
	// hash, script hash or public key, ECDSA, Schnorr or Ed25519.
	//
	// An address stands for its own script only: watching a public key hash
	// does not find outputs that pay the public key itself.
	Addresses []string

	// Scripts are output scripts of version 0. A stake opcode at the front is
	// taken off: an output with any stake opcode is found, as it is for
	// addresses.
	Scripts [][]byte

	// XPubs are extended public keys of accounts (dpub... on mainnet). The
	// addresses of their external and internal branch are watched as far as
	// Gap reaches behind the last one used. Two that only differ in depth, parent or
	// child number are the same account.
	XPubs []string

	// OutPoints are single outputs. They are coins as any other: what else pays
	// their scripts does not count, nor do tickets that commit to them, unless these
	// are watched too.
	OutPoints []OutPoint

	// From is the birthday: the height of the first block that can matter.
	// What happens below it is not part of the wallet: what waits to be mined neither,
	// once it is mined there. Of what is watched in several ways the lowest counts.
	From uint32

	// Gap is how many unused addresses in a row are watched; 0 is 20, or what it is
	// for an account that is watched already.
	Gap uint32

	// PubKeys: what pays the public keys of XPubs themselves (compressed, ECDSA) is
	// watched too, not only their addresses, and counts as use of them. Hardly any
	// wallet pays so, and it takes twice the scripts: of a new account 480 in place
	// of 240, so that a million blocks are tested in 1.3 s of a core in place of
	// 0.9, and one more in 3300 is fetched in vain. Watching an account again without it
	// leaves it on; with it, only what comes with it is tested.
	PubKeys bool

	// Label is kept with all of them, for people; see SetLabel.
	Label string
}

// Watch adds to the watch set. It needs no Syncer and no network: which blocks
// have to be tested follows from what is watched. Watching something again is
// harmless; a lower From then counts, and has everything from there on tested
// again, because coins found below may be spent above. Either everything is
// added or, with an error, nothing.
//
// Errors: ErrAddress, ErrScript (also for an outpoint that is known to pay another
// one, or is watched with another one), ErrXPub, ErrWrongNetwork, ErrLabel. Their
// texts say which of several is meant.
func (w *Wallet) Watch(ctx context.Context, what Watch) error {
	sel, err := w.selectWatch(what)
	if err != nil {
		return err
	}
	if err := checkLabel(what.Label); err != nil {
		return err
	}
	points := make([]*script, len(what.OutPoints))
	for i := range what.OutPoints {
		if points[i], err = what.OutPoints[i].point(what.From, what.Label); err != nil {
			return err
		}
	}
	return w.update(ctx, func(c *change) {
		c.watchPoints(points)
		c.watchScripts(sel.scripts, what)
		for _, a := range sel.accounts {
			c.watchAccount(a)
		}
	})
}

// selection is a checked list of scripts and accounts.
type selection struct {
	scripts  []string
	names    []string // what the caller called the scripts
	accounts []*account
}

func (w *Wallet) selectWatch(what Watch) (*selection, error) {
	sel := new(selection)
	if what.Gap > maxGap {
		return nil, fmt.Errorf("%w: a gap of %d is above %d", ErrXPub, what.Gap, maxGap)
	}
	for _, addr := range what.Addresses {
		raw, err := addressScript(addr, w.params)
		if err != nil {
			return nil, err
		}
		sel.add(raw, addr)
	}
	for _, given := range what.Scripts {
		raw, err := rawScript(given)
		if err != nil {
			return nil, fmt.Errorf("script %.40x: %w", given, err)
		}
		sel.add(raw, fmt.Sprintf("%x", given))
	}
	for _, key := range what.XPubs {
		a := &account{key: strings.TrimSpace(key), from: what.From, gap: what.Gap, label: what.Label, pubKeys: what.PubKeys}
		if err := a.parse(w.params); err != nil {
			return nil, fmt.Errorf("extended key %q: %w", ending(a.key), err)
		}
		sel.accounts = append(sel.accounts, a)
	}
	return sel, nil
}

// ending tells a key from others, by its checksum: it may be a private one, given by
// mistake.
func ending(key string) string {
	if len(key) <= checksumChars {
		return key
	}
	return "..." + key[len(key)-checksumChars:]
}

// checksumChars is how many characters of an extended key follow from its checksum.
const checksumChars = 5

func (s *selection) add(raw []byte, name string) {
	s.scripts = append(s.scripts, string(raw))
	s.names = append(s.names, name)
}

// selectNames sorts addresses and extended public keys.
func (w *Wallet) selectNames(names []string) (*selection, error) {
	var what Watch
	for _, name := range names {
		if IsXPub(name) {
			what.XPubs = append(what.XPubs, name)
		} else {
			what.Addresses = append(what.Addresses, name)
		}
	}
	return w.selectWatch(what)
}

// watchScripts adds scripts that are watched by themselves.
func (c *change) watchScripts(scripts []string, what Watch) {
	var fresh, known []*script
	for _, raw := range scripts {
		s := c.w.scripts[raw]
		if s == nil {
			s = &script{raw: raw, explicit: true, since: what.From, label: what.Label, usedAt: unused}
			c.w.scripts[raw] = s
			c.saveScript(s)
			fresh = append(fresh, s)
			continue
		}
		if s.Group() == 0 { // named twice
			continue
		}
		if !s.watched() { // only ahead of its account's gap until now
			c.enter(s)
		}
		label := s.label
		if what.Label != "" {
			label = what.Label
		}
		if since := what.From; !s.explicit || since < s.since || label != s.label {
			if s.explicit {
				since = min(since, s.since)
			}
			s.explicit, s.since, s.label = true, since, label
			c.saveScript(s)
		}
		known = append(known, s)
	}
	for _, s := range fresh {
		c.enter(s)
	}
	c.coverage.Add(fresh, what.From)
	c.rebear(known)
}

// rebear gives entries the birthday that follows from what they are watched for. With
// a lower one all blocks from there on are debt, also those tested already: they may
// spend coins that are found below.
func (c *change) rebear(entries []*script) {
	anew := make(map[uint32][]*script)
	for _, s := range entries {
		from := c.w.birthdayOf(s)
		if from == s.Birthday() {
			continue
		}
		c.enter(s)
		if from < s.Birthday() {
			anew[from] = append(anew[from], s)
		} else {
			c.coverage.Raise(s, from)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(anew)) {
		c.coverage.Add(anew[from], from)
	}
}

// narrow follows up that a script which was watched, and still is of an account or
// watched by itself, has fewer reasons to be.
func (c *change) narrow(s *script) {
	c.lose(s)
	c.saveScript(s)
	c.rebear([]*script{s})
}

// lose notes that coins of a script or outpoint may not be the wallet's any more, nor
// what waits: see forget and dropUnconcerned.
func (c *change) lose(s *script) {
	if c.lost == nil {
		c.lost = make(map[string]bool)
	}
	c.lost[s.raw] = true
}

// Unwatch takes what is named in Addresses, Scripts, XPubs and OutPoints (whose
// scripts may be left out) out of the watch set; the other fields do not matter. Their
// coins, and the transactions that concern nothing else that is watched, are gone from
// the wallet; watching them again finds them again. If one of them is not watched, the error is
// ErrNotWatched and nothing is changed.
func (w *Wallet) Unwatch(ctx context.Context, what Watch) error {
	sel, err := w.selectWatch(what)
	if err != nil {
		return err
	}
	return w.update(ctx, func(c *change) {
		c.unwatching = true
		gone := c.unwatchScripts(sel)
		gone = append(gone, c.unwatchAccounts(sel)...)
		gone = append(gone, c.chosenPoints(what.OutPoints)...)
		if c.err != nil {
			return
		}
		for _, s := range gone {
			c.lose(s)
			c.coverage.Remove(s)
			if s.point != nil {
				c.w.removePoint(s)
				c.del(c.points, s.point.key())
				continue
			}
			delete(c.w.scripts, s.raw)
			c.del(c.scripts, []byte(s.raw))
		}
	})
}

// unwatchScripts returns the scripts that nothing watches any more.
func (c *change) unwatchScripts(sel *selection) (gone []*script) {
	seen := make(map[string]bool)
	for i, raw := range sel.scripts {
		s := c.w.scripts[raw]
		switch {
		case seen[raw]:
			continue
		case s == nil:
			c.fail(fmt.Errorf("%w: %s", ErrNotWatched, sel.names[i]))
			return nil
		case !s.explicit:
			c.fail(fmt.Errorf("%w by itself, only as part of an extended public key: %s", ErrNotWatched, sel.names[i]))
			return nil
		}
		seen[raw] = true
		if s.account == 0 {
			gone = append(gone, s)
			continue
		}
		s.explicit, s.since, s.label = false, 0, ""
		c.narrow(s)
		if s.ahead && s.usedAt != unused {
			c.untest(s, s.usedAt)
		}
	}
	return gone
}

// unwatchAccounts removes accounts and returns the scripts that nothing watches
// any more.
func (c *change) unwatchAccounts(sel *selection) (gone []*script) {
	seen := make(map[string]bool)
	for _, want := range sel.accounts {
		if seen[want.identity()] {
			continue
		}
		seen[want.identity()] = true
		a := c.w.sameAccount(want)
		if a == nil {
			c.fail(fmt.Errorf("%w: extended public key %s", ErrNotWatched, want.key))
			return nil
		}
		for _, s := range a.scripts() {
			s.account, s.branch, s.index, s.ahead, s.awaited, s.usedAt = 0, 0, 0, false, false, unused
			if s.explicit {
				c.narrow(s)
				continue
			}
			gone = append(gone, s)
		}
		delete(c.w.accounts, a.id)
		c.del(c.buckets.accounts, key32(a.id))
	}
	return gone
}

// chosen are the watched scripts of a selection; those of an account are meant
// all together.
func (c *change) chosen(sel *selection) map[*script]bool {
	set := make(map[*script]bool)
	for i, raw := range sel.scripts {
		s := c.w.scripts[raw]
		if s == nil {
			c.fail(fmt.Errorf("%w: %s", ErrNotWatched, sel.names[i]))
			return set
		}
		set[s] = true
	}
	for _, want := range sel.accounts {
		a := c.w.sameAccount(want)
		if a == nil {
			c.fail(fmt.Errorf("%w: extended public key %s", ErrNotWatched, want.key))
			return set
		}
		for _, s := range a.scripts() {
			set[s] = true
		}
	}
	return set
}

// Watched is an entry of the watch set.
type Watched struct {
	Address string // empty for a script without an address
	Script  []byte // nil for an account
	XPub    string // set for an account

	// Of an outpoint; the hash is zero for all others. Address and Script are what
	// it pays.
	TxID  chainhash.Hash
	Index uint32

	From  uint32 // birthday
	Label string

	// Gap, and how many addresses of each branch are watched: of accounts.
	Gap, External, Internal uint32

	PubKeys bool // of an account: as in Watch
}

// Watched lists the watch set: accounts in the order they were added, then
// scripts by their bytes, then outpoints by theirs. Addresses that are watched only
// through an account are not listed.
func (w *Wallet) Watched(ctx context.Context) ([]Watched, error) {
	if err := w.mu.lockFor(ctx); err != nil {
		return nil, err
	}
	defer w.mu.Unlock()
	if w.broken != nil {
		return nil, w.explain(w.broken)
	}
	var out []Watched
	for _, id := range slices.Sorted(maps.Keys(w.accounts)) {
		a := w.accounts[id]
		out = append(out, Watched{
			XPub: a.key, From: a.from, Label: a.label,
			Gap: a.gap, External: a.derived[0], Internal: a.derived[1], PubKeys: a.pubKeys,
		})
	}
	for _, raw := range slices.Sorted(maps.Keys(w.scripts)) {
		if s := w.scripts[raw]; s.explicit {
			out = append(out, Watched{
				Address: scriptAddress([]byte(raw), w.params), Script: []byte(raw),
				From: s.since, Label: s.label,
			})
		}
	}
	points := slices.SortedFunc(maps.Values(w.points), func(a, b *script) int {
		return bytes.Compare(a.point.key(), b.point.key())
	})
	for _, s := range points {
		out = append(out, Watched{
			TxID: s.point.hash, Index: s.point.index,
			Address: scriptAddress([]byte(s.raw), w.params), Script: []byte(s.raw),
			From: s.Birthday(), Label: s.label,
		})
	}
	return out, nil
}

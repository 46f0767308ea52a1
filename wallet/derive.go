package wallet

import (
	"math"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/keys"
)

// How far an account is watched follows from the best chain: gap indices behind the
// last one that a block uses. It grows while a block is read, and is taken back after
// blocks were undone (see fit): what is watched, and so what is shown, is that of a
// wallet which never saw the other branch.
//
// Every address that comes into use lets the gap reach further ones, and each of
// those has missed all blocks since the account's birthday. Had they to be
// tested one after the other, a long history would be read once for every few
// addresses. So as many again as are watched, and at least 80, are derived ahead
// and tested together with the watched ones, though not watched: only when the
// number of addresses in use has doubled is the history read once more.
//
// What pays a script ahead of the gap is not the wallet's. Its block then counts
// as not tested for that script, nor any above it, so that it is found as soon
// as the gap gets there, if it ever does.

// minAhead and maxAhead bound how many addresses of a branch are derived ahead.
// A script costs some 5 ns a block, reading a filter for any number some 1.5 us.
const (
	minAhead = 80
	maxAhead = 5000
)

// derive watches the addresses of a branch up to gap indices behind the last
// used one.
func (c *change) derive(b *branch) {
	for c.err == nil {
		if uint64(b.wanted())+uint64(b.awaitable()) > uint64(b.known) {
			for i := range b.of.branches { // both, to share what that costs
				c.lookAhead(&b.of.branches[i])
			}
		}
		if c.err != nil {
			return
		}
		first, end := b.extend()
		if first == end {
			return
		}
		for _, s := range b.scripts(first, end) {
			c.activate(s)
		}
	}
}

// deriveAndLog is derive with its event.
func (c *change) deriveAndLog(b *branch) {
	first := b.derived
	c.derive(b)
	c.saveAccount(b.of)
	if end := b.derived; end > first {
		c.event(Event{Kind: EventDerived, XPub: b.of.xpub, Branch: uint32(b.number), First: first, Last: end - 1})
	}
}

// activate has a script watched that was ahead of the gap.
func (c *change) activate(s *script) {
	if !s.ahead {
		return
	}
	s.setAhead(false)
	c.entered.add(s)
	c.saveScript(s)
	c.updateBirthdays([]*script{s})
	if s.usedAt != unused { // while it was ahead
		c.w.branchOf(s).use(s.index)
	}
}

// lookAhead derives the addresses of a branch far ahead of the gap.
func (c *change) lookAhead(b *branch) {
	end := b.wanted()
	ahead := uint64(min(max(end, minAhead), c.w.maxAhead)) + uint64(b.awaitable())
	if known := uint32(min(uint64(end)+ahead, keys.End)); known > b.known {
		c.deriveAhead(b, b.know(known), keys.PayHash)
	}
}

// deriveAhead adds the scripts of the indices of a branch from one on as ahead of the
// gap, in the form given and those behind it. Scripts that no block was tested for
// start with the account's birthday.
func (c *change) deriveAhead(b *branch, from uint32, first keys.Form) {
	a := b.of
	var fresh []*script
	for i := from; i < b.known; i++ {
		if err := c.ctx.Err(); err != nil {
			c.fail(err) // a key takes some 50 us, and there may be 100,000 of them
			return
		}
		key, ok := a.keys.PubKey(b.number, i)
		for f := first; f < b.forms(); f++ {
			if !ok {
				b.grow(f, nil)
				continue
			}
			raw := keys.Script(key, f)
			s := c.w.scripts[raw]
			switch {
			case s == nil:
				s = newScript(raw)
				c.w.addEntry(s)
				fresh = append(fresh, s)
			case s.account != 0:
				b.grow(f, nil)
				continue
			}
			s.join(b, i)
			b.grow(f, s)
			c.saveScript(s)
			if s.Group() != 0 { // watched by itself: nobody has looked yet for its uses
				c.untest(s, max(s.Birthday(), a.birthday))
			}
		}
	}
	c.coverage.Add(fresh, a.birthday)
}

// watchPubKeys has what pays the keys themselves watched too, of an account whose
// addresses are. Only these scripts have to be tested, on all blocks since the
// account's birthday.
func (c *change) watchPubKeys(a *account) {
	for i := range a.branches {
		b := &a.branches[i]
		c.deriveAhead(b, 0, keys.PayKey)
		for _, s := range b.scripts(0, b.derived) {
			c.activate(s)
		}
	}
}

// markUsed notes that a block at a height uses a script of an account, and keeps the gap
// ahead of it.
func (c *change) markUsed(s *script, height uint32) {
	b := c.w.branchOf(s)
	if b == nil || height < b.of.birthday || s.usedAt <= height {
		return
	}
	s.setUsedAt(height)
	c.saveScript(s)
	if !s.ahead && b.use(s.index) {
		c.deriveAndLog(b)
	}
}

// paid notes that a transaction at a height pays or commits to pay a script,
// and reports whether that concerns the wallet.
func (c *change) paid(s *script, height uint32) bool {
	if s.Birthday() > height {
		return false
	}
	c.markUsed(s, height)
	if s.watched() {
		return true
	}
	c.untest(s, height)
	return false
}

// untest has a script tested again from a height on; one ahead of the gap once it is
// reached.
func (c *change) untest(s *script, from uint32) {
	c.coverage.Untest(s, chain.Range{From: from, To: math.MaxUint32})
}

// unuse takes back the uses in blocks above a height, which were undone.
func (c *change) unuse(above uint32) {
	var gone []*script
	for _, s := range c.w.scripts {
		if s.usedAt != unused && s.usedAt > above {
			gone = append(gone, s)
		}
	}
	slices.SortFunc(gone, compareScripts)
	for _, s := range gone {
		s.setUsedAt(unused)
		c.saveScript(s)
	}
}

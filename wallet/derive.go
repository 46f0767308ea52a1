package wallet

import (
	"math"
	"slices"

	"dcrspv/spv/chain"
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
func (c *change) derive(a *account, branch uint8) {
	for c.err == nil {
		end := a.wanted(branch)
		if uint64(end)+uint64(a.awaitable()) > uint64(a.known[branch]) {
			for i := range uint8(branches) { // both, to share what that costs
				c.lookAhead(a, i)
			}
		}
		if end <= a.derived[branch] || c.err != nil {
			return
		}
		i := a.derived[branch]
		a.derived[branch] = end
		for ; i < end; i++ {
			for f := range a.forms() {
				c.reach(a.at[f][branch][i])
			}
		}
	}
}

// stretch is derive, and tells of it.
func (c *change) stretch(a *account, branch uint8) {
	first := a.derived[branch]
	c.derive(a, branch)
	c.saveAccount(a)
	if end := a.derived[branch]; end > first {
		c.event(Event{Kind: EventDerived, XPub: a.key, Branch: uint32(branch), First: first, Last: end - 1})
	}
}

// reach has a script watched that was ahead of the gap, if there is one.
func (c *change) reach(s *script) {
	if s == nil || !s.ahead {
		return
	}
	s.ahead, s.awaited = false, false
	c.enter(s)
	c.saveScript(s)
	c.rebear([]*script{s})
	if s.usedAt != unused { // while it was ahead
		a := c.w.accounts[s.account]
		a.used[s.branch] = max(a.used[s.branch], s.index+1)
	}
}

// lookAhead derives the addresses of a branch far ahead of the gap.
func (c *change) lookAhead(a *account, branch uint8) {
	end := a.wanted(branch)
	ahead := uint64(min(max(end, minAhead), c.w.maxAhead)) + uint64(a.awaitable())
	known := uint32(min(uint64(end)+ahead, hardened))
	if known <= a.known[branch] {
		return
	}
	from := a.known[branch]
	a.known[branch] = known
	c.deriveAhead(a, branch, from, payHash)
}

// deriveAhead adds the scripts of the indices of a branch from one on as ahead of the
// gap, in the form given and those behind it. Scripts that no block was tested for
// start with the account's birthday.
func (c *change) deriveAhead(a *account, branch uint8, from uint32, first form) {
	var fresh []*script
	for i := from; i < a.known[branch]; i++ {
		if err := c.ctx.Err(); err != nil {
			c.fail(err) // a key takes some 50 us, and there may be 100,000 of them
			return
		}
		key, ok := a.pubKey(branch, i)
		for f := first; f < a.forms(); f++ {
			a.at[f][branch] = append(a.at[f][branch], nil)
			if !ok {
				continue
			}
			raw := keyScript(key, f)
			s := c.w.scripts[raw]
			switch {
			case s == nil:
				s = &script{raw: raw, usedAt: unused}
				c.w.scripts[raw] = s
				fresh = append(fresh, s)
			case s.account != 0:
				continue
			}
			s.account, s.branch, s.index, s.ahead = a.id, branch, i, true
			a.at[f][branch][i] = s
			c.saveScript(s)
			if s.Group() != 0 { // watched by itself: nobody has looked yet for its uses
				c.untest(s, max(s.Birthday(), a.from))
			}
		}
	}
	c.coverage.Add(fresh, a.from)
}

// use notes that a block at a height uses a script of an account, and keeps the gap
// ahead of it.
func (c *change) use(s *script, height uint32) {
	a := c.w.accounts[s.account]
	if a == nil || height < a.from || s.usedAt <= height {
		return
	}
	s.usedAt = height
	c.saveScript(s)
	if !s.ahead && s.index >= a.used[s.branch] {
		a.used[s.branch] = s.index + 1
		c.stretch(a, s.branch)
	}
}

// notice notes that a transaction at a height pays or commits to pay a script,
// and reports whether that concerns the wallet.
func (c *change) notice(s *script, height uint32) bool {
	if s.Birthday() > height {
		return false
	}
	c.use(s, height)
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
		s.usedAt = unused
		c.saveScript(s)
	}
}

package wallet

import (
	"math"
	"slices"

	"dcrspv/spv/chain"
)

// Every address that comes into use lets the gap reach further ones, and each of
// those has missed all blocks since the account's birthday. Had they to be
// tested one after the other, a long history would be read once for every few
// addresses. So as many again as are watched, and at least 100, are derived ahead
// and tested together with the watched ones, though not watched: only when the
// number of addresses in use has doubled is the history read once more.
//
// What pays a script ahead of the gap is not the wallet's. Its block then counts
// as not tested for that script, nor any above it, so that it is found as soon
// as the gap gets there, if it ever does.

// minAhead and maxAhead bound how many addresses of a branch are derived ahead.
// A script costs some 5 ns a block, reading a filter for any number some 1.5 us.
const (
	minAhead = 100
	maxAhead = 5000
)

// derive watches the addresses of a branch up to gap indices behind the last
// used one, and reports which are new.
func (c *change) derive(a *account, branch uint8) (first, last uint32, any bool) {
	first = a.derived[branch]
	for a.derived[branch] < a.wanted(branch) {
		end := a.wanted(branch)
		if end > a.known[branch] {
			for i := range uint8(branches) { // both, to share what that costs
				c.lookAhead(a, i)
			}
		}
		i := a.derived[branch]
		a.derived[branch] = end
		for ; i < end; i++ {
			for f := range a.forms() {
				c.reach(a, f, branch, i)
			}
		}
	}
	return first, a.derived[branch] - 1, a.derived[branch] > first
}

// reach has a script watched that was ahead of the gap, if there is one.
func (c *change) reach(a *account, f form, branch uint8, index uint32) {
	s := a.ahead[f][branch][index]
	if s == nil {
		return
	}
	delete(a.ahead[f][branch], index)
	if !s.watched() {
		s.group.watched++
	}
	s.ahead = false
	c.debt = true
	c.w.bornKnown = false
	c.saveScript(s)
	c.lower([]*script{s}, a.from)
	if s.seen { // before
		a.used[branch] = max(a.used[branch], index+1)
	}
}

// lookAhead derives the addresses of a branch far ahead of the gap.
func (c *change) lookAhead(a *account, branch uint8) {
	end := a.wanted(branch)
	ahead := min(max(end, minAhead), c.w.maxAhead)
	known := uint32(min(uint64(end)+uint64(ahead), hardened))
	if known <= a.known[branch] {
		return
	}
	c.deriveAhead(a, branch, a.known[branch], known, payHash)
	a.known[branch] = known
}

// deriveAhead adds the scripts of some indices as ahead of the gap, in the form
// given and those behind it. Scripts that no block was tested for start with the
// account's birthday.
func (c *change) deriveAhead(a *account, branch uint8, from, to uint32, first form) {
	var fresh []*script
	for i := from; i < to; i++ {
		key, ok := a.pubKey(branch, i)
		if !ok {
			continue
		}
		for f := first; f < a.forms(); f++ {
			raw := keyScript(key, f)
			s := c.w.scripts[raw]
			switch {
			case s == nil:
				s = &script{raw: raw, from: a.from}
				c.w.scripts[raw] = s
				fresh = append(fresh, s)
			case s.account != 0:
				continue
			}
			s.account, s.branch, s.index, s.ahead = a.id, branch, i, true
			a.ahead[f][branch][i] = s
			if s.group != nil {
				c.saveScript(s)
			}
		}
	}
	c.assign(fresh, unwanted(a.from))
}

// use notes that a watched script was seen in a transaction, and keeps the gap
// ahead of it.
func (c *change) use(s *script) {
	if s.point != nil {
		return // says nothing of its script
	}
	if s.account == 0 || s.ahead {
		if !s.seen {
			s.seen = true
			c.saveScript(s)
		}
		return
	}
	a := c.w.accounts[s.account]
	if s.index < a.used[s.branch] {
		return
	}
	a.used[s.branch] = s.index + 1
	first, last, any := c.derive(a, s.branch)
	c.saveAccount(a)
	if any {
		c.event(Event{Kind: EventDerived, XPub: a.key, Branch: uint32(s.branch), First: first, Last: last})
	}
}

// notice notes that a transaction at a height pays or commits to pay a script,
// and reports whether that concerns the wallet.
func (c *change) notice(s *script, height uint32) bool {
	switch {
	case s.from > height:
		return false
	case s.watched():
		c.use(s)
		return true
	}
	covered := s.group.covered.Remove(chain.Range{From: height, To: math.MaxUint32})
	if !slices.Equal(covered, s.group.covered) {
		c.assign([]*script{s}, covered)
	}
	return false
}

// unreach takes back that a script of an account was watched by itself while it
// is ahead of the gap: as if it had just been derived.
func (c *change) unreach(a *account, s *script) {
	fresh := &script{
		raw: s.raw, from: a.from, account: a.id, branch: s.branch, index: s.index, ahead: true,
	}
	c.w.scripts[fresh.raw] = fresh
	a.ahead[fresh.form()][s.branch][s.index] = fresh
	c.assign([]*script{fresh}, unwanted(a.from))
}

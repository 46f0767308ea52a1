package wallet

import "math"

// When a use leaves the chain the account reaches less far. As a rule the next blocks
// have the use again, and nobody is helped if coins go and come back meanwhile, with what
// waits and spends them. So the accounts are made to fit once the wallet has tested all
// blocks as far up as it had been.

// setUnfit notes how many blocks the wallet has to have tested until the accounts are
// made to fit; 0 if they do.
func (c *change) setUnfit(blocks uint64) {
	if blocks == c.w.unfit {
		return
	}
	c.w.unfit = blocks
	if blocks == 0 {
		c.del(c.meta, keyUnfit)
	} else {
		c.put(c.meta, keyUnfit, key64(blocks))
	}
}

func (w *Wallet) loadUnfit(b *buckets) error {
	v := b.meta.Get(keyUnfit)
	if v == nil {
		return nil
	}
	if len(v) != 8 || be.Uint64(v) == 0 || be.Uint64(v) > math.MaxUint32+1 {
		return corrupt("the height up to which accounts may not fit")
	}
	w.unfit = be.Uint64(v)
	return nil
}

// fit makes the accounts reach as far as the chain has them reach, if it is time to.
func (c *change) fit() {
	tip := c.tipHeight()
	if c.w.unfit == 0 || uint64(tip)+1 < c.w.unfit || c.w.ledger.Missing(tip) > 0 {
		return
	}
	c.setUnfit(0)
	for _, a := range c.w.sortedAccounts() {
		for branch := range uint8(branches) {
			a.used[branch] = a.usedEnd(branch)
			if a.wanted(branch) < a.derived[branch] {
				c.withdraw(a, branch)
			}
			c.stretch(a, branch)
		}
	}
}

// withdraw has the indices of a branch that the gap does not reach any more ahead of
// it again. What was tested of them stays so, but for those that were used: all of these
// are tested together, from the lowest use on, should the gap reach them again.
func (c *change) withdraw(a *account, branch uint8) {
	first, end := a.wanted(branch), a.derived[branch]
	a.derived[branch] = first
	var away []*script
	lowest := uint32(unused)
	for i := first; i < end; i++ {
		for f := range a.forms() {
			if s := a.at[f][branch][i]; s != nil {
				away = append(away, s)
				lowest = min(lowest, s.usedAt)
			}
		}
	}
	for _, s := range away {
		s.ahead = true
		c.narrow(s)
		if !s.watched() && s.usedAt != unused {
			c.untest(s, lowest)
		}
	}
	c.withdrawn = true
	c.event(Event{Kind: EventWithdrawn, XPub: a.key, Branch: uint32(branch), First: first, Last: end - 1})
}

package wallet

import "math"

// When a use leaves the chain the account reaches less far. As a rule the next blocks
// have the use again, and nobody is helped if coins go and come back meanwhile, with what
// waits and spends them. So the accounts are made to fit once the wallet has tested all
// blocks as far up as it had been.

// unfitBlocks is how many blocks the wallet has to have tested until the accounts are made
// to fit; 0 if they do.
type unfitBlocks uint64

func (u *unfitBlocks) set(blocks unfitBlocks) { *u = blocks }

func (c *change) setUnfit(blocks unfitBlocks) {
	if blocks == c.w.unfit {
		return
	}
	c.w.unfit.set(blocks)
	if blocks == 0 {
		c.del(c.meta, keyUnfit)
	} else {
		c.put(c.meta, keyUnfit, key64(uint64(blocks)))
	}
}

func (u *unfitBlocks) load(b *buckets) error {
	v := b.meta.Get(keyUnfit)
	if v == nil {
		return nil
	}
	if len(v) != 8 || be.Uint64(v) == 0 || be.Uint64(v) > math.MaxUint32+1 {
		return corrupt("the height up to which accounts may not fit")
	}
	u.set(unfitBlocks(be.Uint64(v)))
	return nil
}

// fit makes the accounts reach as far as the chain has them reach, if it is time to.
func (c *change) fit() {
	tip := c.tipHeight()
	if c.w.unfit == 0 || unfitBlocks(tip)+1 < c.w.unfit || c.w.ledger.Missing(tip) > 0 {
		return
	}
	c.setUnfit(0)
	c.w.eachBranch(func(b *branch) {
		b.recount()
		if b.wanted() < b.derived {
			c.withdraw(b)
		}
		c.deriveAndLog(b)
	})
}

// withdraw has the indices of a branch that the gap does not reach any more ahead of
// it again. What was tested of them stays so, but for those that were used: all of these
// are tested together, from the lowest use on, should the gap reach them again.
func (c *change) withdraw(b *branch) {
	first, end := b.withdraw()
	away := b.scripts(first, end)
	lowest := uint32(unused)
	for _, s := range away {
		lowest = min(lowest, s.usedAt)
	}
	for _, s := range away {
		s.setAhead(true)
		c.watchLess(s, byChain)
		if !s.watched() && s.usedAt != unused {
			c.untest(s, lowest)
		}
	}
	c.event(Event{Kind: EventWithdrawn, XPub: b.of.xpub, Branch: uint32(b.number), First: first, Last: end - 1})
}

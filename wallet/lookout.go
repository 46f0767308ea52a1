package wallet

import (
	"dcrspv/spv/chain"
)

// What waits to be mined may be mined in any block above the one the wallet was at when
// it came to know of it, while all that it pays has a later birthday. It is no part of
// the wallet then, but were that block not looked at it would wait for ever. So the
// blocks from there to the birthday of whatever it pays are to be tested too.

// lookOut sees to it, at the end of a transaction: for what waits since then, and for
// entries that are watched since then or from another birthday on. Each is looked at
// once, for what was tested meanwhile must not be tested for ever.
func (c *change) lookOut() {
	if len(c.entered) == 0 && len(c.fresh) == 0 {
		return
	}
	for _, p := range c.pending().inOrder() {
		look := func(s *script) {
			if uint64(p.since)+1 >= uint64(s.Birthday()) || !c.entered[s] && !c.fresh[p] {
				return
			}
			c.coverage.Untest(s, chain.Range{From: p.since + 1, To: s.Birthday() - 1})
		}
		c.eachOutput(p.msg, treeOf(p.msg), func(_ uint32, _ CoinKind, s *script) { look(s) })
		c.eachCommitted(p.msg, look)
		for _, in := range p.msg.TxIn {
			if s := c.w.points[spent(in)]; s != nil {
				look(s)
			}
		}
	}
}

// freshen notes that a transaction came to wait, or is to be looked for again.
func (c *change) freshen(p *pendingMsg) {
	if c.fresh == nil {
		c.fresh = make(map[*pendingMsg]bool)
	}
	c.fresh[p] = true
}

// freshenAll has all that waits looked for again.
func (c *change) freshenAll() {
	for _, p := range c.pending().byID {
		c.freshen(p)
	}
}

// enter notes that an entry is watched, or from another birthday on.
func (c *change) enter(s *script) {
	if c.entered == nil {
		c.entered = make(map[*script]bool)
	}
	c.entered[s] = true
}

// sinceAtMost has the pending transactions looked for from a lower height on: the
// chain was undone down to it.
func (c *change) sinceAtMost(height uint32) {
	for _, p := range c.pending().inOrder() {
		if p.since > height {
			p.since = height
			delete(c.w.contested, p.id)
			c.savePending(p)
			c.freshen(p)
		}
	}
}

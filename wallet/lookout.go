package wallet

// What waits to be mined may be mined in any block above the one the wallet was
// at when it came to know of it. Were the birthday of a script it pays higher, that
// block would not be looked at, and it would wait for ever. So a transaction that
// waits is proof that its scripts matter from then on: their birthday comes down
// to the next block.

// lookOut sees to it, at the end of a transaction that changed what waits or what
// is watched.
func (c *change) lookOut() {
	if c.err != nil || !c.debt && (c.pool == nil || !c.pool.grown) {
		return
	}
	for _, p := range c.pending().inOrder() {
		lower := func(s *script) {
			if s.watched() {
				c.lower([]*script{s}, p.since+1)
			}
		}
		c.eachOutput(p.msg, treeOf(p.msg), func(_ uint32, _ CoinKind, s *script) { lower(s) })
		c.eachCommitted(p.msg, lower)
		for _, in := range p.msg.TxIn {
			if s := c.w.points[spent(in)]; s != nil {
				lower(s)
			}
		}
	}
}

// sinceAtMost has the pending transactions looked for from a lower height on: the
// chain was undone down to it.
func (c *change) sinceAtMost(height uint32) {
	for _, p := range c.pending().inOrder() {
		if p.since > height {
			p.since = height
			delete(c.w.contested, p.id)
			c.w.query = nil
			c.savePending(p)
			c.pool.grown = true
		}
	}
}

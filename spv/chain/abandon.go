package chain

// Abandon makes the best chain end before one of its blocks. That block, all blocks above
// it and all side branches are forgotten, and come back if they are added again. Unstored
// makes the store drop them.
//
// It is for a branch that nobody serves. The genesis block, and blocks that are not on the
// best chain, change nothing. On an error, an ErrSource, nothing has changed.
func (c *Chain) Abandon(id BlockID) (u Update, err error) {
	if id.Height == 0 || !c.Contains(id) {
		return u, nil
	}
	oldTip, end := c.Tip(), id.Height-1
	best, err := c.bestUpTo(end)
	if err != nil {
		return u, err
	}
	c.setBest(best, end)
	c.branches.clear()
	c.stored.shorten(end)
	u.switched(c.Tip(), int(oldTip.Height-end))
	return u, nil
}

// bestUpTo is the end of the best chain if it ends at a height, with a block in memory or
// with a stored one.
func (c *Chain) bestUpTo(height uint32) (s segment, err error) {
	if height >= c.best.base {
		return c.best.upTo(height), nil
	}
	c.src.forget()
	work, err := c.workAt(height)
	h, hash, ok := c.block(height)
	if err != nil || !ok {
		return s, c.src.err
	}
	own := Work(h.Bits())
	work.Sub(&own)
	s = segment{base: height, below: work}
	s.push(&h, &hash)
	return s, nil
}

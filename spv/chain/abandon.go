package chain

// Abandon has the best chain end before a block of it. What follows that block, and all side
// branches, are forgotten as if they had never come; they come back if they are added
// again. Unstored has the store drop what it has of them.
//
// It is for a branch that nobody serves. The genesis block, and blocks that are not on the
// best chain, change nothing. On an error, an ErrSource, nothing has changed.
func (c *Chain) Abandon(id BlockID) (u Update, err error) {
	if id.Height == 0 || !c.Contains(id) {
		return u, nil
	}
	oldTip, end := c.Tip(), id.Height-1
	if end >= c.best.base {
		c.best = c.best.upTo(end)
	} else if err := c.reload(end); err != nil {
		return u, err
	}
	c.branches = nil
	c.common = min(c.common, end)
	if end < c.rules.asertAnchor {
		c.asert = nil
	}
	return Update{Best: true, Fork: c.Tip(), Reorged: int(oldTip.Height - end)}, nil
}

// reload makes the best chain end with a stored block.
func (c *Chain) reload(height uint32) error {
	c.srcErr = nil
	work, err := c.workAt(height)
	h, hash, ok := c.block(height)
	if err != nil || !ok {
		return c.srcErr
	}
	own := Work(h.Bits())
	work.Sub(&own)
	c.best = segment{base: height, below: work}
	c.best.push(&h, &hash)
	return nil
}

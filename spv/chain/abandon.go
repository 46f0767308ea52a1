package chain

// Abandon takes a block, and all that follows it, out of the Chain: it knows them no
// more, as if they had never come, and the best chain is the best of the others. Unstored
// has the store drop them too. They come back if they are added again.
//
// It is for a branch that nobody serves. The genesis block and blocks that are not known
// change nothing. On an error, an ErrSource, nothing has changed.
func (c *Chain) Abandon(id BlockID) (u Update, err error) {
	from := c.find(id)
	if from == nil || id.Height == 0 {
		return u, nil
	}
	oldTip := c.Tip()
	if from == &c.best {
		if err := c.cutBest(id.Height - 1); err != nil {
			return u, err
		}
		u = Update{Best: true, Fork: c.Tip(), Reorged: int(oldTip.Height - c.Tip().Height)}
	}
	var most *segment // the branch with the most work of those that are better than what is left
	others := c.branches
	c.branches = nil
	for _, b := range others {
		if b.holds(id) {
			part := b.upTo(id.Height - 1)
			b = &part
		}
		if b.len() == 0 || b.fork() > c.Tip().Height {
			continue
		}
		c.branches = append(c.branches, b)
		if c.better(b) && (most == nil || b.work().Gt(most.work())) {
			most = b
		}
	}
	if most != nil {
		err = c.promote(most, &u)
		u.Reorged = int(oldTip.Height - u.Fork.Height)
	}
	return u, err
}

// cutBest makes the best chain end at a height.
func (c *Chain) cutBest(height uint32) error {
	if height >= c.best.base {
		c.best = c.best.upTo(height)
	} else {
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
	}
	c.common = min(c.common, height)
	if height < c.rules.asertAnchor {
		c.asert = nil
	}
	return nil
}

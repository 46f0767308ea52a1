package spvtest

// Fork makes a branch: it shares the blocks up to height, and those mined on it
// differ from all others. Depth and number of branches are free, and branches of
// branches too.
//
// Blocks are as far apart as on the parent, so between branches that fork at the
// same height the longer has more work. [Chain.SetSpacing] changes that.
func (c *Chain) Fork(height uint32) *Chain {
	f := c.fork(height, c.ledger.nextBranch())
	f.spacing = c.spacing
	return f
}

// fork makes a branch of a given number, with blocks a second apart.
func (c *Chain) fork(height, branch uint32) *Chain {
	tip := c.ID(height)
	parent := c
	for height < parent.first {
		parent = parent.parent
	}
	return &Chain{
		config:  c.config,
		ledger:  c.ledger,
		parent:  parent,
		first:   height + 1,
		branch:  branch,
		spacing: 1,
		index:   make(map[uint64]uint32),
		special: make(map[uint32]*special),
		tip:     tip,
	}
}

// SetSpacing sets the seconds between a block and the next from here on; the
// default is 1, the pace of simnet, at which the difficulty stays where it is.
//
// With 0 every block has the earliest time that the rules allow (a second after
// the median of the last 11), about one second in six blocks. That raises the
// difficulty, doubling it every 7 blocks or so: a branch can so have more work
// than a longer one. Twenty such blocks cost a moment, a hundred are out of
// reach.
func (c *Chain) SetSpacing(seconds uint32) { c.spacing = seconds }

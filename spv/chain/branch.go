package chain

import (
	"fmt"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// settle decides about the side branch s that Add has extended: it becomes the best
// chain, stays a side branch, or is dropped.
func (c *Chain) settle(s *segment, u *Update) error {
	c.branches.add(s)
	if c.better(s) {
		return c.promote(s, u)
	}
	c.branches.evict(c.maxSide)
	if !slices.Contains(c.branches, s) {
		last := BlockID{}
		if fork, ok := c.Block(s.fork()); ok {
			last = fork
		}
		u.refused(last)
		return fmt.Errorf("%w: branch of %d headers at height %d", ErrLowWork, s.len(), s.fork())
	}
	return nil
}

// better reports whether the branch should be the best chain: because it has
// reached a checkpoint, which no other can then, or has more work.
func (c *Chain) better(s *segment) bool {
	return c.rules.checkpoints.lastHeight(s.tip().Height) >= s.base || s.work().Gt(c.best.work())
}

// promote makes the side branch s the end of the best chain. The blocks that leave the
// best chain become a side branch, so that nothing is lost if the work swings back.
func (c *Chain) promote(s *segment, u *Update) error {
	fork, oldTip := s.fork(), c.Tip()
	old, err := c.bestAbove(fork)
	if err != nil {
		return err
	}
	forkBlock, ok := c.Block(fork)
	if !ok {
		return c.src.err
	}

	c.branches.rebase(&old, s)
	c.switchTo(s)
	c.stored.shorten(fork)
	c.rejoin()
	c.dropRefuted()
	c.branches.evict(c.maxSide)
	u.switched(forkBlock, int(oldTip.Height-fork))
	return nil
}

// bestAbove is a copy of the best chain above a height, empty if that is too
// long to be kept as a side branch.
func (c *Chain) bestAbove(height uint32) (segment, error) {
	if height >= c.best.base-min(c.best.base, 1) {
		return c.best.from(height + 1), nil
	}
	if c.Tip().Height-height > uint32(c.maxSide) {
		return segment{}, nil
	}
	below, err := c.workAt(height)
	if err != nil {
		return segment{}, err
	}
	s := segment{base: height + 1, below: below}
	for at := s.base; at < c.best.base; at++ {
		h, hash, ok := c.block(at)
		if !ok {
			return segment{}, c.src.err
		}
		s.push(&h, &hash)
	}
	s.join(&c.best)
	return s, nil
}

// block is a block of the best chain; !ok if it cannot be read.
func (c *Chain) block(height uint32) (h Header, hash chainhash.Hash, ok bool) {
	if h, ok = c.Header(height); ok {
		hash, ok = c.Hash(height)
	}
	return h, hash, ok
}

// dropRefuted drops the branches that leave the best chain below a checkpoint it
// has reached: they can only contradict it.
func (c *Chain) dropRefuted() {
	known := c.rules.checkpoints.lastHeight(c.Tip().Height)
	c.branches.dropBelow(known)
}

// workAt is the total work of the best chain up to and including height. Below
// the headers in memory the stored ones are read one by one.
func (c *Chain) workAt(height uint32) (uint256.Uint256, error) {
	if height >= c.best.base {
		return c.best.workAt(height), nil
	}
	total := c.best.below
	for at := c.best.base - 1; at > height; at-- {
		h := c.src.header(at)
		if h == nil {
			return total, c.src.err
		}
		w := Work(h.Bits())
		total.Sub(&w)
	}
	return total, nil
}

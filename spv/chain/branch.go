package chain

import (
	"fmt"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// settle decides what becomes of the side branch s that Add has extended: the
// best chain, a side branch, or nothing.
func (c *Chain) settle(s *segment, u *Update) error {
	if !slices.Contains(c.branches, s) {
		c.branches = append(c.branches, s)
	}
	if c.better(s) {
		return c.promote(s, u)
	}
	c.evict()
	if !slices.Contains(c.branches, s) {
		u.Added, u.Last = 0, BlockID{}
		if fork, ok := c.Block(s.fork()); ok {
			u.Last = fork
		}
		return fmt.Errorf("%w: branch of %d headers at height %d", ErrLowWork, s.len(), s.fork())
	}
	return nil
}

// better reports whether the branch should be the best chain: because it has
// reached an anchor, which no other can then, or has more work.
func (c *Chain) better(s *segment) bool {
	return c.rules.lastAnchor(s.tip().Height) >= s.base || s.work().Gt(c.best.work())
}

// promote makes the side branch s the end of the best chain. What leaves the
// best chain becomes a side branch itself, so that nothing is lost if the work
// swings back.
func (c *Chain) promote(s *segment, u *Update) error {
	fork, oldTip := s.fork(), c.Tip()
	old, err := c.bestAbove(fork)
	if err != nil {
		return err
	}
	forkBlock, ok := c.Block(fork)
	if !ok {
		return c.srcErr
	}

	others := c.branches
	c.branches = nil
	for _, b := range others {
		if b != s {
			c.rebase(b, &old, s)
		}
	}
	if old.len() > 0 {
		c.branches = append(c.branches, &old)
	}
	if fork >= c.best.base {
		c.best = c.best.upTo(fork)
		c.best.join(s)
	} else {
		c.best = *s
	}
	c.common = min(c.common, fork)
	if fork < c.rules.asertAnchor {
		c.asert = nil
	}
	c.rejoin()
	c.dropRefuted()
	c.evict()
	u.Best, u.Fork, u.Reorged = true, forkBlock, int(oldTip.Height-fork)
	return nil
}

// rebase keeps the side branch b when s replaces old on the best chain: b must
// then hang off the new best chain.
func (c *Chain) rebase(b, old, s *segment) {
	if b.fork() >= s.base {
		// It hung off a block that leaves the best chain.
		if old.len() == 0 {
			return // which is too long to be kept
		}
		joined := old.upTo(b.fork())
		joined.join(b)
		b = &joined
	}
	if n := b.common(s); n > 0 {
		rest := b.from(b.base + uint32(n))
		b = &rest
	}
	if b.len() > 0 {
		c.branches = append(c.branches, b)
	}
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
			return segment{}, c.srcErr
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

// evict drops the branches with the least work until the rest is within bounds.
func (c *Chain) evict() {
	for {
		total, least := 0, 0
		for i, b := range c.branches {
			total += b.len()
			if b.work().Lt(c.branches[least].work()) {
				least = i
			}
		}
		if total <= c.maxSide {
			return
		}
		c.branches = slices.Delete(c.branches, least, least+1)
	}
}

// dropRefuted drops the branches that leave the best chain below an anchor it
// has reached: they can only contradict it.
func (c *Chain) dropRefuted() {
	known := c.rules.lastAnchor(c.Tip().Height)
	c.branches = slices.DeleteFunc(c.branches, func(b *segment) bool { return b.fork() < known })
}

// workAt is the total work of the best chain up to and including height. Below
// the headers in memory the stored ones are read one by one.
func (c *Chain) workAt(height uint32) (uint256.Uint256, error) {
	if height >= c.best.base {
		return c.best.workAt(height), nil
	}
	total := c.best.below
	for at := c.best.base - 1; at > height; at-- {
		h := c.read(at)
		if h == nil {
			return total, c.srcErr
		}
		w := Work(h.Bits())
		total.Sub(&w)
	}
	return total, nil
}

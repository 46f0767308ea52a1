package chain

import "github.com/decred/dcrd/math/uint256"

// storedChain is the chain in the store.
type storedChain struct {
	tip BlockID

	// Up to the height common it is the best chain: headers that are not in memory
	// are read from the Source there.
	common uint32
}

// shorten notes that the best chain has changed above a height.
func (s *storedChain) shorten(fork uint32) { s.common = min(s.common, fork) }

// Unstored are headers that the store does not have: it should drop all headers above
// the height above and append these, at most max, perhaps none. work is the total work at
// the last of them. !ok if there is nothing to do. Only headers that lie together in memory come
// at once; the rest comes next.
//
// Only proven headers are offered: those up to a checkpoint, or any once the chain
// has the work that the network is known to have done.
//
// The owner writes them, in another goroutine if it likes, and then calls
// Stored; it does not ask again before that. The headers are lent for reading
// and never change.
func (c *Chain) Unstored(max int) (above uint32, headers []Header, work uint256.Uint256, ok bool) {
	n := min(max, c.Storable())
	if c.stored.common == c.Tip().Height && c.stored.tip.Height > c.stored.common {
		return c.stored.common, nil, c.Work(), true // it has blocks that were abandoned
	}
	if n <= 0 {
		return 0, nil, work, false
	}
	from := int(c.stored.common + 1 - c.best.base)
	headers = c.best.headers.run(from, from+n)
	return c.stored.common, headers, c.best.workAt(c.stored.common + uint32(len(headers))), true
}

// Storable is how many headers Unstored has to offer in all.
func (c *Chain) Storable() int {
	end := c.Tip().Height
	if !c.Proven() {
		end = c.rules.checkpoints.lastHeight(end)
	}
	return int(end) - int(min(end, c.stored.common))
}

// Stored says that the store's chain ends with tip now, after a write or a
// failed one. The Source must give that chain.
func (c *Chain) Stored(tip BlockID) {
	c.stored.tip = tip
	if !c.rejoin() {
		// The best chain has moved on to another branch meanwhile. All headers
		// that are not in memory are common to both.
		height := min(tip.Height, c.Tip().Height)
		for height >= c.best.base && !c.storedIsBest(height) {
			height--
		}
		c.stored.common = height
	}
	c.trim()
}

// rejoin notes if the whole stored chain is part of the best chain.
func (c *Chain) rejoin() bool {
	if !c.Contains(c.stored.tip) {
		return false
	}
	c.stored.common = c.stored.tip.Height
	return true
}

// storedIsBest reports whether the stored block at a height in memory is the
// one of the best chain.
func (c *Chain) storedIsBest(height uint32) bool {
	if height == 0 {
		return true
	}
	h, err := c.src.src.Header(height)
	return err == nil && h == *c.best.at(height)
}

// trim drops old stored headers from memory.
func (c *Chain) trim() {
	if next := c.best.next(); next > uint32(c.keep) {
		c.best.dropBelow(min(c.stored.common, next-uint32(c.keep)))
	}
}

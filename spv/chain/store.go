package chain

import "github.com/decred/dcrd/math/uint256"

// Unstored is what the store lacks: it should drop all headers above the height
// above and append these, at most max, perhaps none. work is the total work at the last of
// them. !ok if there is nothing to do. They are as many as lie together in
// memory; what is left comes next.
//
// Only proven headers are offered: those up to an anchor, or any once the chain
// has the work that the network is known to have done.
//
// The owner writes them, in another goroutine if it likes, and then calls
// Stored; it does not ask again before that. The headers are lent for reading
// and never change.
func (c *Chain) Unstored(max int) (above uint32, headers []Header, work uint256.Uint256, ok bool) {
	n := min(max, c.Storable())
	if c.common == c.Tip().Height && c.stored.Height > c.common {
		return c.common, nil, c.Work(), true // it has blocks that were abandoned
	}
	if n <= 0 {
		return 0, nil, work, false
	}
	from := int(c.common + 1 - c.best.base)
	headers = c.best.headers.run(from, from+n)
	return c.common, headers, c.best.workAt(c.common + uint32(len(headers))), true
}

// Storable is how many headers Unstored has to offer in all.
func (c *Chain) Storable() int {
	end := c.Tip().Height
	if !c.Proven() {
		end = c.rules.lastAnchor(end)
	}
	return int(end) - int(min(end, c.common))
}

// Stored says that the store's chain ends with tip now, after a write or a
// failed one. The Source must give that chain.
func (c *Chain) Stored(tip BlockID) {
	c.stored = tip
	if !c.rejoin() {
		// The best chain has moved on to another branch meanwhile. Everything
		// below what is in memory is common to both.
		height := min(tip.Height, c.Tip().Height)
		for height >= c.best.base && !c.storedIsBest(height) {
			height--
		}
		c.common = height
	}
	c.trim()
}

// rejoin notices that the whole stored chain is part of the best chain.
func (c *Chain) rejoin() bool {
	if !c.Contains(c.stored) {
		return false
	}
	c.common = c.stored.Height
	return true
}

// storedIsBest reports whether the stored block at a height in memory is the
// one of the best chain.
func (c *Chain) storedIsBest(height uint32) bool {
	if height == 0 {
		return true
	}
	h, err := c.src.Header(height)
	return err == nil && h == *c.best.at(height)
}

// trim drops old stored headers from memory.
func (c *Chain) trim() {
	if next := c.best.next(); next > uint32(c.keep) {
		c.best.dropBelow(min(c.common, next-uint32(c.keep)))
	}
}

package chain

import "github.com/decred/dcrd/chaincfg/chainhash"

// Locator is a block locator: hashes of from and its ancestors, newest first, at
// first one by one, then at about doubling distances, ending with the genesis block.
// A peer answers it with the headers after the first of them on its own chain.
//
// from may be on a side branch. For an unknown block the locator begins at the tip.
func (c *Chain) Locator(from BlockID) []chainhash.Hash {
	s := c.find(from)
	if s == nil {
		s, from = &c.best, c.Tip()
	}
	locator := make([]chainhash.Hash, 0, 40)
	step := uint32(1)
	for height := from.Height; height > 0; {
		if s != &c.best && height >= s.base {
			locator = append(locator, s.hash(height))
		} else if hash, ok := c.landmark(step, height); ok {
			locator = append(locator, hash)
		}
		if len(locator) >= 10 {
			step *= 2
		}
		height -= min(step, height)
		height -= height % step // so that the next locator has mostly the same
	}
	return append(locator, c.rules.params.GenesisHash)
}

// landmark is Hash for a block that is asked for again and again.
func (c *Chain) landmark(step, height uint32) (hash chainhash.Hash, ok bool) {
	if height >= c.best.base {
		return c.Hash(height)
	}
	if hash, ok = c.landmarks.get(step, height); ok {
		return hash, true
	}
	if hash, ok = c.Hash(height); ok {
		c.landmarks.put(step, BlockID{height, hash})
	}
	return hash, ok
}

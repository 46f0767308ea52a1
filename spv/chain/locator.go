package chain

import "github.com/decred/dcrd/chaincfg/chainhash"

// Locator is a block locator: hashes of from and its ancestors, newest first, at
// first one by one, then at doubling distances, ending with the genesis block.
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
		} else if hash, ok := c.Hash(height); ok {
			locator = append(locator, hash)
		}
		if len(locator) >= 10 {
			step *= 2
		}
		height -= min(step, height)
	}
	return append(locator, c.rules.params.GenesisHash)
}

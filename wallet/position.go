package wallet

import (
	"slices"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

const (
	// densePositions are kept of the newest blocks; below they thin out: each
	// time thinAbove more have come, every other one goes.
	densePositions = 512
	thinAbove      = 256
)

func (w *Wallet) loadPositions(b *buckets) error {
	return b.positions.ForEach(func(k, v []byte) error {
		if len(k) != 4 || len(v) != chainhash.HashSize {
			return corrupt("position %.40x", k)
		}
		w.positions = append(w.positions, chain.BlockID{Height: be.Uint32(k), Hash: chainhash.Hash(v)})
		return nil
	})
}

// tip is the highest block that the wallet has processed.
func (w *Wallet) tip() (chain.BlockID, bool) {
	if len(w.positions) == 0 {
		return chain.BlockID{}, false
	}
	return w.positions[len(w.positions)-1], true
}

// Locator is a list of blocks that the wallet has processed, newest first: ends
// of batches and blocks that matched, the last 512 of them and ever fewer
// below, and genesis. It is empty before the first batch.
func (w *Wallet) Locator() ([]chain.BlockID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return nil, w.explain(w.broken)
	}
	if len(w.positions) == 0 {
		return nil, nil
	}
	out := slices.Clone(w.positions)
	slices.Reverse(out)
	if out[len(out)-1].Height > 0 {
		out = append(out, chain.BlockID{Hash: w.params.GenesisHash})
	}
	return out, nil
}

// moveTo notes that blocks up to id were processed.
func (c *change) moveTo(id chain.BlockID) {
	c.w.positions = append(c.w.positions, id)
	c.put(c.buckets.positions, key32(id.Height), id.Hash[:])
	if len(c.w.positions) < densePositions+thinAbove {
		return
	}
	kept := c.w.positions[:0:0]
	for i, p := range c.w.positions {
		if i < thinAbove && i%2 == 1 {
			c.del(c.buckets.positions, key32(p.Height))
			continue
		}
		kept = append(kept, p)
	}
	c.w.positions = kept
}

// cutPositions takes back the position to a block below it.
func (c *change) cutPositions(to chain.BlockID) {
	i := len(c.w.positions)
	for i > 0 && c.w.positions[i-1].Height > to.Height {
		i--
		c.del(c.buckets.positions, key32(c.w.positions[i].Height))
	}
	c.w.positions = c.w.positions[:i:i]
	if i == 0 || c.w.positions[i-1].Height < to.Height {
		c.moveTo(to)
	}
}

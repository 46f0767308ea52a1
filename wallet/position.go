package wallet

import (
	"context"
	"fmt"
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

// positions are blocks that the wallet has processed, ascending.
type positions []chain.BlockID

func (p *positions) load(b *buckets) error {
	return b.positions.ForEach(func(k, v []byte) error {
		if len(k) != 4 || len(v) != chainhash.HashSize {
			return corrupt("position %.40x", k)
		}
		*p = append(*p, chain.BlockID{Height: be.Uint32(k), Hash: chainhash.Hash(v)})
		return nil
	})
}

// tip is the highest block that the wallet has processed.
func (p positions) tip() (chain.BlockID, bool) {
	if len(p) == 0 {
		return chain.BlockID{}, false
	}
	return p[len(p)-1], true
}

func (c *cache) tip() (chain.BlockID, bool) { return c.positions.tip() }

// Locator is a list of blocks that the wallet has processed, newest first: ends
// of batches and blocks that matched, the last 512 of them and ever fewer
// below, and genesis. It is empty before the first batch.
func (w *Wallet) Locator(ctx context.Context) (out []chain.BlockID, err error) {
	err = w.fromMemory(ctx, func() error {
		out = slices.Clone(w.positions)
		slices.Reverse(out)
		if len(out) > 0 && out[len(out)-1].Height > 0 {
			out = append(out, chain.BlockID{Hash: w.params.GenesisHash})
		}
		return nil
	})
	return out, err
}

// moveTo notes that blocks up to id were processed.
func (c *change) moveTo(id chain.BlockID) {
	c.put(c.buckets.positions, key32(id.Height), id.Hash[:])
	c.deletePositions(c.w.positions.add(id))
}

// goBackTo takes back the position to a block below it.
func (c *change) goBackTo(id chain.BlockID) {
	c.deletePositions(c.w.positions.truncate(id.Height))
	if tip, ok := c.w.tip(); !ok || tip.Height < id.Height {
		c.moveTo(id)
	}
}

func (c *change) deletePositions(gone positions) {
	for _, id := range gone {
		c.del(c.buckets.positions, key32(id.Height))
	}
}

// add adds a block above all others, and returns those that are given up.
func (p *positions) add(id chain.BlockID) (gone positions) {
	*p = append(*p, id)
	if len(*p) < densePositions+thinAbove {
		return nil
	}
	var kept positions
	for i, id := range *p {
		if i < thinAbove && i%2 == 1 {
			gone = append(gone, id)
		} else {
			kept = append(kept, id)
		}
	}
	*p = kept
	return gone
}

// truncate gives up the blocks above a height, and returns them.
func (p *positions) truncate(height uint32) (gone positions) {
	i := len(*p)
	for i > 0 && (*p)[i-1].Height > height {
		i--
	}
	gone, *p = (*p)[i:], (*p)[:i:i]
	return gone
}

// tipHeight is the height of the newest block processed; 0 if there is none.
func (b *buckets) tipHeight() uint32 {
	k, _ := b.positions.Cursor().Last()
	if len(k) != 4 {
		return 0
	}
	return be.Uint32(k)
}

// agrees checks that the wallet knows no other block at a height.
func (c *change) agrees(id chain.BlockID) error {
	known := c.buckets.positions.Get(key32(id.Height))
	if known == nil {
		if v := c.blocks.Get(key32(id.Height)); v != nil {
			r, ok := decodeBlock(v)
			if !ok {
				return corrupt("block %d", id.Height)
			}
			known = r.hash[:]
		}
	}
	if known != nil && string(known) != string(id.Hash[:]) {
		return fmt.Errorf("%w: block %d is %v, but another one was applied before", ErrChain, id.Height, id.Hash)
	}
	return nil
}

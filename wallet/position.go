package wallet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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

// positions are blocks that the wallet has processed.
type positions struct {
	blocks  []chain.BlockID // ascending
	unsaved map[uint32]bool // heights of which the file says something else
}

func newPositions() positions { return positions{unsaved: make(map[uint32]bool)} }

func (p *positions) load(b *buckets) error {
	return b.positions.ForEach(func(k, v []byte) error {
		if len(k) != 4 || len(v) != chainhash.HashSize {
			return corrupt("position %.40x", k)
		}
		p.blocks = append(p.blocks, chain.BlockID{Height: be.Uint32(k), Hash: chainhash.Hash(v)})
		return nil
	})
}

// tip is the highest block that the wallet has processed.
func (p *positions) tip() (chain.BlockID, bool) {
	if len(p.blocks) == 0 {
		return chain.BlockID{}, false
	}
	return p.blocks[len(p.blocks)-1], true
}

// at is the block at a height, if it is kept.
func (p *positions) at(height uint32) (chain.BlockID, bool) {
	i, ok := slices.BinarySearchFunc(p.blocks, height, func(id chain.BlockID, height uint32) int {
		return cmp.Compare(id.Height, height)
	})
	if !ok {
		return chain.BlockID{}, false
	}
	return p.blocks[i], true
}

func (c *cache) tip() (chain.BlockID, bool) { return c.positions.tip() }

// Locator is a list of blocks that the wallet has processed, newest first: ends
// of batches and blocks that matched, the last 512 of them and ever fewer
// below, and genesis. It is empty before the first batch.
func (w *Wallet) Locator(ctx context.Context) (out []chain.BlockID, err error) {
	err = w.fromMemory(ctx, func() error {
		out = slices.Clone(w.positions.blocks)
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
	c.w.positions.add(id)
	c.progress()
}

// tipHeight is the height of the newest block processed; 0 if there is none.
func (c *change) tipHeight() uint32 {
	tip, _ := c.w.tip()
	return tip.Height
}

// goBackTo takes back the position to a block below it.
func (c *change) goBackTo(id chain.BlockID) {
	c.w.positions.truncate(id.Height)
	if tip, ok := c.w.tip(); !ok || tip.Height < id.Height {
		c.w.positions.add(id)
	}
	c.progress()
}

// savePositions writes what has changed of them.
func (c *change) savePositions() {
	for _, height := range c.w.positions.saved() {
		if id, ok := c.w.positions.at(height); ok {
			c.put(c.buckets.positions, key32(height), id.Hash[:])
		} else {
			c.del(c.buckets.positions, key32(height))
		}
	}
}

// add adds a block above all others.
func (p *positions) add(id chain.BlockID) {
	p.blocks = append(p.blocks, id)
	p.unsaved[id.Height] = true
	if len(p.blocks) < densePositions+thinAbove {
		return
	}
	var kept []chain.BlockID
	for i, id := range p.blocks {
		if i < thinAbove && i%2 == 1 {
			p.unsaved[id.Height] = true
		} else {
			kept = append(kept, id)
		}
	}
	p.blocks = kept
}

// truncate gives up the blocks above a height.
func (p *positions) truncate(height uint32) {
	i := len(p.blocks)
	for i > 0 && p.blocks[i-1].Height > height {
		i--
		p.unsaved[p.blocks[i].Height] = true
	}
	p.blocks = p.blocks[:i:i]
}

// saved returns the heights of which the file says something else, ascending: they are
// about to be written.
func (p *positions) saved() []uint32 {
	heights := slices.Sorted(maps.Keys(p.unsaved))
	clear(p.unsaved)
	return heights
}

// agrees checks that the wallet knows no other block at a height.
func (c *change) agrees(id chain.BlockID) error {
	known, ok := c.w.positions.at(id.Height)
	if !ok {
		v := c.blocks.Get(key32(id.Height))
		if v == nil {
			return nil
		}
		r, ok := decodeBlock(v)
		if !ok {
			return corrupt("block %d", id.Height)
		}
		known.Hash = r.hash
	}
	if known.Hash != id.Hash {
		return fmt.Errorf("%w: block %d is %v, but another one was applied before", ErrChain, id.Height, id.Hash)
	}
	return nil
}

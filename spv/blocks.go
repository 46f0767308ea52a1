package spv

import (
	"context"
	"fmt"

	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/wire"
)

// blocksPerUnit is how many blocks are asked of a peer at a time: at most 3 MB.
const blocksPerUnit = 8

// arrivedBlock is a verified block and its place in the unit.
type arrivedBlock struct {
	index int
	block *wire.MsgBlock
}

// blockUnits makes the requests for the blocks of a batch.
func (e *engine) blockUnits(sc *scan) {
	for first := 0; first < len(sc.headers); first += blocksPerUnit {
		var places []int
		for i := first; i < min(first+blocksPerUnit, len(sc.headers)); i++ {
			places = append(places, i)
		}
		sc.units = append(sc.units, e.blockUnit(sc, places))
		sc.open++
	}
}

// blockUnit is the request for the blocks at some places of a batch.
func (e *engine) blockUnit(sc *scan, places []int) *unit {
	u := newUnit(registry.Blocks)
	for _, i := range places {
		u.headers = append(u.headers, sc.headers[i])
		u.hashes = append(u.hashes, sc.batch.Blocks[i].ID.Hash)
	}
	rules := e.rules
	u.fetch = func(ctx context.Context, p Source, fl *flight) error {
		return p.Blocks(ctx, u.hashes, func(i int, b *wire.MsgBlock) error {
			if err := rules.CheckBlock(&u.headers[i], b); err != nil {
				return fmt.Errorf("%w: block %d: %w", errBadBlock, u.headers[i].Height(), err)
			}
			fl.blocks = append(fl.blocks, arrivedBlock{i, b})
			return nil
		})
	}
	u.result = func(e *engine, fl *flight) {
		for _, b := range fl.blocks {
			sc.batch.Blocks[places[b.index]].Msg = b.block
		}
		if fl.err == nil {
			e.finish(u)
			sc.open--
			return
		}
		if len(fl.blocks) == 0 || isLocal(fl.err) {
			return
		}
		// Some came before it failed: only the others are asked for again.
		e.finish(u)
		var missing []int
		for _, i := range places {
			if sc.batch.Blocks[i].Msg == nil {
				missing = append(missing, i)
			}
		}
		rest := e.blockUnit(sc, missing)
		rest.Inherit(u.Request)
		sc.units = append(sc.units, rest)
	}
	return u
}

package spv

import (
	"context"
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// scan is a batch on its way: the filters are matched, the blocks are fetched.
type scan struct {
	found
	msgs     []*wire.MsgBlock // that have come, in the order of the headers
	requests []*request
	open     int // requests that are not done
}

// blocksPerRequest is how many blocks are asked of a peer at a time: at most 3 MB.
const blocksPerRequest = 8

// newScan makes the requests for the blocks of a batch.
func (e *engine) newScan(f found) *scan {
	sc := &scan{found: f, msgs: make([]*wire.MsgBlock, len(f.headers))}
	var places []int
	for i := range f.headers {
		places = append(places, i)
		if len(places) == blocksPerRequest || i == len(f.headers)-1 {
			sc.add(e.blockRequest(sc, places))
			places = nil
		}
	}
	return sc
}

func (sc *scan) add(r *request) {
	sc.requests = append(sc.requests, r)
	sc.open++
}

func (sc *scan) batch() Batch { return sc.found.batch(sc.msgs) }

// take keeps the blocks that came for a request at some places, which ends it if any did.
// It returns the places that are missing.
func (sc *scan) take(blocks []arrivedBlock, places []int) (missing []int) {
	for _, b := range blocks {
		sc.msgs[places[b.index]] = b.block
	}
	for _, i := range places {
		if sc.msgs[i] == nil {
			missing = append(missing, i)
		}
	}
	if len(blocks) > 0 {
		sc.open--
	}
	return missing
}

// blockRequest asks for the blocks at some places of a batch.
func (e *engine) blockRequest(sc *scan, places []int) *request {
	var headers []chain.Header
	var hashes []chainhash.Hash
	for _, i := range places {
		headers, hashes = append(headers, sc.headers[i]), append(hashes, sc.hashes[i])
	}
	rules := e.rules
	fetch := func(ctx context.Context, p Source) (fetched, error) {
		var blocks []arrivedBlock
		err := p.Blocks(ctx, hashes, func(i int, b *wire.MsgBlock) error {
			if err := rules.CheckBlock(&headers[i], b); err != nil {
				return fmt.Errorf("%w: block %d: %w", errBadBlock, headers[i].Height(), err)
			}
			blocks = append(blocks, arrivedBlock{i, b})
			return nil
		})
		return fetched{blocks: blocks}, err
	}
	ended := func(e *engine, r *request, _ string, got fetched, err error) {
		if err != nil && (len(got.blocks) == 0 || isLocal(err)) {
			return
		}
		e.finish(r)
		if missing := sc.take(got.blocks, places); len(missing) > 0 {
			rest := e.blockRequest(sc, missing) // some came before it failed
			rest.Inherit(r.Request)
			sc.add(rest)
		}
	}
	return newRequest(registry.Blocks, headers, hashes, fetch, ended)
}

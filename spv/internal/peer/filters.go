package peer

import (
	"context"
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Filters fetches the committed filters of consecutive blocks of one chain, at
// most 100, and returns them in that order. Several calls may be in flight at
// once, for different blocks. Whether a filter is the one that its header
// commits to is for the caller to check.
//
// From protocol version 11 on this is one getcfsv2 message; below, one
// getcfilterv2 a block, all sent before the first answer.
//
// A node that has left the branch of these blocks, or never had it, does not
// answer at all: ErrStalled. The other errors are ErrBusy (one of the blocks
// is being asked for), ErrProtocol (wrong blocks, number or proof), ErrClosed,
// ErrRequest and that of ctx.
func (p *Peer) Filters(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error) {
	// dcrd is silent when asked for more, and bans at protocol version 10.
	if len(hashes) == 0 || len(hashes) > wire.MaxCFiltersV2PerBatch {
		return nil, fmt.Errorf("%w: %d filters", ErrRequest, len(hashes))
	}
	if p.info.PVer >= wire.BatchedCFiltersV2Version {
		return p.filterBatch(ctx, hashes)
	}
	return p.filtersOneByOne(ctx, hashes)
}

func (p *Peer) filterBatch(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error) {
	first, last := hashes[0], hashes[len(hashes)-1]
	r := newRequest(kindBatch, []chainhash.Hash{first, last}, 1)
	r.whole = true
	if err := p.waiting.add(r); err != nil {
		return nil, err
	}
	defer p.waiting.drop(r)
	if err := p.ask(ctx, r, wire.NewMsgGetCFsV2(&first, &last)); err != nil {
		return nil, err
	}
	rep, err := p.await(ctx, r)
	if err != nil {
		return nil, err
	}
	batch := rep.msg.(*wire.MsgCFiltersV2).CFilters
	if len(batch) != len(hashes) {
		return nil, protocolError("%d filters for %d blocks", len(batch), len(hashes))
	}
	filters := make([][]byte, len(batch))
	for i := range batch {
		if err := checkFilter(&batch[i], &hashes[i]); err != nil {
			return nil, err
		}
		filters[i] = batch[i].Data
	}
	return filters, nil
}

func (p *Peer) filtersOneByOne(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error) {
	index, err := indexOf(hashes)
	if err != nil {
		return nil, err
	}
	r := newRequest(kindFilter, hashes, len(hashes))
	if err := p.waiting.add(r); err != nil {
		return nil, err
	}
	defer p.waiting.drop(r)
	for i := range hashes {
		if err := p.ask(ctx, r, wire.NewMsgGetCFilterV2(&hashes[i])); err != nil {
			return nil, err
		}
	}
	filters := make([][]byte, len(hashes))
	for range hashes {
		rep, err := p.await(ctx, r)
		if err != nil {
			return nil, err
		}
		msg := rep.msg.(*wire.MsgCFilterV2)
		if err := checkFilter(msg, &rep.key.hash); err != nil {
			return nil, err
		}
		filters[index[rep.key.hash]] = msg.Data
	}
	return filters, nil
}

// checkFilter checks that a filter is said to be of this block, with the proof
// of a header commitment that has a single leaf: none at all (DCP0005).
func checkFilter(msg *wire.MsgCFilterV2, hash *chainhash.Hash) error {
	switch {
	case msg.BlockHash != *hash:
		return protocolError("filter of block %v in place of %v", msg.BlockHash, hash)
	case msg.ProofIndex != 0 || len(msg.ProofHashes) != 0:
		return protocolError("filter of block %v with proof index %d and %d hashes",
			hash, msg.ProofIndex, len(msg.ProofHashes))
	}
	return nil
}

// indexOf returns where each hash stands, or ErrRequest if one stands twice.
func indexOf(hashes []chainhash.Hash) (map[chainhash.Hash]int, error) {
	index := make(map[chainhash.Hash]int, len(hashes))
	for i, hash := range hashes {
		if _, twice := index[hash]; twice {
			return nil, fmt.Errorf("%w: block %v twice", ErrRequest, hash)
		}
		index[hash] = i
	}
	return index, nil
}

// onFilters gives a batch of filters to the request that it answers: the one
// that begins with its first block or ends with its last. That it is complete
// is checked by the request, which otherwise ends with ErrProtocol.
func (p *Peer) onFilters(msg *wire.MsgCFiltersV2) {
	if len(msg.CFilters) == 0 {
		p.unasked(classBatch)
		return
	}
	first, last := msg.CFilters[0].BlockHash, msg.CFilters[len(msg.CFilters)-1].BlockHash
	r, late := p.waiting.takeBatch(first, last)
	p.answer(classBatch, r, late, reply{msg: msg})
}

package spv

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// blockStage has blocks fetched, each once, whoever needs it and however many do.
type blockStage struct {
	blocks   map[chainhash.Hash]*neededBlock
	wanted   []chainhash.Hash // needed, and perhaps not requested
	requests []*request

	// kept are blocks that nobody needs any more, the newest last: others may need
	// them soon.
	kept      []chainhash.Hash
	keptBytes int
}

// neededBlock is a block that somebody needs, or needed lately.
type neededBlock struct {
	header    chain.Header
	users     int
	requested bool
	msg       *wire.MsgBlock // verified; nil until it is there
}

const (
	// blocksPerRequest is how many blocks are asked of a peer at a time: at most 3 MB.
	blocksPerRequest = 8

	// maxKeptBytes bounds the blocks that are kept although nobody needs them.
	maxKeptBytes = 1 << 19
)

// need notes that somebody needs a block; drop that he does not any more.
func (st *blockStage) need(hash chainhash.Hash, header *chain.Header) {
	if st.blocks == nil {
		st.blocks = make(map[chainhash.Hash]*neededBlock)
	}
	b := st.blocks[hash]
	if b == nil {
		b = &neededBlock{header: *header}
		st.blocks[hash] = b
		st.wanted = append(st.wanted, hash)
	}
	if b.users == 0 && b.msg != nil {
		st.kept = slices.DeleteFunc(st.kept, func(h chainhash.Hash) bool { return h == hash })
		st.keptBytes -= b.msg.SerializeSize()
	}
	b.users++
}

func (st *blockStage) drop(hash chainhash.Hash) {
	b := st.blocks[hash]
	b.users--
	switch {
	case b.users > 0:
		return
	case b.msg == nil && !b.requested:
		delete(st.blocks, hash)
		return
	case b.msg == nil:
		return // its request ends first
	}
	st.kept = append(st.kept, hash)
	st.keptBytes += b.msg.SerializeSize()
	for st.keptBytes > maxKeptBytes {
		oldest := st.kept[0]
		st.kept = st.kept[1:]
		st.keptBytes -= st.blocks[oldest].msg.SerializeSize()
		delete(st.blocks, oldest)
	}
}

// get returns a block that is needed; nil if it is not there yet.
func (st *blockStage) get(hash chainhash.Hash) *wire.MsgBlock { return st.blocks[hash].msg }

// take keeps blocks that came for a request, which is over. It returns which of the others
// are still needed, by their place in it.
func (st *blockStage) take(r *request, arrived []arrivedBlock) (missing []int) {
	st.requests = slices.DeleteFunc(st.requests, func(other *request) bool { return other == r })
	for _, a := range arrived {
		st.blocks[r.hashes[a.index]].msg = a.block
	}
	for i, hash := range r.hashes {
		b := st.blocks[hash]
		b.requested = false
		switch {
		case b.users == 0: // called off meanwhile
			delete(st.blocks, hash)
		case b.msg == nil:
			missing = append(missing, i)
			st.wanted = append(st.wanted, hash)
		}
	}
	return missing
}

// callOff ends the requests for blocks that nobody needs any more. It returns them; for
// what else is in them there will be others.
func (st *blockStage) callOff() (over []*request) {
	for _, r := range slices.Clone(st.requests) {
		if slices.ContainsFunc(r.hashes, func(h chainhash.Hash) bool { return st.blocks[h].users == 0 }) {
			st.take(r, nil)
			over = append(over, r)
		}
	}
	return over
}

// unrequested returns the blocks that are needed and that nobody was asked for, in
// ascending order.
func (st *blockStage) unrequested() (headers []chain.Header, hashes []chainhash.Hash) {
	for _, hash := range st.wanted {
		b := st.blocks[hash]
		if b != nil && b.users > 0 && b.msg == nil && !b.requested && !slices.Contains(hashes, hash) {
			hashes = append(hashes, hash)
		}
	}
	st.wanted = nil
	height := func(hash chainhash.Hash) uint32 { return st.blocks[hash].header.Height() }
	slices.SortFunc(hashes, func(a, b chainhash.Hash) int { return cmp.Compare(height(a), height(b)) })
	for _, hash := range hashes {
		headers = append(headers, st.blocks[hash].header)
	}
	return headers, hashes
}

// add notes that blocks are requested.
func (st *blockStage) add(r *request) {
	st.requests = append(st.requests, r)
	for _, hash := range r.hashes {
		st.blocks[hash].requested = true
	}
}

// fetchBlocks makes the requests for blocks that are needed.
func (e *engine) fetchBlocks() {
	headers, hashes := e.blocks.unrequested()
	for len(hashes) > 0 {
		n := min(blocksPerRequest, len(hashes))
		e.blocks.add(e.blockRequest(headers[:n], hashes[:n]))
		headers, hashes = headers[n:], hashes[n:]
	}
}

// blockRequest asks for some blocks.
func (e *engine) blockRequest(headers []chain.Header, hashes []chainhash.Hash) *request {
	rules := e.rules
	fetch := func(ctx context.Context, p Source) (fetched, error) {
		var blocks []arrivedBlock
		err := p.Blocks(ctx, hashes, func(i int, b *wire.MsgBlock) error {
			if i < 0 || i >= len(hashes) {
				return fmt.Errorf("%w: block %d of %d", ErrProtocol, i, len(hashes))
			}
			if err := rules.CheckBlock(&headers[i], b); err != nil {
				return fmt.Errorf("%w: block %d: %w", errBadBlock, headers[i].Height(), err)
			}
			blocks = append(blocks, arrivedBlock{i, b})
			return nil
		})
		if err == nil && len(blocks) < len(hashes) {
			err = fmt.Errorf("%w: %d blocks of %d", ErrProtocol, len(blocks), len(hashes))
		}
		return fetched{blocks: blocks}, err
	}
	ended := func(e *engine, r *request, _ string, got fetched, err error) {
		if err != nil && (len(got.blocks) == 0 || isLocal(err)) {
			return
		}
		e.finish(r)
		missing := e.blocks.take(r, got.blocks)
		if len(missing) == 0 {
			return
		}
		var rest []chain.Header // some came before it failed
		var others []chainhash.Hash
		for _, i := range missing {
			rest, others = append(rest, headers[i]), append(others, hashes[i])
		}
		again := e.blockRequest(rest, others)
		again.Inherit(r.Request)
		e.blocks.add(again)
	}
	return newRequest(registry.Blocks, headers, hashes, fetch, ended)
}

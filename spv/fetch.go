package spv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/scan"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// fetchAhead is how many blocks Fetch asks for at a time: at most 3 MB.
const fetchAhead = blocksPerRequest

// Fetch returns blocks of the stored best chain, verified, in the order of ids. They are
// asked of the peers as those for wallets are: a block that is on its way is not asked
// for again, one that is late is asked of others, and who lies is banned. It needs a
// running Syncer, and waits as long as no peer has them. Others may get the same messages:
// they must not be changed.
//
// An error is the last value: ErrNotStored for a block that is not on the best chain,
// ErrReorganized if it has left that meanwhile, ErrNotRunning, or the one of ctx.
func (s *Syncer) Fetch(ctx context.Context, ids ...chain.BlockID) iter.Seq2[*wire.MsgBlock, error] {
	return func(yield func(*wire.MsgBlock, error) bool) {
		_, genesis := s.rules.Genesis()
		for some := range slices.Chunk(ids, fetchAhead) {
			others := slices.DeleteFunc(slices.Clone(some), func(id chain.BlockID) bool { return id == genesis })
			msgs, err := s.fetch(ctx, others)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, id := range some {
				msg := s.cfg.Params.GenesisBlock // everybody has it, and no peer serves it
				if id != genesis {
					msg, msgs = msgs[0], msgs[1:]
				}
				if !yield(msg, nil) {
					return
				}
			}
		}
	}
}

// fetch is Fetch for a few blocks.
func (s *Syncer) fetch(ctx context.Context, ids []chain.BlockID) ([]*wire.MsgBlock, error) {
	call := &fetchCall{ctx: ctx, done: make(chan error, 1)}
	for _, id := range ids {
		h, err := s.Header(ctx, id.Height)
		if err != nil {
			return nil, err
		}
		if h.Hash() != id.Hash {
			return nil, fmt.Errorf("%w: block %v", ErrNotStored, id.Hash)
		}
		call.headers, call.hashes = append(call.headers, h), append(call.hashes, id.Hash)
	}
	if err := s.do(ctx, func(e *engine) { e.beginFetch(call) }); err != nil {
		return nil, err
	}
	select {
	case err := <-call.done:
		return call.msgs, err
	case <-ctx.Done():
		// There may be no engine now: whoever comes next sees that the call is over.
		s.nudge()
		return nil, ctx.Err()
	case <-s.stopped:
		return nil, ErrNotRunning
	}
}

// fetchCall is a call of Fetch that waits for its blocks.
type fetchCall struct {
	ctx     context.Context
	headers []chain.Header
	hashes  []chainhash.Hash
	msgs    []*wire.MsgBlock
	done    chan error // has room for the one answer
}

// fetchCalls are those that wait.
type fetchCalls struct{ waiting []*fetchCall }

// begin needs the blocks of a call, and end does not any more.
func (f *fetchCalls) begin(call *fetchCall, blocks *blockStage) {
	f.waiting = append(f.waiting, call)
	for i, hash := range call.hashes {
		blocks.need(hash, &call.headers[i])
	}
}

func (f *fetchCalls) end(call *fetchCall, blocks *blockStage, err error) {
	f.waiting = slices.DeleteFunc(f.waiting, func(other *fetchCall) bool { return other == call })
	for _, hash := range call.hashes {
		blocks.drop(hash)
	}
	call.done <- err
}

// answer ends the calls whose blocks are all there, and those that nobody waits for.
func (f *fetchCalls) answer(blocks *blockStage) (canceled bool) {
	for _, call := range slices.Clone(f.waiting) {
		if err := call.ctx.Err(); err != nil {
			f.end(call, blocks, err)
			canceled = true
			continue
		}
		var msgs []*wire.MsgBlock
		for _, hash := range call.hashes {
			if msg := blocks.get(hash); msg != nil {
				msgs = append(msgs, msg)
			}
		}
		if len(msgs) == len(call.hashes) {
			call.msgs = msgs
			f.end(call, blocks, nil)
		}
	}
	return canceled
}

// reorganized ends the calls for blocks above a fork.
func (f *fetchCalls) reorganized(fork uint32, blocks *blockStage) {
	for _, call := range slices.Clone(f.waiting) {
		if slices.ContainsFunc(call.headers, func(h chain.Header) bool { return h.Height() > fork }) {
			f.end(call, blocks, ErrReorganized)
		}
	}
}

// beginFetch begins a call whose blocks are on the best chain still.
func (e *engine) beginFetch(call *fetchCall) {
	for i, hash := range call.hashes {
		id := chain.BlockID{Height: call.headers[i].Height(), Hash: hash}
		if !e.chain.Contains(id) && e.chain.Failed() == nil {
			call.done <- ErrReorganized
			return
		}
	}
	e.fetches.begin(call, &e.blocks)
}

// Scan returns the blocks of a range in which scripts of a query are, in ascending order:
// the stored filters are tested and the blocks that match fetched. One block in 785,000
// for each script matches by chance and does not have it. The filters have to be there:
// ErrNotStored, also for those that are not verified yet. Other errors are those of Read
// and Fetch; only a block that matches needs a running Syncer.
func (s *Syncer) Scan(ctx context.Context, r chain.Range, q *filters.Query) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		if err := s.scan(ctx, r, q, func(b Block) bool { return yield(b, nil) }); err != nil && !errors.Is(err, errEnough) {
			yield(Block{}, err)
		}
	}
}

// errEnough: the reader of a Scan wants no more.
var errEnough = errors.New("enough")

func (s *Syncer) scan(ctx context.Context, r chain.Range, q *filters.Query, yield func(Block) bool) error {
	end, err := s.idOf(ctx, r.To)
	if err != nil {
		return err
	}
	for r.From <= r.To {
		var res scan.Result
		err := s.read(ctx, func() error {
			below, err := s.unprovedFilters()
			if err == nil && r.From < below {
				err = fmt.Errorf("%w: filters below block %d", ErrNotStored, below)
			}
			if err == nil {
				res, err = scan.Run(ctx, scanSource{s.db}, []scan.Request{{Range: r, Query: q}})
			}
			return err
		})
		// Run reads piece by piece: with the same end all were of one branch.
		now, endErr := s.idOf(ctx, r.To)
		if errors.Is(endErr, ErrNotStored) || endErr == nil && now != end {
			return ErrReorganized
		}
		if err := cmp.Or(err, endErr); err != nil {
			return err
		}
		r.From = res.Through + 1
		var ids []chain.BlockID
		for _, m := range res.Matches {
			ids = append(ids, m.ID)
		}
		i := 0
		for msg, err := range s.Fetch(ctx, ids...) {
			if errors.Is(err, ErrNotStored) {
				err = ErrReorganized
			}
			if err != nil {
				return err
			}
			m := &res.Matches[i]
			if i++; !yield(Block{ID: m.ID, Time: m.Header.Time(), Msg: msg, Disapproved: m.Disapproved}) {
				return errEnough
			}
		}
	}
	return nil
}

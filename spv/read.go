package spv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Errors of reading.
var (
	// ErrNotStored: a block is not on the stored best chain, or above its tip.
	ErrNotStored error = chaindb.ErrNotFound

	// ErrReorganized: the best chain has changed below the end of what was being
	// read. What was read before belongs to the branch that was left.
	ErrReorganized = errors.New("the chain was reorganized meanwhile")

	// ErrUnverified: chain.db is from elsewhere. Run verifies all of it first, and so
	// does Check.
	ErrUnverified = errors.New("the chain file is not verified yet")
)

// Stored is a block of the stored best chain. It belongs to the reader.
type Stored struct {
	ID     chain.BlockID
	Header chain.Header
	Filter []byte // serialized, version 2; nil if it is not held, or not verified yet
}

// Tip returns the last block of the stored chain. Its filter may not be held yet.
func (s *Syncer) Tip() chain.BlockID {
	tip, _ := s.db.Tip()
	return tip
}

// Header returns the header of a stored block: ErrNotStored above the tip. This and
// the other methods that read work from New to Close, whether the Syncer runs or not.
// What is damaged is ErrCorrupt; a Syncer that runs fetches it again.
func (s *Syncer) Header(ctx context.Context, height uint32) (h chain.Header, err error) {
	err = s.read(ctx, func() error {
		h, err = s.db.Header(height)
		return err
	})
	return h, err
}

// MedianTime returns the median time of the 11 blocks that end at a height, which is
// what the next block is held against.
func (s *Syncer) MedianTime(ctx context.Context, height uint32) (t time.Time, err error) {
	err = s.read(ctx, func() error {
		from := height - min(height, chain.MedianTimeBlocks-1)
		headers, err := s.db.Headers(chain.Range{From: from, To: height})
		if err == nil {
			t = chain.MedianTime(headers)
		}
		return err
	})
	return t, err
}

// Lookup returns the height of a block of the stored best chain: ErrNotStored if it is
// not there. There is no index: from the tip down it costs 50 milliseconds for a million
// blocks.
func (s *Syncer) Lookup(ctx context.Context, hash chainhash.Hash) (height uint32, err error) {
	err = s.read(ctx, func() error {
		tip, _ := s.db.Tip()
		if height = tip.Height; tip.Hash == hash {
			return nil
		}
		for to := tip.Height; to > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			// Each header names the block before it.
			from := to - min(to, readPiece) + 1
			headers, err := s.db.Headers(chain.Range{From: from, To: to})
			if err != nil {
				return err
			}
			for i := range slices.Backward(headers) {
				if headers[i].PrevBlock() == hash {
					height = from + uint32(i) - 1
					return nil
				}
			}
			to = from - 1
		}
		return fmt.Errorf("%w: block %v", ErrNotStored, hash)
	})
	return height, err
}

// readPiece is how many blocks are read at a time. In between nothing of the file is
// held: a reader may take as long as it likes.
const readPiece = 1000

// Read returns the blocks of a range, in ascending order, all of one branch. An error
// is the last value: ErrNotStored if the range reaches above the tip, ErrReorganized,
// ErrCorrupt, or the one of ctx.
func (s *Syncer) Read(ctx context.Context, r chain.Range) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		end, err := s.idOf(ctx, r.To)
		last := chain.BlockID{}
		for from := r.From; err == nil && from <= r.To; {
			var piece []Stored
			to := min(r.To, from+readPiece-1)
			if piece, err = s.readPiece(ctx, chain.Range{From: from, To: to}); err != nil {
				break
			}
			if from > r.From && piece[0].Header.PrevBlock() != last.Hash || to == r.To && piece[len(piece)-1].ID != end {
				err = ErrReorganized
				break
			}
			for _, b := range piece {
				if !yield(b, nil) {
					return
				}
			}
			last = piece[len(piece)-1].ID
			from = to + 1
		}
		if err != nil {
			yield(Stored{}, err)
		}
	}
}

// idOf returns the stored block at a height.
func (s *Syncer) idOf(ctx context.Context, height uint32) (chain.BlockID, error) {
	h, err := s.Header(ctx, height)
	return chain.BlockID{Height: height, Hash: h.Hash()}, err
}

// readPiece reads a range in one look.
func (s *Syncer) readPiece(ctx context.Context, r chain.Range) (blocks []Stored, err error) {
	err = s.read(ctx, func() error {
		unproved, err := s.unprovedFilters()
		if err != nil {
			return err
		}
		blocks = make([]Stored, 0, r.To-r.From+1)
		return s.db.Read(r, func(height uint32, h *chain.Header, filter []byte) {
			if height < unproved {
				filter = nil
			}
			blocks = append(blocks, Stored{
				ID:     chain.BlockID{Height: height},
				Header: *h,
				Filter: slices.Clone(filter),
			})
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range blocks {
		if i+1 < len(blocks) {
			blocks[i].ID.Hash = blocks[i+1].Header.PrevBlock()
		} else {
			blocks[i].ID.Hash = blocks[i].Header.Hash()
		}
	}
	return blocks, nil
}

// unprovedFilters returns the height below which filters are not verified yet: no header
// commits to those from before DCP0005, and only the whole set has a known hash.
func (s *Syncer) unprovedFilters() (below uint32, err error) {
	_, last, _, exists := s.rules.FilterSetHash()
	if !exists {
		return 0, nil
	}
	proved, err := s.db.Blob(legacyBlob)
	if err != nil || proved != nil {
		return 0, err
	}
	return last + 1, nil
}

// read runs fn, which reads chain.db. What it finds damaged, the engine drops and
// fetches again.
func (s *Syncer) read(ctx context.Context, fn func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.db.Trusted() {
		return ErrUnverified
	}
	began := s.engines.Load()
	err := fn()
	if mends(err) && s.started.Load() {
		_ = s.do(ctx, func(e *engine) {
			if s.engines.Load() == began { // else it is mended, or the next one finds it
				e.fail(err)
			}
		})
	}
	return err
}

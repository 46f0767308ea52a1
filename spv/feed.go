package spv

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Change is one step of the stored best chain. Its blocks can be read: headers and,
// from the birthday on, filters are on disk.
type Change struct {
	// Fork is the last block that stays, of those that the reader has.
	Fork chain.BlockID

	// Undone are the blocks above Fork that the reader has and that have left the
	// best chain, newest first. It is as complete as what Follow knows: the locator
	// that it was given, and the last blocks that it has returned since.
	Undone []chain.BlockID

	// Connected are the blocks above Fork, up to Tip: the whole new branch.
	Connected chain.Range
	Tip       chain.BlockID
}

// maxUndone is how many of the blocks that it has returned Follow remembers. Deeper
// reorgs undo all of them, and the blocks of the locator that are gone.
const maxUndone = 1000

// feed tells followers how far the stored chain is.
type feed struct {
	mu      sync.Mutex // held for moments only
	state   feedState
	changed chan struct{} // closed and replaced when the state changes
}

// feedState is the last block that can be read with all before it, and whether no
// other is expected.
type feedState struct {
	tip    chain.BlockID
	synced bool
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

// set replaces the state.
func (f *feed) set(state feedState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state != f.state {
		f.state = state
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

// get returns the state, and what is closed when it is another one.
func (f *feed) get() (state feedState, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.changed
}

// Follow returns the changes of the stored best chain for a reader that has the blocks
// of locator, newest first and as sparse as it likes. Everybody has genesis. Each change
// comes after the one before it, and several may come as one. There may be any number of
// readers; a slow one delays nobody, and gets fewer and larger changes.
//
// A chain that ends below what the reader has is no change until the Syncer is in sync,
// and neither are filters that are missing below it, as after a birthday moved down.
// The last value is an error: the one of ctx, ErrNotRunning when Run ends, or ErrCorrupt.
// Before Run nothing comes.
func (s *Syncer) Follow(ctx context.Context, locator []chain.BlockID) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		reader := follower{s: s, has: slices.Clone(locator)}
		for {
			state, changed := s.feed.get()
			c, err := reader.next(ctx, state)
			switch {
			case err != nil && !errors.Is(err, ErrNotStored) && !errors.Is(err, ErrReorganized):
				yield(Change{}, err)
				return
			case err == nil && c.Tip != chain.BlockID{}:
				if !yield(c, nil) {
					return
				}
				continue
			}
			select {
			case <-changed: // also if the chain changed while it was looked at
			case <-ctx.Done():
				yield(Change{}, ctx.Err())
				return
			case <-s.stopped:
				yield(Change{}, ErrNotRunning)
				return
			}
		}
	}
}

// follower is one reader of a feed.
type follower struct {
	s   *Syncer
	has []chain.BlockID // blocks that the reader has, newest first
}

// next returns the change from what the reader has to a state; the zero Change if
// there is none.
func (f *follower) next(ctx context.Context, to feedState) (c Change, err error) {
	if to.tip == (chain.BlockID{}) || len(f.has) > 0 && f.has[0] == to.tip {
		return c, nil
	}
	kept, err := f.fork(ctx)
	if err != nil {
		return c, err
	}
	_, genesis := f.s.rules.Genesis()
	c = Change{Fork: genesis, Undone: f.has[:kept], Tip: to.tip}
	if kept < len(f.has) {
		c.Fork = f.has[kept]
	}
	ends := c.Fork == to.tip || len(c.Undone) > 0 && c.Undone[0].Height >= to.tip.Height
	ahead := c.Fork.Height > to.tip.Height // filters are missing below what the reader has
	if ahead || ends && !to.synced || c.Fork == to.tip && len(c.Undone) == 0 {
		return Change{}, nil
	}
	c.Connected = chain.Range{From: c.Fork.Height + 1, To: to.tip.Height}
	ids, err := f.newest(ctx, c)
	if err != nil {
		return Change{}, err
	}
	c.Undone = slices.Clone(c.Undone)
	f.has = append(ids, f.has[kept:]...)
	f.has = f.has[:min(len(f.has), maxUndone)]
	return c, nil
}

// fork returns the first of the blocks that the reader has that is on the stored chain,
// by its place; their number if none is.
func (f *follower) fork(ctx context.Context) (int, error) {
	for i, id := range f.has {
		switch stored, err := f.s.idOf(ctx, id.Height); {
		case errors.Is(err, ErrNotStored):
		case err != nil:
			return 0, err
		case stored == id:
			return i, nil
		}
	}
	return len(f.has), nil
}

// newest returns the last blocks of what is connected, newest first.
func (f *follower) newest(ctx context.Context, c Change) (ids []chain.BlockID, err error) {
	if c.Connected.From > c.Connected.To {
		return nil, nil
	}
	r := c.Connected
	r.From = max(r.From, r.To-min(r.To, maxUndone-1))
	blocks, err := f.s.readPiece(ctx, r)
	if err != nil {
		return nil, err
	}
	first, last := &blocks[0], &blocks[len(blocks)-1]
	if last.ID != c.Tip || r.From == c.Fork.Height+1 && first.Header.PrevBlock() != c.Fork.Hash {
		return nil, ErrReorganized
	}
	for _, b := range slices.Backward(blocks) {
		ids = append(ids, b.ID)
	}
	return ids, nil
}

// readable is the last block of the best chain that is on disk, with all headers and,
// from the birthday on, all filters before it.
func (e *engine) readable() chain.BlockID {
	tip := e.disk.tip
	height := tip.Height
	if from, ok := e.filtersFrom(); !ok || from <= tip.Height {
		through, held := e.filters.through()
		if !held || !e.filtersTrusted() {
			through = max(from, 1) - 1
		}
		height = min(height, through)
	}
	return e.readTip.at(height, e.branch, e.chain)
}

// readTip remembers the block at a height: there are many steps in which none is added.
type readTip struct {
	block  chain.BlockID
	branch branch
}

func (r *readTip) at(height uint32, branch branch, c *chain.Chain) chain.BlockID {
	if height != r.block.Height || branch != r.branch || r.block.Hash == (chainhash.Hash{}) {
		block, _ := c.Block(height)
		*r = readTip{block, branch}
	}
	return r.block
}

package spv_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// reader is a program that follows the chain: it has the blocks that the changes
// connected.
type reader struct {
	t       *testing.T
	blocks  []chain.BlockID // from genesis on
	changes []spv.Change
	pause   time.Duration // after each change
	err     error
}

// locator is where the reader is.
func (r *reader) locator() []chain.BlockID {
	if len(r.blocks) == 1 {
		return nil
	}
	return []chain.BlockID{r.blocks[len(r.blocks)-1], r.blocks[len(r.blocks)/2]}
}

// apply checks that a change fits what the reader has.
func (r *reader) apply(s *spv.Syncer, c spv.Change) {
	r.changes = append(r.changes, c)
	keep := int(c.Fork.Height) + 1
	if keep > len(r.blocks) || r.blocks[c.Fork.Height] != c.Fork {
		r.t.Errorf("%+v does not fit %d blocks", c, len(r.blocks))
		return
	}
	gone := slices.Clone(r.blocks[keep:])
	slices.Reverse(gone)
	for i, id := range c.Undone {
		if !slices.Contains(gone, id) || i == 0 && id != gone[0] {
			r.t.Errorf("undone: %v, the reader has %v", c.Undone, gone)
		}
	}
	if len(c.Undone) == 0 && len(gone) > 0 {
		r.t.Errorf("%d blocks are gone and none is undone", len(gone))
	}
	r.blocks = r.blocks[:keep]
	if c.Connected.From > c.Connected.To {
		return
	}
	for b, err := range s.Read(r.t.Context(), c.Connected) {
		if errors.Is(err, spv.ErrReorganized) || errors.Is(err, spv.ErrNotStored) {
			return // the next change tells
		}
		if err != nil {
			r.t.Error(err)
			return
		}
		if prev := b.Header.PrevBlock(); prev != r.blocks[len(r.blocks)-1].Hash {
			r.t.Errorf("block %v does not follow the one before it", b.ID)
		}
		r.blocks = append(r.blocks, b.ID)
	}
}

// follow starts a reader, which ends with ctx.
func (w *world) follow(ctx context.Context, r *reader) {
	_, genesis := w.chain.Rules().Genesis()
	if r.t = w.t; r.blocks == nil {
		r.blocks = []chain.BlockID{genesis}
	}
	s := w.syncer
	go func() {
		for c, err := range s.Follow(ctx, r.locator()) {
			if err != nil {
				r.err = err
				return
			}
			r.apply(s, c)
			time.Sleep(r.pause)
		}
	}()
}

// wantAt checks that a reader has a chain.
func (r *reader) wantAt(c *spvtest.Chain) {
	r.t.Helper()
	if n := len(r.blocks); n != int(c.Height())+1 || r.blocks[n-1] != c.Tip() {
		r.t.Errorf("the reader is at %v after %d changes, want %v", r.blocks[n-1], len(r.changes), c.Tip())
	}
}

// Readers follow the chain from where they are, over reorgs of any depth and restarts,
// each at its own pace.
//
// Rules 18 and 27.
func TestFollow(t *testing.T) {
	story(t, 3000, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		ctx, leave := context.WithCancel(w.t.Context())
		readers := []*reader{{}, {pause: time.Minute}, {pause: time.Hour}}
		w.start()
		for _, r := range readers {
			w.follow(ctx, r)
		}
		w.wait(spv.Settled)
		c := w.chain
		for depth := range uint32(30) {
			c = c.Fork(c.Height() - depth)
			c.Mine(int(depth) + 1)
			p.SetChain(c)
			w.syncTo(c)
			w.pass(time.Duration(depth) * time.Second)
		}
		readers[0].wantAt(c)
		w.pass(3 * time.Hour)
		for _, r := range readers {
			r.wantAt(c)
		}
		if a, b := len(readers[0].changes), len(readers[1].changes); a <= b || a < 30 {
			w.t.Errorf("the fast reader got %d changes, the slow one %d", a, b)
		}

		leave()
		synctest.Wait()
		w.stop()
		c = c.Fork(2000) // while nobody looks
		c.Mine(int(2000))
		p.SetChain(c)
		w.start()
		for _, r := range readers {
			r.changes = nil
			w.follow(w.t.Context(), r)
		}
		w.syncTo(c)
		w.pass(2 * time.Hour)
		for _, r := range readers {
			r.wantAt(c)
		}
		w.stop()
		synctest.Wait()
		for _, r := range readers {
			if !errors.Is(r.err, spv.ErrNotRunning) {
				w.t.Errorf("a reader ended with %v", r.err)
			}
		}
	})
}

// A stored chain that is not as far as the reader undoes nothing: neither while its headers
// are on their way (3000) nor while its filters are (9000).
// Rules 9 and 27.
func TestFollowAheadOfTheSyncer(t *testing.T) {
	for _, height := range []int{3000, 9000} {
		story(t, height, func(w *world) {
			w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
			w.wallet.watch(0, watched)
			r := &reader{}
			for h := range w.chain.Height() - 99 {
				r.blocks = append(r.blocks, w.chain.ID(h))
			}
			w.start()
			w.follow(w.t.Context(), r)
			w.wait(spv.Settled)
			w.pass(time.Second)
			r.wantAt(w.chain)
			if len(r.changes) != 1 || len(r.changes[0].Undone) != 0 || r.changes[0].Connected.From != w.chain.Height()-99 {
				w.t.Errorf("%d blocks: %+v", height, r.changes)
			}
		})
	}
}

// While filters are fetched for a lower birthday, nothing changes for a reader above them.
// Rules 9 and 27.
func TestFollowWhileTheBirthdayMovesDown(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.wallet.watch(2000, watched)
		w.start()
		w.wait(spv.Settled)
		r := &reader{}
		w.follow(w.t.Context(), r)
		w.pass(time.Second)
		r.wantAt(w.chain)
		n := len(r.changes)
		w.wallet.watch(0, watched)
		w.wait(spv.Settled)
		w.pass(time.Second)
		r.wantAt(w.chain)
		if len(r.changes) != n {
			w.t.Errorf("%+v", r.changes[n:])
		}
	})
}

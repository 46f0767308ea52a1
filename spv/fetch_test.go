package spv_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// fetch gets blocks of a chain by their heights.
func (w *world) fetch(ctx context.Context, ids ...chain.BlockID) (got []chain.BlockID, err error) {
	for msg, err := range w.syncer.Fetch(ctx, ids...) {
		if err != nil {
			return got, err
		}
		got = append(got, chain.BlockID{Height: msg.Header.Height, Hash: msg.BlockHash()})
	}
	return got, nil
}

// Verified blocks can be fetched: whoever lies about them is banned, whoever is late is
// passed over, and one that several want at a time is fetched once.
// Rules 1, 11 and 27.
func TestFetch(t *testing.T) {
	c := paid(300)
	storyOn(t, c, func(w *world) {
		ctx := w.t.Context()
		w.join(spvtest.Behaviour{BadBlocks: spvtest.BlocksChangedTx})
		w.join(silent(wire.CmdGetData))
		w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond})
		w.start()
		w.wait(spv.Settled)
		var ids []chain.BlockID
		for h := uint32(0); h <= 300; h += 7 {
			ids = append(ids, c.ID(h))
		}
		done := make(chan error, 3)
		for range cap(done) {
			go func() {
				got, err := w.fetch(ctx, ids...)
				for i := range got {
					if got[i] != ids[i] {
						err = errors.Join(err, errors.New("wrong block"))
					}
				}
				if err == nil && len(got) != len(ids) {
					err = errors.New("blocks are missing")
				}
				done <- err
			}()
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := w.peers[2].Count(wire.CmdGetData); n > 2*len(ids) {
			t.Errorf("%d requests for %d blocks", n, len(ids))
		}
		if reason := w.cutReason(0); reason == "" {
			t.Error("who lies about blocks is not cut off")
		}
		if _, err := w.fetch(ctx, chain.BlockID{Height: 5, Hash: c.Hash(6)}); !errors.Is(err, spv.ErrNotStored) {
			t.Errorf("no block of the chain: %v", err)
		}
		if _, err := w.fetch(ctx, chain.BlockID{Height: 301}); !errors.Is(err, spv.ErrNotStored) {
			t.Errorf("above the tip: %v", err)
		}
	})
}

// A fetch that waits for blocks ends with its context, with Run, and when the blocks
// leave the best chain.
// Rule 9.
func TestFetchEnds(t *testing.T) {
	c := paid(300)
	storyOn(t, c, func(w *world) {
		p := w.join(silent(wire.CmdGetData))
		w.start()
		w.wait(spv.Settled)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		if _, err := w.fetch(ctx, c.ID(300)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with its context: %v", err)
		}
		if n := w.syncer.Fetching(); n != 0 {
			t.Errorf("%d calls wait still", n)
		}
		got := make(chan error, 2)
		go func() { _, err := w.fetch(w.t.Context(), c.ID(299), c.ID(300)); got <- err }()
		w.pass(time.Second)
		other := c.Fork(298)
		other.Mine(5)
		p.SetChain(other)
		w.syncTo(other)
		if err := <-got; !errors.Is(err, spv.ErrReorganized) {
			t.Errorf("after a reorg: %v", err)
		}
		go func() { _, err := w.fetch(w.t.Context(), other.ID(299)); got <- err }()
		w.pass(time.Second)
		w.stop()
		if err := <-got; !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("at the end of Run: %v", err)
		}
		synctest.Wait()
	})
}

// A scan of a range finds what a wallet would find there, with nothing to attach.
// Rules 26 and 27.
func TestScanOfARange(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		scan := func(r chain.Range, script []byte) (found []uint32, err error) {
			for b, err := range w.syncer.Scan(w.t.Context(), r, filters.NewQuery([][]byte{script})) {
				if err != nil {
					return found, err
				}
				if b.Msg.BlockHash() != b.ID.Hash || b.ID != c.ID(b.ID.Height) {
					t.Errorf("wrong block %v", b.ID)
				}
				found = append(found, b.ID.Height)
			}
			return found, nil
		}
		for _, q := range []struct {
			r    chain.Range
			want int
		}{{chain.Range{From: 0, To: 3000}, 2}, {chain.Range{From: 1501, To: 2999}, 0}, {chain.Range{From: 1500, To: 1500}, 1}} {
			if got, err := scan(q.r, watched); err != nil || len(got) != q.want {
				t.Errorf("%v: %v, %v", q.r, got, err)
			}
		}
		if _, err := scan(chain.Range{From: 2990, To: 3001}, watched); !errors.Is(err, spv.ErrNotStored) {
			t.Errorf("above the tip: %v", err)
		}
		if p.Count(wire.CmdGetData) > 4 {
			t.Errorf("%d requests for blocks", p.Count(wire.CmdGetData))
		}
	})
}

// hookedContext calls a hook when its Done is called for the nth time.
type hookedContext struct {
	context.Context
	left int
	hook func()
}

func (h *hookedContext) Done() <-chan struct{} {
	if h.left--; h.left == 0 {
		h.hook()
	}
	return h.Context.Done()
}

// A scan of a range sees one branch, or is told, also if the chain is reorganized within one
// look at the filters.
// Rule 26.
func TestScanDuringAReorg(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(5000)
	other := c.Fork(100)
	other.Mine(50)
	id := other.MineBlock(other.Pay(watched, 1e8))
	other.Mine(5000)
	for nth := 1; ; nth++ {
		over := false
		storyOn(t, c, func(w *world) {
			p := w.join(spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			ctx := &hookedContext{Context: w.t.Context(), left: nth, hook: func() { p.SetChain(other); w.syncTo(other) }}
			var found []chain.BlockID
			for b, err := range w.syncer.Scan(ctx, chain.Range{From: 0, To: 5000}, filters.NewQuery([][]byte{watched})) {
				if errors.Is(err, spv.ErrReorganized) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, b.ID)
			}
			over = ctx.left > 0
			if !over && !slices.Equal(found, []chain.BlockID{id}) && w.syncer.Tip() == other.Tip() {
				t.Errorf("reorganized at %d: found %v", nth, found)
			}
		})
		if over {
			return
		}
	}
}

// A block that leaves the best chain just before it would be asked for is not waited for.
// Rule 9.
func TestFetchOfWhatHasJustLeft(t *testing.T) {
	c := paid(300)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		other := c.Fork(290)
		other.Mine(20)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Hour)
		defer cancel()
		hooked := &hookedContext{Context: ctx, left: 1, hook: func() { p.SetChain(other); w.syncTo(other) }}
		if _, err := w.fetch(hooked, c.ID(300)); !errors.Is(err, spv.ErrReorganized) {
			t.Errorf("it ended with %v", err)
		}
	})
}

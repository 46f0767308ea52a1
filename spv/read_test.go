package spv_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// wantReadable checks that all of a chain can be read from a Syncer.
func wantReadable(t *testing.T, s *spv.Syncer, c *spvtest.Chain, r chain.Range) {
	t.Helper()
	next := r.From
	for b, err := range s.Read(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		if b.ID != c.ID(next) || b.Header != c.Header(next) || !slices.Equal(b.Filter, c.Filter(next)) {
			t.Fatalf("block %d is %v, want %v", next, b.ID, c.ID(next))
		}
		next++
	}
	if next != r.To+1 {
		t.Fatalf("read up to %d of %v", next, r)
	}
}

// What was verified can be read, running or not.
//
// Rule 27.
func TestRead(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.sync()
		wantAllReadable(w, w.syncer, c)
		w.stop()
		s, err := spv.New(spv.Config{Params: c.Params(), Rules: c.Rules(), DataDir: w.dir})
		if err != nil {
			w.t.Fatal(err)
		}
		defer s.Close()
		wantAllReadable(w, s, c)
	})
}

// wantAllReadable checks what there is to read of a chain of 3000 blocks.
func wantAllReadable(w *world, s *spv.Syncer, c *spvtest.Chain) {
	w.t.Helper()
	ctx := w.t.Context()
	for _, r := range []chain.Range{{From: 0, To: 3000}, {From: 7, To: 7}, {From: 249, To: 1250}, {From: 2999, To: 3000}} {
		wantReadable(w.t, s, c, r)
	}
	if tip := s.Tip(); tip != c.Tip() {
		w.t.Errorf("tip %v, want %v", tip, c.Tip())
	}
	for _, height := range []uint32{0, 1, 999, 1000, 2000, 2999, 3000} {
		if got, err := s.Lookup(ctx, c.Hash(height)); err != nil || got != height {
			w.t.Errorf("block %d is found at %d, %v", height, got, err)
		}
		if h, err := s.Header(ctx, height); err != nil || h != c.Header(height) {
			w.t.Errorf("header %d: %v", height, err)
		}
		var times []uint32
		for h := height - min(height, 10); h <= height; h++ {
			header := c.Header(h)
			times = append(times, header.Timestamp())
		}
		slices.Sort(times)
		if got, err := s.MedianTime(ctx, height); err != nil || got.Unix() != int64(times[len(times)/2]) {
			w.t.Errorf("median time at %d: %v, %v, want %d", height, got, err, times[len(times)/2])
		}
	}
	if _, err := s.Header(ctx, 3001); !errors.Is(err, spv.ErrNotStored) {
		w.t.Errorf("header above the tip: %v", err)
	}
	if _, err := s.Lookup(ctx, chainhash.Hash{1}); !errors.Is(err, spv.ErrNotStored) {
		w.t.Errorf("no block of ours: %v", err)
	}
	for _, err := range s.Read(ctx, chain.Range{From: 2990, To: 3001}) {
		if !errors.Is(err, spv.ErrNotStored) {
			w.t.Errorf("read above the tip: %v", err)
		}
	}
}

// Below the birthday there are headers and no filters.
// Rule 27.
func TestReadBelowTheBirthday(t *testing.T) {
	c := paid(500)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(300, watched)
		w.start()
		w.sync()
		for b, err := range w.syncer.Read(w.t.Context(), chain.Range{From: 290, To: 310}) {
			if err != nil || b.ID != c.ID(b.ID.Height) || (b.Filter != nil) != (b.ID.Height >= 300) {
				w.t.Errorf("%v: %d bytes of filter, %v", b.ID, len(b.Filter), err)
			}
		}
	})
}

// A reader that is slow sees one branch, or is told.
// Rule 27.
func TestReadDuringAReorg(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.sync()
		other := c.Fork(2990)
		other.Mine(20)
		read := func(r chain.Range) (last chain.BlockID, err error) {
			for b, err := range w.syncer.Read(w.t.Context(), r) {
				if err != nil {
					return last, err
				}
				if prev := b.Header.PrevBlock(); last.Height > 0 && prev != last.Hash {
					w.t.Fatalf("block %v does not follow the one before it", b.ID)
				}
				if last = b.ID; last.Height == r.From { // between the first piece and the second
					p.SetChain(other)
					w.syncTo(other)
				}
			}
			return last, nil
		}
		if last, err := read(chain.Range{From: 500, To: 2989}); err != nil || last != c.ID(2989) {
			w.t.Errorf("below the fork: %v, %v", last, err)
		}
		longer := other.Fork(2980)
		longer.Mine(60)
		other = longer
		if _, err := read(chain.Range{From: 500, To: 3010}); !errors.Is(err, spv.ErrReorganized) {
			w.t.Errorf("across the fork: %v", err)
		}
		longer = other.Fork(700) // inside of what is read first
		longer.Mine(2400)
		other = longer
		if last, err := read(chain.Range{From: 500, To: 3030}); !errors.Is(err, spv.ErrReorganized) || last.Height >= 1500 {
			w.t.Errorf("above the fork: %v, %v", last, err)
		}
	})
}

// What nobody has verified yet is not handed out.
// Rule 25.
func TestReadOfAFileFromElsewhere(t *testing.T) {
	c := paid(600)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.sync()
		w.stop()
		if err := os.Remove(strings.TrimSuffix(w.chainFile(), ".db") + ".seal"); err != nil {
			w.t.Fatal(err)
		}
		s, err := spv.New(spv.Config{Params: c.Params(), Rules: c.Rules(), DataDir: w.dir})
		if err != nil {
			w.t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Header(w.t.Context(), 5); !errors.Is(err, spv.ErrUnverified) {
			w.t.Errorf("header: %v", err)
		}
		if err := s.Check(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		wantReadable(w.t, s, c, chain.Range{From: 0, To: 600})
	})
}

// Filters that no header commits to are not handed out before their set is proved.
//
// Rule 11.
func TestReadOfUnprovedFilters(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(1000))
		w.startSet()
		w.pass(10 * time.Minute)
		ctx := w.t.Context()
		for b, err := range w.syncer.Read(ctx, chain.Range{From: 0, To: w.syncer.Tip().Height}) {
			if err != nil || b.ID.Height < activation && b.Filter != nil {
				w.t.Fatalf("%v: %d bytes of filter, %v", b.ID, len(b.Filter), err)
			}
		}
		w.join(spvtest.Behaviour{})
		w.stop()
		w.startSet()
		w.wait(spv.Settled)
		wantReadable(w.t, w.syncer, w.chain, chain.Range{From: 0, To: w.chain.Height()})
	})
}

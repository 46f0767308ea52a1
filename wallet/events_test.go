package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"testing/synctest"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// Rule 18.
func TestEventsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newWorld(t), open(t)
		watchN(t, w, 0, 1)
		ctx, cancel := context.WithCancel(context.Background())
		seen := make(chan Event, 100)
		ended := make(chan error, 2)
		follow := func(ctx context.Context, cursor uint64) {
			for ev, err := range w.Events(ctx, cursor) {
				if err != nil {
					ended <- err
					return
				}
				seen <- ev
			}
		}
		go follow(ctx, 0)
		synctest.Wait()
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
		synctest.Wait()
		if len(seen) != 2 {
			t.Fatalf("%d events", len(seen))
		}
		if a, b := <-seen, <-seen; a.Seq != 1 || a.Kind != EventMined || b.Seq != 1 || b.Kind != EventTip {
			t.Fatalf("%+v, %+v", a, b)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}

		// From a cursor, until the wallet is closed.
		go follow(context.Background(), 1)
		synctest.Wait()
		if ev := <-seen; ev.Seq != 1 || ev.Kind != EventTip || len(seen) != 0 {
			t.Fatalf("%+v", ev)
		}
		w.Close()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	})
}

// Rule 18.
func TestEventCursors(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.log.keep = 10
	watchN(t, w, 0, 1)
	for range 25 {
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
	}
	last, err := w.LastEvent(context.Background())
	if err != nil || last != 25 {
		t.Fatal(last, err)
	}
	for cursor, want := range map[uint64]error{0: ErrCursorTooOld, 14: ErrCursorTooOld, 15: nil, 24: nil, 26: ErrCursor} {
		for ev, err := range w.Events(context.Background(), cursor) {
			if !errors.Is(err, want) || err == nil && ev.Seq != cursor+1 {
				t.Errorf("cursor %d: %+v, %v", cursor, ev, err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range w.Events(ctx, 25) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestNoDoubleEvents: applying, rescanning and rewatching tell nothing twice.
// Rules 17 and 18.
func TestNoDoubleEvents(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	a := c.pay(out(scriptN(1), 100))
	c.mine(a)
	c.mineVoted(true, c.pay(out(scriptN(2), 5)))
	c.mineVoted(false, c.pay(out(scriptN(2), 6)))
	scan, _, _ := w.NextScan(context.Background(), c.height())
	batch := c.batch(scan, scan.Range.To)
	for range 3 {
		if err := w.Apply(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	last, _ := w.LastEvent(context.Background())
	if err := w.Rescan(context.Background(), 0, 1<<32-1); err != nil {
		t.Fatal(err)
	}
	c.sync(w)
	watchN(t, w, 0, 1)
	c.sync(w)
	if again, _ := w.LastEvent(context.Background()); again != last {
		t.Fatalf("%d more events: %v", again-last, kinds(logged(t, w)[last:]))
	}
}

// TestKeepEvents: how many are kept is the owner's choice, and stays it.
// Rule 18.
func TestKeepEvents(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for range 20 {
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
	}
	if err := w.KeepEvents(context.Background(), 5); err != nil {
		t.Fatal(err)
	}
	count := func(want int, from uint64) {
		t.Helper()
		verify(t, w)
		r, _ := w.Verify(context.Background())
		events, err := w.readEvents(context.Background(), from-1)
		if r.Events != want || err != nil || len(events) != want {
			t.Fatalf("%d events, %v", r.Events, err)
		}
	}
	count(5, 16)
	path := w.path
	w.Close()
	w = openAt(t, path)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	count(5, 17)
	if err := w.KeepEvents(context.Background(), 7); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
	}
	count(7, 19)
	if err := w.KeepEvents(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	count(1, 25)
}

// TestLogIsBoundedInBytes: long events push out more of the old ones, and however long
// the newest is, it stays.
// Rule 20.
func TestLogIsBoundedInBytes(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	if err := w.KeepEvents(background(), 20); err != nil {
		t.Fatal(err)
	}
	first := func() uint64 {
		t.Helper()
		seq, err := w.FirstEvent(background())
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	if got := first(); got != 0 {
		t.Errorf("first event %d", got)
	}
	for range 12 {
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
	}
	if got := first(); got != 1 {
		t.Errorf("first event %d", got)
	}
	long := func(n int) {
		outs := make([]*wire.TxOut, n)
		for i := range outs {
			outs[i] = out(scriptN(1), 1)
		}
		addUnmined(t, w, c.pay(outs...))
		if w.log.bytes > 20*keepBytes && first() < 13 {
			t.Errorf("%d bytes are kept", w.log.bytes)
		}
	}
	long(200) // most of it
	if got := first(); got < 2 || got > 12 {
		t.Errorf("first event %d", got)
	}
	long(1000)
	if got := first(); got != 14 {
		t.Errorf("first event %d", got)
	}
	w = openAt(t, reclose(t, w))
	for range 3 {
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
	}
	if got := first(); got != 15 {
		t.Errorf("first event %d", got)
	}
}

// TestEventsAreReadByBytes: a reader holds no more than about a mebibyte at a time.
// Rule 20.
func TestEventsAreReadByBytes(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	outs := make([]*wire.TxOut, 3000)
	for i := range outs {
		outs[i] = out(scriptN(1), 1)
	}
	for range 10 {
		if _, err := w.AddUnmined(background(), c.pay(outs...)); err != nil {
			t.Fatal(err)
		}
	}
	for cursor := uint64(0); cursor < 10; {
		events, err := w.readEvents(background(), cursor)
		if err != nil || len(events) == 0 || len(events) > 5 {
			t.Fatal(len(events), err)
		}
		cursor += uint64(len(events))
	}
}

// TestEventBytes: no event about what waits is longer than was reckoned.
func TestEventBytes(t *testing.T) {
	for _, n := range []int{1, 2, 100} {
		ev := Event{Kind: EventUnmined, Tx: hash{1}, Tree: 1, Net: -21e14, Own: true}
		for i := range n {
			ev.Credits = append(ev.Credits, Credit{Index: math.MaxUint32 - uint32(i), Kind: Treasury, Amount: 21e14, Script: make([]byte, n)})
			ev.Debits = append(ev.Debits, Debit{TxID: hash{1}, Index: math.MaxUint32, Amount: 21e14})
		}
		value, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		if most := eventBytes(ev.Credits, len(ev.Debits)); len(value) > most || len(value) < most/2 {
			t.Errorf("%d parts: %d bytes, reckoned %d", n, len(value), most)
		}
	}
}

// The tip is told at the end of the log alone: events that a reader has not read come first.
//
// Rule 18.
func TestTipComesLast(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	for cursor, want := range []int{0, 1} {
		told, err := w.tipEvent(background(), uint64(cursor), chain.BlockID{})
		if err != nil || len(told) != want {
			t.Errorf("behind event %d: %+v, %v", cursor, told, err)
		}
	}
}

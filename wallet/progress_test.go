package wallet

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"dcrspv/spv/chain"
)

// committed is how often the file was written.
func (w *Wallet) committed() uint64 { return w.db.Committed() }

// tipTold is the tip that a new reader of the log is told.
func tipTold(t *testing.T, w *Wallet) uint32 {
	t.Helper()
	last, err := w.LastEvent(background())
	if err != nil {
		t.Fatal(err)
	}
	for ev, err := range w.Events(background(), last) {
		if err != nil || ev.Kind != EventTip || ev.Seq != last {
			t.Fatalf("%+v, %v", ev, err)
		}
		return ev.Block.Height
	}
	panic("unreachable")
}

// A block that holds nothing of a wallet costs it no write, and is seen all the same: by
// readers of the log, and in what has matured. A day of them does.
//
// Rules 17 and 18.
func TestEmptyBlocksCostNoWrite(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.coinbase(scriptN(1), 100))
	c.sync(w)
	wantBalance(t, w, 0, 100, 0, 0)
	before, maturity := w.committed(), uint32(params.CoinbaseMaturity)
	for c.height() < saveEvery-1 {
		c.mine()
		c.sync(w)
		if got := tipTold(t, w); got != c.height() {
			t.Fatalf("tip %d, want %d", got, c.height())
		}
		if b := balance(t, w); b.Spendable > 0 != (c.height() >= maturity) {
			t.Fatalf("at block %d: %+v", c.height(), b)
		}
		if _, through, ok := w.Scanned(c.height()); !ok || through != c.height() {
			t.Fatalf("tested through %d", through)
		}
	}
	verify(t, w)
	if after := w.committed(); after != before {
		t.Errorf("%d writes", after-before)
	}
	for range saveEvery {
		c.mine()
		c.sync(w)
	}
	if after := w.committed(); after != before+1 {
		t.Errorf("%d writes", after-before)
	}
}

// Whatever is written takes the progress along, and so does Close.
//
// Rule 17.
func TestProgressIsWrittenAlong(t *testing.T) {
	for what, write := range map[string]func(c *world, w *Wallet) error{
		"a payment": func(c *world, w *Wallet) error {
			c.mine(c.pay(out(scriptN(1), 1)))
			c.sync(w)
			return nil
		},
		"a transaction of the owner": func(c *world, w *Wallet) error {
			_, err := w.AddUnmined(background(), c.pay(out(scriptN(1), 1)))
			return err
		},
		"a label": func(_ *world, w *Wallet) error { return w.SetLabel(background(), addr(1).String(), "rent") },
		"a watch": func(_ *world, w *Wallet) error {
			return w.Watch(background(), Watch{Scripts: [][]byte{scriptN(9)}, From: 100})
		},
		"Close": func(_ *world, w *Wallet) error { return w.Close() },
	} {
		c, w := newWorld(t), open(t)
		c.price = 29
		watchN(t, w, 0, 1)
		for range 5 {
			c.mine()
			c.sync(w)
		}
		if k := killed(t, w); len(locator(t, k)) > 0 {
			t.Fatal("it was written before")
		}
		if err := write(c, w); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		k := killed(t, w)
		if ids := locator(t, k); len(ids) == 0 || ids[0] != c.id(c.height()) {
			t.Errorf("%s: %v", what, ids)
		}
		if n := k.Unscanned(c.height()); n != 0 {
			t.Errorf("%s: %d blocks are to be tested", what, n)
		}
		if k.price != w.price || k.price == 0 {
			t.Errorf("%s: ticket price %v, and was %v", what, k.price, w.price)
		}
	}
}

// What was in memory only is tested again after a kill, and nothing is missing or told
// twice.
//
// Rule 17.
func TestProgressLostIsTestedAgain(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 7)))
	c.sync(w)
	for range 9 {
		c.mine()
		c.sync(w)
	}
	k := killed(t, w)
	if got := tipTold(t, k); got != 1 {
		t.Fatalf("tip %d", got)
	}
	c.sync(k)
	verify(t, k)
	want, got := everything(t, w, c.height()), everything(t, k, c.height())
	if tipTold(t, k) != c.height() || summaryOf(t, k) != summaryOf(t, w) {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if last, err := k.LastEvent(background()); last != 1 || err != nil {
		t.Errorf("%d events, %v", last, err)
	}
}

// A change that fails may take the progress back to what is in the file, which is whole.
func TestProgressAfterAFailure(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for range 9 {
		c.mine()
		c.sync(w)
	}
	select {
	case <-w.Changed():
	default:
	}
	boom := errors.New("disk full")
	err := w.update(context.Background(), func(c *change) {
		c.watchAlone([]*script{newScript(string(scriptN(2)))}, 0)
		c.fail(boom)
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	verify(t, w)
	if len(w.Changed()) == 0 {
		t.Error("nobody is told that blocks are missing")
	}
	if n := w.Unscanned(c.height()); n != c.height()+1 {
		t.Fatalf("%d blocks are to be tested", n)
	}
	wantBalance(t, w, 0, 0, 0, 0)
	c.sync(w)
	verify(t, w)
	if got := tipTold(t, w); got != c.height() {
		t.Errorf("tip %d", got)
	}
}

// A reorg of blocks that were not written is a reorg as any.
//
// Rule 8.
func TestReorgOfUnwrittenBlocks(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for range 9 {
		c.mine()
		c.sync(w)
	}
	other := c.fork(6)
	other.mine(other.pay(out(scriptN(1), 5)))
	other.locate(w)
	if got := tipTold(t, w); got != 6 {
		t.Errorf("tip %d", got)
	}
	if ev := logged(t, w); len(ev) != 1 || ev[0].Kind != EventReorg || ev[0].Block != c.id(6) || ev[0].Depth != 3 {
		t.Errorf("%+v", ev)
	}
	other.sync(w)
	verify(t, w)
	wantBalance(t, w, 5, 0, 0, 0)
}

// A reader that was told a tip, and then a reorg, is told that tip again if it is the tip
// again.
//
// Rule 8.
func TestTipToldAgainAfterAReorg(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for range 9 {
		c.mine()
		c.sync(w)
	}
	ctx, cancel := context.WithTimeout(background(), 5*time.Second) // of one that waits for ever
	defer cancel()
	next, stop := iter.Pull2(w.Events(ctx, 0))
	defer stop()
	if ev, err, _ := next(); err != nil || ev.Kind != EventTip || ev.Block != c.id(9) {
		t.Fatalf("%+v, %v", ev, err)
	}
	if err := w.Rewind(background(), c.id(6)); err != nil {
		t.Fatal(err)
	}
	c.sync(w)
	if ev, err, _ := next(); err != nil || ev.Kind != EventReorg || ev.Block != c.id(6) {
		t.Fatalf("%+v, %v", ev, err)
	}
	if ev, err, _ := next(); err != nil || ev.Kind != EventTip || ev.Block != c.id(9) {
		t.Fatalf("%+v, %v", ev, err)
	}
}

func locator(t *testing.T, w *Wallet) []chain.BlockID {
	t.Helper()
	ids, err := w.Locator(background())
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// killed is what is left of a wallet when the program is killed now.
func killed(t *testing.T, w *Wallet) *Wallet {
	t.Helper()
	path := t.TempDir() + "/killed.db"
	write(t, path, read(t, w.path))
	return openAt(t, path)
}

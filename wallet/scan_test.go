package wallet

import (
	"context"
	"slices"
	"testing"

	"dcrspv/spv/chain"
)

// behind is a wallet at the tip of a chain that watches something from then on,
// and tests so many blocks at a time.
func behind(t *testing.T, c *world, length uint32, what Watch) *Wallet {
	t.Helper()
	w := open(t)
	watchN(t, w, 0, 99)
	c.sync(w)
	w.maxScan, w.nearTip = length, 0
	watch(t, w, what)
	return w
}

func watching(ns ...uint64) (what Watch) {
	for _, n := range ns {
		what.Addresses = append(what.Addresses, addr(n).String())
	}
	return what
}

// scans carries out a number of scans, and returns what was tested.
func (c *world) scans(w *Wallet, n int) (tested []chain.Range) {
	c.t.Helper()
	for range n {
		scan, ok, err := w.NextScan(context.Background(), c.height())
		if err != nil || !ok {
			c.t.Fatalf("scan %v, %v", ok, err)
		}
		tested = append(tested, scan.Range)
		if err := w.Apply(context.Background(), c.batch(scan, c.height())); err != nil {
			c.t.Fatal(err)
		}
		verify(c.t, w)
	}
	return tested
}

func mineTo(c *world, height uint32) {
	for c.height() < height {
		c.mine()
	}
}

// TestScansGoUpwards: whatever is watched, and when, is tested from its birthday up.
// New blocks do not wait for it, and whoever owes the same shares one scan.
// Rule 15.
func TestScansGoUpwards(t *testing.T) {
	c := newWorld(t)
	mineTo(c, 40)
	w := behind(t, c, 10, watching(1))
	want := func(want ...chain.Range) {
		t.Helper()
		if got := c.scans(w, len(want)); !slices.Equal(got, want) {
			t.Fatalf("tested %v, not %v", got, want)
		}
	}
	want(chain.Range{From: 0, To: 9})
	mineTo(c, 43)
	want(chain.Range{From: 41, To: 43}, chain.Range{From: 10, To: 19})
	if got := w.Unscanned(c.height()); got != 24 {
		t.Fatalf("%d blocks owed", got)
	}
	// One more has its own debt first, until both owe the same; an account is no
	// different.
	watchN(t, w, 15, 2)
	watch(t, w, Watch{XPubs: []string{testXPub(t, 3)}, From: 12})
	want(chain.Range{From: 12, To: 14}, chain.Range{From: 15, To: 19}, chain.Range{From: 20, To: 29})
	// A new block that nobody is ready for waits with the rest.
	mineTo(c, 44)
	want(chain.Range{From: 44, To: 44}, chain.Range{From: 30, To: 39}, chain.Range{From: 40, To: 44})
	if _, ok, _ := w.NextScan(context.Background(), c.height()); ok || w.Unscanned(c.height()) != 0 {
		t.Fatal("more debt")
	}
	// A scan that was cut short goes on where it ended.
	watchN(t, w, 0, 4)
	scan, _, _ := w.NextScan(context.Background(), c.height())
	if err := w.Apply(context.Background(), c.batch(scan, 6)); err != nil {
		t.Fatal(err)
	}
	want(chain.Range{From: 7, To: 16})
	// What was tested once and is to be tested again holds up no new block.
	if err := w.Rescan(t.Context(), 20, 22, addr(99).String()); err != nil {
		t.Fatal(err)
	}
	mineTo(c, 45)
	want(chain.Range{From: 45, To: 45}, chain.Range{From: 17, To: 19}, chain.Range{From: 20, To: 22}, chain.Range{From: 23, To: 32})
}

// TestFreshBesideLate: what is watched from now on while a scan at the tip is under way
// has its new blocks tested before what was added late has caught up.
// Rule 15.
func TestFreshBesideLate(t *testing.T) {
	c := newWorld(t)
	mineTo(c, 40)
	w := behind(t, c, 10, watching(1))
	w.nearTip = 5
	c.scans(w, 1)
	c.mine()
	scan, _, _ := w.NextScan(context.Background(), c.height())
	watchN(t, w, 41, 2)
	if err := w.Apply(context.Background(), c.batch(scan, c.height())); err != nil {
		t.Fatal(err)
	}
	c.mine(c.pay(out(scriptN(2), 7)))
	if got := c.scans(w, 2); got[0].From != 41 || got[len(got)-1].To != 42 {
		t.Fatalf("tested %v", got)
	}
	wantBalance(t, w, 7, 0, 0, 0)
}

// TestAddedLate: a wallet to which something is added late ends as one that knew it
// from the start, a spend in a block that was tested before included.
// Rule 16.
func TestAddedLate(t *testing.T) {
	c := newWorld(t)
	fund := c.pay(out(scriptN(1), 100), out(scriptN(2), 50))
	c.mine(fund)
	mineTo(c, 5)
	both := c.spend(append(outPoints(fund, 0), opOf(fund, 1)), out(scriptN(1), 149))
	c.mine(both)
	mineTo(c, 9)
	ideal := open(t)
	watch(t, ideal, watching(1, 2))
	c.sync(ideal)
	for length := uint32(1); length <= 10; length++ {
		w := behind(t, c, length, watching(1))
		c.sync(w)
		watch(t, w, watching(2))
		c.scans(w, 1)
		w = openAt(t, reclose(t, w))
		if err := w.Unwatch(t.Context(), watching(99)); err != nil {
			t.Fatal(err)
		}
		c.sync(w)
		if got, want := summaryOf(t, w), summaryOf(t, ideal); got != want {
			t.Fatalf("%d at a time: %s\nnot\n%s", length, got, want)
		}
	}
}

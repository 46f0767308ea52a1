package wallet

import (
	"context"
	"errors"
	"slices"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Rules 8 and 17.
func TestRewind(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	a := c.pay(out(scriptN(1), 100))
	c.mine(a)
	c.sync(w)
	before := summaryOf(t, w)
	b := c.spend([]wire.OutPoint{opOf(a, 0)}, out(foreignScript(1), 40), out(scriptN(1), 59))
	c.mine(b, c.coinbase(scriptN(1), 7))
	c.sync(w)
	after := summaryOf(t, w)

	if err := w.Rewind(context.Background(), c.id(1)); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	wantBalance(t, w, 100, 0, 0, -41)
	if u := unmined(t, w); len(u) != 1 || u[0].TxID != b.TxHash() || u[0].Net != -41 {
		t.Fatalf("unmined: %+v", u)
	}
	if err := w.Rewind(context.Background(), c.id(1)); err != nil { // again: nothing
		t.Fatal(err)
	}
	c.sync(w)
	if got := summaryOf(t, w); got != after {
		t.Fatalf("after coming back:\n%s\nnot\n%s", got, after)
	}
	if err := w.Rewind(context.Background(), c.id(0)); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 59)
	other := c.fork(0)
	other.mine(a)
	other.sync(w)
	wantBalance(t, w, 100, 0, 0, -41)
	if err := w.DropUnmined(context.Background(), b.TxHash()); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 100, 0, 0, 0)
	if len(before) == 0 || len(unmined(t, w)) != 0 {
		t.Fatal("still unmined")
	}
	want := []string{"mined", "mined", "mined", // in two blocks
		"reorg", "unmined", "removed", "mined", "mined",
		"reorg", "unmined", "removed", "unmined", "mined", "removed"}
	got := kinds(logged(t, w))
	slices.Sort(got[1:3])
	if !slices.Equal(got[:4], want[:4]) || len(got) != len(want) {
		t.Fatalf("events %v\nnot %v", got, want)
	}
}

// TestForthAndBack: branch A, branch B, branch A again.
func TestForthAndBack(t *testing.T) {
	a, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	fund := a.pay(out(scriptN(1), 100), out(scriptN(1), 50))
	a.mine(fund)
	a.mine()
	b := a.fork(2)
	onA := a.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(2), 90))
	child := a.spend([]wire.OutPoint{opOf(onA, 0)}, out(scriptN(2), 80))
	a.mine(onA, a.coinbase(scriptN(2), 5))
	a.mine(child)
	a.sync(w)
	stateA := summaryOf(t, w)

	onB := b.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(2), 70))
	b.mine()
	b.mine(onB)
	b.mine()
	b.sync(w)
	wantBalance(t, w, 120, 0, 0, 0)
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("unmined on B although in conflict: %+v", u)
	}

	a.mine()
	a.mine()
	a.sync(w)
	wantBalance(t, w, 130, 5, 0, 0)
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("unmined on A although in conflict: %+v", u)
	}
	if err := w.Rewind(context.Background(), a.id(4)); err != nil {
		t.Fatal(err)
	}
	if got := summaryOf(t, w); got != stateA {
		t.Fatalf("back on A:\n%s\nnot\n%s", got, stateA)
	}

	// A third branch has neither: both count as unmined, the first one once.
	d := a.fork(2)
	for range 5 {
		d.mine()
	}
	d.sync(w)
	u := unmined(t, w)
	if len(u) != 3 {
		t.Fatalf("unmined on the third branch: %+v", u)
	}
	verify(t, w)
}

func TestDisapproval(t *testing.T) {
	for _, oneScan := range []bool{false, true} {
		c, w := newWorld(t), open(t)
		watchN(t, w, 0, 1, 2)
		fund := c.pay(out(scriptN(1), 100))
		c.mine(fund)
		c.mine()
		c.sync(w)
		good := c.pay(out(scriptN(2), 10))
		spend := c.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(2), 95))
		gift := c.ticket(c.foreignOutput(), addr(1), addr(1), 50, 0)
		c.mine(good, spend, gift, c.coinbase(scriptN(1), 9)) // height 3
		if !oneScan {
			c.sync(w)
			wantBalance(t, w, 105, 9, 50, 0)
		}
		undone := c.fork(3)
		c.mineVoted(false, good) // disapproves 3, and has one of its transactions
		c.sync(w)
		// Of block 3 only the ticket counts; what else was in it is unmined.
		wantBalance(t, w, 110, 0, 50, -5)
		h := history(t, w)
		if len(h) != 3 || h[1].TxID != gift.TxHash() || h[2].TxID != good.TxHash() || h[2].Height != 4 {
			t.Fatalf("history: %+v", h)
		}
		if u := unmined(t, w); len(u) != 1 || u[0].TxID != spend.TxHash() {
			t.Fatalf("unmined: %+v", u)
		}
		state := summaryOf(t, w)
		if err := w.Rescan(context.Background(), 0, 1<<32-1); err != nil {
			t.Fatal(err)
		}
		c.sync(w)
		if got := summaryOf(t, w); got != state {
			t.Fatalf("after a rescan:\n%s\nnot\n%s", got, state)
		}

		// The disapproving block leaves the chain: block 3 counts again.
		undone.mine()
		undone.mine()
		if err := w.Rewind(context.Background(), c.id(3)); err != nil {
			t.Fatal(err)
		}
		if ids, _ := w.Locator(context.Background()); ids[0] != c.id(2) {
			t.Fatalf("rewound to %v", ids[0])
		}
		undone.sync(w)
		wantBalance(t, w, 105, 9, 50, 0)
		if len(history(t, w)) != 5 {
			t.Fatalf("history: %+v", history(t, w))
		}
	}
}

// TestVoidTogether: of a disapproved block, what spends what the block itself made
// waits too, also if that is mined again at once, and though it could have expired
// by the block that has it.
func TestVoidTogether(t *testing.T) {
	for _, expiry := range []uint32{0, 3} {
		c, w := newWorld(t), open(t)
		watchN(t, w, 0, 1)
		parent := c.pay(out(scriptN(1), 100))
		parent.Expiry = expiry
		child := c.spend(outPoints(parent, 0))
		c.mine(parent, child)
		c.mineVoted(false, parent)
		mineTo(c, 20)
		c.sync(w)
		wantBalance(t, w, 100, 0, 0, -100)
		if u := unmined(t, w); len(u) != 1 || u[0].TxID != child.TxHash() {
			t.Fatalf("%+v", u)
		}
	}
}

// TestDisapprovalSparesTickets: what a ticket has killed stays dead when votes
// disapprove of its block, as they void regular transactions only.
func TestDisapprovalSparesTickets(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	pay := c.pay(out(scriptN(1), 5))
	addUnmined(t, w, pay)
	c.mine(c.ticket(pay.TxIn[0].PreviousOutPoint, addr(1), addr(1), 20, 0))
	c.sync(w)
	wantBalance(t, w, 0, 0, 20, 0)
	c.mineVoted(false)
	c.sync(w)
	wantBalance(t, w, 0, 0, 20, 0)
}

// TestDisapprovalChain: disapproving blocks in a row are undone together.
func TestDisapprovalChain(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.mineVoted(false, c.pay(out(scriptN(1), 2)))
	c.mineVoted(false, c.pay(out(scriptN(1), 4)))
	c.mineVoted(false, c.pay(out(scriptN(1), 8)))
	c.sync(w)
	// matchStored never calls block 0 disapproved, but blocks 1 to 3 are.
	wantBalance(t, w, 8, 0, 0, 7)
	if err := w.Rewind(context.Background(), c.id(3)); err != nil {
		t.Fatal(err)
	}
	if ids, _ := w.Locator(context.Background()); len(ids) != 1 || ids[0].Height != 0 {
		t.Fatalf("rewound to %v", ids)
	}
	c.sync(w)
	wantBalance(t, w, 8, 0, 0, 7)
}

func TestRewindErrors(t *testing.T) {
	c, w := newWorld(t), open(t)
	if err := w.Rewind(context.Background(), c.id(0)); err != nil { // fresh
		t.Fatal(err)
	}
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.mine()
	c.sync(w)
	state := summaryOf(t, w)
	wrong := chainhash.Hash{1}
	for _, id := range []chain.BlockID{{Height: 2, Hash: wrong}, {Height: 1, Hash: wrong}} {
		if err := w.Rewind(context.Background(), id); !errors.Is(err, ErrChain) {
			t.Errorf("rewind to a foreign block at %d: %v", id.Height, err)
		}
	}
	if err := w.Rewind(context.Background(), chain.BlockID{Height: 3, Hash: wrong}); err != nil {
		t.Errorf("rewind to above the tip: %v", err)
	}
	if got := summaryOf(t, w); got != state {
		t.Errorf("changed:\n%s", got)
	}
}

// TestShallowReorg: a reorg at the tip, after one long scan, does not touch the
// transactions below it.
func TestShallowReorg(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for c.height() < 50 {
		c.mine()
	}
	c.mine(c.pay(out(scriptN(1), 1)))
	for c.height() < 100 {
		c.mine()
	}
	c.sync(w)
	other := c.fork(98)
	for range 3 {
		other.mine()
	}
	other.sync(w)
	if got := kinds(logged(t, w)); !slices.Equal(got, []string{"mined", "reorg"}) {
		t.Fatalf("events %v", got)
	}
	wantBalance(t, w, 1, 0, 0, 0)
}

// TestRewindInsideScan: the position after a Rewind is the very block, wherever in
// a scan that is, so that a reorg between it and the end of the scan before is one
// again.
func TestRewindInsideScan(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for c.height() < 20 {
		c.mine()
	}
	c.sync(w) // one scan
	for _, fork := range []uint32{13, 11, 10} {
		to := c.id(fork)
		if err := w.Rewind(context.Background(), to); err != nil {
			t.Fatal(err)
		}
		ids, err := w.Locator(context.Background())
		if err != nil || ids[0] != to || ids[len(ids)-1].Height != 0 {
			t.Fatalf("%v, %v", ids, err)
		}
		verify(t, w)
	}
	var depths []uint32
	for _, ev := range logged(t, w) {
		if ev.Kind == EventReorg {
			depths = append(depths, ev.Depth)
		}
	}
	if !slices.Equal(depths, []uint32{7, 2, 1}) {
		t.Fatalf("depths %v", depths)
	}
	// It goes on from there, and what the new branch has is found.
	d := c.fork(10)
	d.mine(d.pay(out(scriptN(1), 5)))
	if scan, ok, err := w.NextScan(context.Background(), d.height()); err != nil || !ok || scan.Range != (chain.Range{From: 11, To: 11}) {
		t.Fatalf("%+v, %v", scan.Range, err)
	}
	d.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
}

package wallet

import (
	"testing"

	"github.com/decred/dcrd/dcrutil/v4"
)

// TestWaitsUntilDue: what ends at a height ends at it, however the wallet got there, and
// before that a block looks at none of those that wait.
func TestWaitsUntilDue(t *testing.T) {
	c, w := newWorld(t), open(t)
	daily := *params
	daily.TargetTimePerBlock = keepStale / 8
	w.params, w.pool.keep = &daily, keepBlocks(&daily)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	late, soon, stale := c.pay(out(scriptN(1), 1)), c.pay(out(scriptN(1), 2)), c.pay(out(scriptN(1), 4))
	late.Expiry, soon.Expiry = 8, 5
	addUnmined(t, w, late)
	addUnmined(t, w, soon)
	seen(t, w, stale)
	for c.height() < 12 {
		height := c.height()
		want, due := dcrutil.Amount(0), uint64(4+keepEnded+1)
		switch {
		case height < 4:
			want, due = 7, 4
		case height < 7:
			want, due = 5, 7
		case height < 10:
			want, due = 4, 10
		}
		wantBalance(t, w, 0, 0, 0, want)
		if w.pool.due != due {
			t.Fatalf("block %d: the next is due at %d, not %d", height, w.pool.due, due)
		}
		c.mine()
		c.sync(w)
		if c.height() == 6 {
			w = openAt(t, reclose(t, w))
			w.params, w.pool.keep = &daily, keepBlocks(&daily)
		}
	}
}

// TestStaleOnceNotNeeded: what an own transaction needs is kept however old it is, and
// given up with the block after that ends.
// Rule 20.
func TestStaleOnceNotNeeded(t *testing.T) {
	c, w := newWorld(t), open(t)
	daily := *params
	daily.TargetTimePerBlock = keepStale / 2
	w.params, w.pool.keep = &daily, keepBlocks(&daily)
	watchN(t, w, 0, 1)
	parent := c.pay(out(scriptN(1), 5))
	child := c.spend(outPoints(parent, 0), out(scriptN(1), 4))
	seen(t, w, parent)
	addUnmined(t, w, child)
	mineTo(c, 9)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 4)
	if err := w.DropUnmined(background(), child.TxHash()); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 5)
	c.mine()
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
}

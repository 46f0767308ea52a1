package wallet

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/decred/dcrd/wire"
)

func addUnmined(t *testing.T, w *Wallet, tx *wire.MsgTx) {
	t.Helper()
	taken, err := w.AddUnmined(context.Background(), signed(tx)[0])
	if err != nil || !taken {
		t.Fatalf("taken %v, %v", taken, err)
	}
	verify(t, w)
}

// Rule 13.
func TestUnmined(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)

	tx := c.spend([]wire.OutPoint{opOf(fund, 0)}, out(foreignScript(1), 60), out(scriptN(1), 39))
	child := c.spend([]wire.OutPoint{opOf(tx, 1)}, out(foreignScript(2), 38))
	addUnmined(t, w, tx)
	addUnmined(t, w, tx)
	addUnmined(t, w, child)
	wantBalance(t, w, 100, 0, 0, -100) // the coin is not locked
	if u := unmined(t, w); len(u) != 2 || u[0].Net != -61 || u[1].Net != -39 || u[1].Tx.TxHash() != child.TxHash() {
		t.Fatalf("unmined: %+v", u)
	}
	if taken, err := w.AddUnmined(context.Background(), c.pay()); taken || err != nil {
		t.Fatalf("a stranger's transaction: %v, %v", taken, err)
	}

	// After a reopen it is still watched and confirms.
	path := w.path
	w.Close()
	w = openAt(t, path)
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 39, 0, 0, -39)
	c.mine(child)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	addUnmined(t, w, tx) // mined already
	if got := kinds(logged(t, w)); !slices.Equal(got, []string{"mined", "unmined", "unmined", "mined", "mined"}) {
		t.Fatalf("events %v", got)
	}
}

// TestChangeless: a pending transaction without any output to the wallet is
// found when it is mined, as the script that it spends stays watched.
// Rule 19.
func TestChangeless(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	tx := c.spend([]wire.OutPoint{opOf(fund, 0)})
	addUnmined(t, w, tx)
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
}

func TestConflict(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	tx := c.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(1), 99))
	child := c.spend([]wire.OutPoint{opOf(tx, 0)}, out(scriptN(1), 98))
	rival := c.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(1), 97))
	addUnmined(t, w, tx)
	addUnmined(t, w, child)
	addUnmined(t, w, rival)
	// Of tx and rival only the first can happen.
	wantBalance(t, w, 100, 0, 0, -2)
	c.mine(rival)
	c.sync(w)
	wantBalance(t, w, 97, 0, 0, 0)
	if len(unmined(t, w)) != 0 {
		t.Fatal("in conflict and unmined")
	}
	ev := logged(t, w)
	last := ev[len(ev)-3:]
	if got := kinds(last); !slices.Equal(got, []string{"conflicted", "conflicted", "mined"}) ||
		last[0].Tx != tx.TxHash() || last[0].By != rival.TxHash() || last[1].By != tx.TxHash() {
		t.Fatalf("events %v: %+v", got, last)
	}
	if _, err := w.AddUnmined(context.Background(), tx); !errors.Is(err, ErrConflict) {
		t.Fatalf("added in conflict: %v", err)
	}

	// The rival leaves the chain: everything is possible again.
	if err := w.Rewind(context.Background(), c.id(1)); err != nil {
		t.Fatal(err)
	}
	if u := unmined(t, w); len(u) != 3 {
		t.Fatalf("unmined: %+v", u)
	}
	c.sync(w)
	wantBalance(t, w, 97, 0, 0, 0)
}

// TestOldVoidDoesNotWait: a transaction of somebody else is not waited for when it is
// found in a disapproved block that is older than a day.
func TestOldVoidDoesNotWait(t *testing.T) {
	for _, old := range []bool{false, true} {
		c, w := newWorld(t), open(t)
		daily := *params
		daily.TargetTimePerBlock = keepStale / 3
		w.params, w.pool.keep = &daily, keepBlocks(&daily)
		c.mine(c.pay(out(scriptN(1), 5)))
		c.mineVoted(false)
		mineTo(c, 4)
		if old {
			c.mine()
		}
		watchN(t, w, 0, 9)
		c.sync(w)
		watchN(t, w, 0, 1) // the tip is known, so nothing is looked at for its age
		c.sync(w)
		if u := unmined(t, w); len(u) > 0 == old {
			t.Fatalf("old %v: %+v", old, u)
		}
	}
}

// TestOrphaned: what spends a coinbase or a vote that left the chain can't be
// mined.
func TestOrphaned(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	base := c.coinbase(scriptN(1), 50)
	c.mine(base)
	mineTo(c, uint32(params.CoinbaseMaturity))
	c.sync(w)
	addUnmined(t, w, c.spend([]wire.OutPoint{opOf(base, 0)}, out(scriptN(1), 49)))
	if err := w.Rewind(context.Background(), c.id(0)); err != nil {
		t.Fatal(err)
	}
	if len(unmined(t, w)) != 0 {
		t.Fatal("spends what does not exist")
	}
	wantBalance(t, w, 0, 0, 0, 0)
}

func TestExpired(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	tx := c.pay(out(scriptN(1), 5))
	tx.Expiry = 4 // block 3 may have it, block 4 may not
	addUnmined(t, w, tx)
	c.mine()
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 5)
	c.mine()
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	if _, err := w.AddUnmined(context.Background(), tx); !errors.Is(err, ErrExpired) {
		t.Fatalf("added expired: %v", err)
	}
	if err := w.Rewind(context.Background(), c.id(2)); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 5)
	if got := kinds(logged(t, w)); !slices.Equal(got, []string{"unmined", "expired", "reorg", "unmined"}) {
		t.Fatalf("events %v", got)
	}
	c.sync(w)
	for range keepEnded + 2 {
		c.mine()
	}
	c.sync(w)
	if r, _ := w.Verify(context.Background()); r.Unmined != 0 {
		t.Fatal("kept for ever")
	}
}

// TestConflictIsRemembered: that a transaction is in conflict over an output which is
// not the wallet's is known for as long as it is kept.
func TestConflictIsRemembered(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	op := c.foreignOutput()
	tx := c.spend([]wire.OutPoint{op}, out(scriptN(1), 7))
	addUnmined(t, w, tx)
	c.mine(c.spend([]wire.OutPoint{op}, out(scriptN(1), 8)))
	c.sync(w)
	for _, tx := range []*wire.MsgTx{tx, c.spend(outPoints(tx, 0), out(scriptN(1), 6))} {
		if taken, err := w.AddUnmined(t.Context(), signed(tx)[0]); taken || !errors.Is(err, ErrConflict) {
			t.Errorf("%v %v", taken, err)
		}
	}
}

// TestBehind: of two own ones that spend the same the first is announced, and what spends
// it; the second is kept, says behind which it is, and is announced when that goes.
func TestBehind(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	first := c.spend(outPoints(fund, 0), out(scriptN(1), 99))
	second := c.spend(outPoints(fund, 0), out(scriptN(1), 98))
	child := c.spend(outPoints(second, 0), out(scriptN(1), 97))
	seen(t, w, second) // that a peer sends it first gives it no right
	addUnmined(t, w, first)
	addUnmined(t, w, second)
	addUnmined(t, w, child)
	for range 2 {
		u := unmined(t, w)
		if len(u) != 3 || u[0].Behind != (hash{}) || u[1].Behind != first.TxHash() || u[2].Behind != first.TxHash() {
			t.Fatalf("%+v", u)
		}
		if ids := pendingIDs(t, w); !slices.Equal(ids, []hash{first.TxHash()}) {
			t.Fatalf("announced %v", ids)
		}
		wantBalance(t, w, 100, 0, 0, -1)
		w = openAt(t, reclose(t, w))
	}
	if err := w.DropUnmined(background(), first.TxHash()); err != nil {
		t.Fatal(err)
	}
	if ids := pendingIDs(t, w); !slices.Equal(ids, []hash{second.TxHash(), child.TxHash()}) {
		t.Fatalf("announced %v", ids)
	}
	wantBalance(t, w, 100, 0, 0, -3)
	if u := unmined(t, w); u[0].Behind != (hash{}) || u[1].Behind != (hash{}) {
		t.Fatalf("%+v", u)
	}
}

// TestHandedOut: whoever changes what was handed out or over changes nothing that waits.
func TestHandedOut(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	tx, gift := c.pay(out(scriptN(1), 5)), c.pay(out(scriptN(1), 7))
	addUnmined(t, w, tx)
	seen(t, w, gift)
	id := tx.TxHash()
	for range 2 {
		pending, err := w.Pending(context.Background())
		if err != nil || pending[0].TxHash() != id {
			t.Fatal(pending, err)
		}
		u := unmined(t, w)
		for _, tx := range []*wire.MsgTx{pending[0], u[0].Tx, u[1].Tx, tx, gift} {
			tx.TxOut[0].Value, tx.TxOut[0].PkScript[5] = 3, 0
			tx.TxIn = nil
		}
	}
	verify(t, w)
}

package wallet

import (
	"context"
	"errors"
	"slices"
	"testing"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// TestSuperseded: a ticket that waits can't be mined while it locks less than the next
// block asks for, and what spends its change can't either.
func TestSuperseded(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.price = 90
	c.mine(fund)
	c.sync(w)
	ticket := c.ticket(opOf(fund, 0), addr(1), addr(1), 90, 9)
	child := c.spend(outPoints(ticket, 2), out(scriptN(1), 8))
	other := c.ticket(c.foreignOutput(), addr(5), addr(1), 95, 0)
	addUnmined(t, w, child) // before what it spends: else it would be too early
	addUnmined(t, w, ticket)
	seen(t, w, other)
	wantBalance(t, w, 100, 0, 0, -2+95)
	cursor := uint64(len(logged(t, w)))
	want := func(want ...string) {
		t.Helper()
		verify(t, w)
		log := logged(t, w)
		if got := kinds(log[cursor:]); !slices.Equal(got, want) {
			t.Fatalf("events %v, not %v", got, want)
		}
		cursor = uint64(len(log))
	}
	mine := func(price int64) {
		c.price = price
		c.mine()
		c.sync(w)
	}
	mine(92)
	want("superseded", "conflicted")
	wantBalance(t, w, 100, 0, 0, 95)
	if pending, err := w.Pending(context.Background()); len(pending) != 0 || err != nil {
		t.Fatalf("announced: %v, %v", pending, err)
	}
	if _, err := w.AddUnmined(t.Context(), signed(c.ticket(opOf(fund, 0), addr(1), addr(1), 91, 8))[0]); !errors.Is(err, ErrSuperseded) {
		t.Fatal(err)
	}
	w = openAt(t, reclose(t, w))
	mine(90) // it has come down again
	want("unmined", "unmined")
	wantBalance(t, w, 100, 0, 0, -2+95)
	mine(100)
	want("superseded", "conflicted", "superseded") // that of somebody else goes
	wantBalance(t, w, 100, 0, 0, 0)
	if err := w.Rewind(context.Background(), c.id(3)); err != nil { // the next price is another one on that branch
		t.Fatal(err)
	}
	want("reorg", "unmined", "unmined")
	c.sync(w)
	want("superseded", "conflicted")
	c.mine(ticket) // whatever the price: it is in the chain
	c.sync(w)
	want("mined", "unmined")
	wantBalance(t, w, 9, 0, 90, -1)
}

// TestLastBlockOfAWindow: the price after it is not in its header.
func TestLastBlockOfAWindow(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	window := uint32(params.StakeDiffWindowSize)
	c.price = 100
	for range 2 * window {
		c.mine()
		c.sync(w)
		_, err := w.AddUnmined(t.Context(), c.ticket(c.foreignOutput(), addr(1), addr(1), 90, 0))
		if known := (c.height()+1)%window != 0; known != errors.Is(err, ErrSuperseded) || err != nil && !known {
			t.Fatalf("block %d of windows of %d: %v", c.height(), window, err)
		}
	}
}

// TestSupersededThenConflicted: what a mined transaction leaves nothing to spend does
// not come back with the price, be it a ticket or what spends one.
func TestSupersededThenConflicted(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	mine := func(price int64, txs ...*wire.MsgTx) {
		c.price = price
		c.mine(txs...)
		c.sync(w)
	}
	mine(90)
	shared, other := c.foreignOutput(), c.foreignOutput()
	ticket := c.ticket(shared, addr(1), addr(1), 90, 9)
	second := c.ticket(c.foreignOutput(), addr(1), addr(1), 90, 9)
	child := c.spend([]wire.OutPoint{opOf(second, 2), other}, out(scriptN(1), 8))
	for _, tx := range []*wire.MsgTx{ticket, child, second} {
		addUnmined(t, w, tx)
	}
	mine(92)
	cursor := len(logged(t, w))
	mine(92, c.spend([]wire.OutPoint{shared, other}, out(scriptN(1), 7)))
	if got := kinds(logged(t, w)[cursor:]); !slices.Equal(got, []string{"conflicted", "conflicted", "mined"}) {
		t.Errorf("events %v", got)
	}
	w = openAt(t, reclose(t, w))
	mine(90)
	if u := unmined(t, w); len(u) != 1 || u[0].TxID != second.TxHash() {
		t.Fatalf("waits: %+v", u)
	}
	if err := w.Rewind(context.Background(), c.id(2)); err != nil {
		t.Fatal(err)
	}
	if u := unmined(t, w); len(u) != 4 {
		t.Fatalf("after the reorg there wait %+v", u)
	}
}

// TestChildOfASupersededTicketOfOthers: what spends a ticket that peers have sent is no
// more to be mined than the ticket, and waits again with it.
func TestChildOfASupersededTicketOfOthers(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 90, 9)
	addUnmined(t, w, c.spend(outPoints(ticket, 2), out(scriptN(1), 8)))
	seen(t, w, ticket)
	for i, step := range []struct {
		price int64
		wait  int
	}{{90, 2}, {92, 0}, {92, 0}, {90, 2}, {92, 0}} {
		c.price = step.price
		c.mine()
		c.sync(w)
		if u := unmined(t, w); len(u) != step.wait {
			t.Errorf("step %d: there wait %+v", i, u)
		}
	}
	c.mine(ticket)
	c.sync(w)
	if u := unmined(t, w); len(u) != 1 {
		t.Errorf("there wait %+v", u)
	}
}

// TestSupersededIsContested: what a superseded ticket spends is searched for as long as
// it may come back, though whoever else spends it neither pays the wallet nor takes from
// it.
func TestSupersededIsContested(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	redeem := []byte{txscript.OP_TRUE}
	fund := c.pay(out([]byte(keys.HashScript(hashed(redeem), true)), 99))
	c.mine(fund)
	c.sync(w)
	ticket := c.ticket(opOf(fund, 0), addr(1), addr(1), 90, 9)
	ticket.TxIn[0].SignatureScript = []byte{1, txscript.OP_TRUE}
	addUnmined(t, w, ticket)
	for _, price := range []int64{92, 92, 90} {
		c.price = price
		var txs []*wire.MsgTx
		if c.height() == 2 {
			txs = append(txs, c.spend(outPoints(fund, 0), out(foreignScript(7), 98)))
		}
		c.mine(txs...)
		c.sync(w)
		w = openAt(t, reclose(t, w))
	}
	if u := unmined(t, w); len(u) != 0 {
		t.Errorf("there wait %+v", u)
	}
}

// TestPriceOutOfRange: no header that was checked has one, and the file is none the worse.
func TestPriceOutOfRange(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	for _, price := range []int64{-1, 1 << 62} {
		c.price = price
		c.mine()
		c.sync(w)
		w = openAt(t, reclose(t, w))
	}
}

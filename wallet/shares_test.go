package wallet

import (
	"context"
	"fmt"
	"testing"

	"github.com/decred/dcrd/wire"
)

// TestOthersHaveTheirShare: a flood by eight peers, one after the other, leaves room for what another one
// sends, and block by block for more.
func TestOthersHaveTheirShare(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	flood := func() {
		for n := range 8 {
			for i := 0; seenFrom(t, w, fmt.Sprint("flooder", n), c.payments(100)...); i++ {
				if i > maxSeen/100 {
					t.Fatal("a flooder has no limit")
				}
			}
		}
	}
	flood()
	for range 20 {
		pay := c.pay(out(scriptN(1), 7))
		if !seenFrom(t, w, "honest", pay) {
			t.Fatal("nothing more is taken of it")
		}
		if u := unmined(t, w); u[len(u)-1].TxID != pay.TxHash() {
			t.Fatal("the payment was not taken")
		}
		c.mine(pay)
		c.sync(w)
		flood()
	}
}

// TestMinedIsGivenBack: what was mined is given back to who has sent it, and what the owner drops or takes
// over.
func TestMinedIsGivenBack(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	txs := c.payments(4)
	seen(t, w, txs...)
	c.mine(txs[0], txs[1])
	c.sync(w)
	if got := w.shares.of["peer"].places; got != 2 {
		t.Fatalf("%d places are held against it", got)
	}
	more := c.payments(2)
	seen(t, w, more...)
	addUnmined(t, w, more[0])
	if err := w.DropUnmined(background(), more[1].TxHash()); err != nil {
		t.Fatal(err)
	}
	if len(w.shares.of) != 0 {
		t.Fatalf("held against peers: %v", w.shares.of)
	}
}

// TestSharesAfterReopen: what waits when the wallet is opened takes its places, and nobody is known to have
// sent it.
func TestSharesAfterReopen(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	mineTo(c, 9)
	c.sync(w)
	seen(t, w, c.payments(30)...)
	path := w.path
	w.Close()
	w = openAt(t, path)
	if of := w.shares.of; len(of) != 1 || of[""].places != 30 || w.shares.left() != maxSeen-30 {
		t.Fatalf("held against peers: %v", of)
	}
}

// TestFloodLeavesTheLog: an endless flood of transactions that expire at once, by eight peers, turns over
// no more of the log than is forgiven.
// Rule 20.
func TestFloodLeavesTheLog(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	paid := c.pay(out(scriptN(1), 7))
	c.mine(paid)
	c.sync(w)
	const blocks = 100
	for range blocks {
		for n := range 8 {
			txs := c.payments(50)
			for _, tx := range txs {
				tx.Expiry = c.height() + 2
			}
			if _, err := w.AddRelayed(context.Background(), fmt.Sprint("flooder", n), txs); err != nil {
				t.Fatal(err)
			}
		}
		c.mine()
		c.sync(w)
	}
	verify(t, w)
	last, err := w.LastEvent(background())
	if err != nil {
		t.Fatal(err)
	}
	// Each is told to have come and to have gone.
	if most := uint64(2*(maxSeen+blocks*forgiven) + 2*blocks); last > most {
		t.Errorf("%d events, more than %d", last, most)
	}
}

func (c *world) payments(n int) (txs []*wire.MsgTx) {
	for range n {
		txs = append(txs, c.pay(out(scriptN(1), 3)))
	}
	return txs
}

// TestToldIsBounded: once there were so many bytes of events about what peers have sent,
// nothing more is taken before the next block, of whomever.
// Rule 20.
func TestToldIsBounded(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	seen(t, w, c.payments(1)...)
	if w.shares.logged == 0 || uint64(w.shares.logged) != w.log.bytes {
		t.Errorf("%d bytes were told, of %d", w.shares.logged, w.log.bytes)
	}
	w.shares.logged = maxLogged
	if seenFrom(t, w, "another", c.payments(1)...) || len(unmined(t, w)) != 1 {
		t.Error("more is taken")
	}
	c.mine()
	c.sync(w)
	if !seenFrom(t, w, "another", c.payments(1)...) || len(unmined(t, w)) != 2 {
		t.Error("nothing is taken after a block")
	}
}

// TestLongEventsTakePlaces: what is told of a transaction counts as well as its size.
func TestLongEventsTakePlaces(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	outs := make([]*wire.TxOut, maxParts)
	for i := range outs {
		outs[i] = out(scriptN(1), 1)
	}
	seen(t, w, c.pay(outs...))
	if got := w.shares.of["peer"].places; got < maxParts/10 || uint64(got)*eventUnit < w.log.bytes {
		t.Errorf("%d places for %d bytes", got, w.log.bytes)
	}
	before := w.shares.of["peer"].places
	w = openAt(t, reclose(t, w))
	if got := w.shares.of[""].places; got != before {
		t.Errorf("%d places after a reopen, %d before", got, before)
	}
}

package wallet

import (
	"context"
	"testing"

	"github.com/decred/dcrd/wire"
)

// FuzzSeen: whatever a peer sends that concerns the wallet, and whatever of it the owner
// then takes, harms nothing: Verify agrees, and the sums can be read.
// Rule 13.
func FuzzSeen(f *testing.F) {
	funded := func(t *testing.T) (*world, *wire.MsgTx) { // the same in every world
		c := newWorld(t)
		return c, c.pay(out(scriptN(1), 100))
	}
	_, fund := funded(nil)
	seed := func(change func(c *world, tx *wire.MsgTx) *wire.MsgTx) {
		c, _ := funded(nil)
		tx := change(c, c.spend(outPoints(fund, 0), out(scriptN(1), 90)))
		raw, err := signed(tx)[0].Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	seed(func(_ *world, tx *wire.MsgTx) *wire.MsgTx { return tx })
	seed(func(_ *world, tx *wire.MsgTx) *wire.MsgTx { tx.TxOut = nil; return tx })
	seed(func(_ *world, tx *wire.MsgTx) *wire.MsgTx { tx.TxOut[0].PkScript = nil; return tx })
	seed(func(c *world, _ *wire.MsgTx) *wire.MsgTx { return c.ticket(opOf(fund, 0), addr(1), addr(1), 80, 15) })
	seed(func(c *world, _ *wire.MsgTx) *wire.MsgTx {
		return c.sharedTicket(append(outPoints(fund, 0), c.foreignOutput()), addr(2), 95, stakePart{addr(1), 50, 1}, stakePart{addr(1), 51, 0})
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx := new(wire.MsgTx)
		if tx.FromBytes(raw) != nil {
			return
		}
		c, fund := funded(t)
		w := open(t)
		watchN(t, w, 0, 1)
		c.mine(fund)
		c.price = 90
		c.mine()
		c.sync(w)
		if _, err := w.AddRelayed(context.Background(), "peer", []*wire.MsgTx{tx}); err != nil {
			t.Fatal(err)
		}
		w.AddUnmined(background(), tx) // it may be refused
		verify(t, w)
		balance(t, w)
		if _, err := w.Tickets(background()); err != nil {
			t.Fatal(err)
		}
	})
}

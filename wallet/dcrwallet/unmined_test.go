package dcrwallet

import (
	"testing"

	"dcrspv/spv/spvtest"
	"dcrspv/wallet/dcrwallet/internal/simnet"

	"github.com/decred/dcrd/wire"
)

// What peers announce is added if it pays the wallet. It spends nothing of the wallet unless
// the wallet's key has signed it. Rule 13.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	coins := w.c.Pay(w.script(t, 0, 1), 5e8)
	w.c.MineBlock(coins)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	b := c.on[0]
	forged := w.c.Spend([]wire.OutPoint{spvtest.OutPoint(coins, 0)}, &wire.TxOut{Value: 4e8, PkScript: w.script(t, 0, 2)})
	beyond := spvtest.OutPoint(coins, 0)
	beyond.Index = 900
	nowhere := w.c.Spend([]wire.OutPoint{beyond}, &wire.TxOut{Value: 4e8, PkScript: w.script(t, 0, 2)})
	foreign := w.c.Pay(spvtest.Script(7), 1e8)
	paid := w.c.Pay(w.script(t, 0, 3), 1e8)
	for _, tx := range []*wire.MsgTx{forged, nowhere, foreign, paid} { // in this order
		w.net.Peer(worldPeers[0]).AnnounceTx(tx)
	}
	simnet.Eventually(t, "payment announced", func() bool { return isWaiting(t, b.w, paid.TxHash().String()) })
	for _, tx := range []*wire.MsgTx{forged, nowhere, foreign} {
		if transaction(t, b.w, tx.TxHash().String()) != nil {
			t.Errorf("added: %v", tx.TxHash())
		}
	}
	w.check(t, c)
}

// There is a limit to what others can make the wallet keep.
func TestFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	b := c.on[0]
	for i := range maxUnmined + 10 {
		if err := b.addUnmined(t.Context(), w.c.Pay(w.script(t, 0, 1), int64(1e8+i))); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := b.w.UnminedTransactions(t.Context())
	if err != nil || len(waiting) != maxUnmined {
		t.Fatalf("%d, %v", len(waiting), err)
	}
}

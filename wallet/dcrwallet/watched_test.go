package dcrwallet

import (
	"context"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// A rescan of other blocks, by the user or as a part of a longer one, does not take from the
// blocks that are being connected the scripts that they have still to be tested for.
func TestNewsOutlivesRescan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	b := c.on[0]
	b.watched.news()
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(make([]byte, 20), chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.LoadTxFilter(t.Context(), false, []stdaddr.Address{addr}, nil); err != nil {
		t.Fatal(err)
	}
	tip := []chainhash.Hash{b.tip(context.Background()).Hash}
	if err := b.Rescan(t.Context(), tip, func(*chainhash.Hash, []*wire.MsgTx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if b.watched.news() == nil {
		t.Error("the script is no news any more, and only one block was tested for it")
	}
}

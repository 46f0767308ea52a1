package wallet

import (
	"bytes"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrec"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4"
	txsign "github.com/decred/dcrd/txscript/v4/sign"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// forged shows a key that no output pays.
var forged = slices.Concat(signature, []byte{33}, keyN(1<<50))

func strangerCount(w *Wallet) (n int) {
	w.view(background(), func(b *buckets) error {
		n = b.strangers.Stats().KeyN
		return nil
	})
	return n
}

// TestForgedSpend: a coin that a block spends with the key of somebody else is
// spent, be the block tested before the coin is found or after.
func TestForgedSpend(t *testing.T) {
	for _, what := range []Watch{watching(1), {From: 3, Addresses: watching(1).Addresses}} {
		c := newWorld(t)
		mineTo(c, 3)
		fund := c.pay(out(scriptN(1), 100), out(scriptN(1), 7))
		c.mine(fund)
		mineTo(c, 9)
		spend := c.spend(outPoints(fund, 0), out(foreignScript(1), 40))
		spend.TxIn[0].SignatureScript = forged
		c.mine(spend)
		mineTo(c, 12)
		w := behind(t, c, 4, what)
		c.scans(w, 1)
		if strayCount(w) != 0 || strangerCount(w) != 1 {
			t.Fatalf("%d strays, %d strangers", strayCount(w), strangerCount(w))
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
		w.maxScan = 4
		c.scans(w, 2)
		if owed := w.Owed(c.height()); owed == 0 || !w.holed() {
			t.Fatalf("%d blocks are owed", owed)
		}
		wantIdeal(t, c, w, what)
		wantBalance(t, w, 7, 0, 0, 0)
		if h := history(t, w); len(h) != 2 || h[1].TxID != spend.TxHash() || h[1].Net != -100 {
			t.Fatalf("%+v", h)
		}
		if strangerCount(w) != 0 {
			t.Fatalf("%d strangers", strangerCount(w))
		}
	}
}

// TestShownHash: what really signed inputs show is found, and nothing in others.
func TestShownHash(t *testing.T) {
	key := secp256k1.PrivKeyFromBytes([]byte{7})
	pub := key.PubKey().SerializeCompressed()
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{}, 1, nil))
	shown := func(script []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return shownHash(&wire.TxIn{SignatureScript: script})
	}
	to := []byte(hashScripts(dcrutil.Hash160(pub))[0])
	signed, err := txsign.SignatureScript(tx, 0, to, txscript.SigHashAll, key.Serialize(), dcrec.STEcdsaSecp256k1, true)
	if !bytes.Equal(shown(signed, err), dcrutil.Hash160(pub)) {
		t.Errorf("public key hash: %x", signed)
	}
	redeem, err := stdscript.MultiSigScriptV0(1, pub, pub)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := txsign.RawTxInSignature(tx, 0, redeem, txscript.SigHashAll, key.Serialize(), dcrec.STEcdsaSecp256k1)
	if err != nil {
		t.Fatal(err)
	}
	multi, err := txscript.NewScriptBuilder().AddData(sig).AddData(redeem).Script()
	if !bytes.Equal(shown(multi, err), dcrutil.Hash160(redeem)) {
		t.Errorf("script hash: %x", multi)
	}
	alone, err := txscript.NewScriptBuilder().AddData(sig).Script() // pay to public key
	if shown(alone, err) != nil {
		t.Errorf("public key: %x", alone)
	}
	for _, script := range [][]byte{nil, {0x51}, pub, signed[:len(signed)-1], append(signed[:len(signed):len(signed)], 0xac)} {
		if shown(script, nil) != nil {
			t.Errorf("%x", script)
		}
	}
}

package dcrwallet

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"dcrspv/wallet/dcrwallet/internal/simnet"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	txsign "github.com/decred/dcrd/txscript/v4/sign"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// treasuryKey is one of simnet's keys of the treasury (dcrd chaincfg: simnetparams.go), and
// nobodysKey is not.
const (
	treasuryKey = "62deae1ab2b1ebd96a28c80e870aee325bed359e83d8db2464ef999e616a9eef"
	nobodysKey  = "0000000000000000000000000000000000000000000000000000000000000007"
)

// Spends of the treasury that wait for votes are known to the wallet, whether peers have
// had them for long or announce them now. Forged ones are not.
//
// Rule 13.
func TestTreasurySpends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	early, late := treasurySpend(t, 1, treasuryKey), treasurySpend(t, 2, treasuryKey)
	forged := treasurySpend(t, 3, nobodysKey)
	changed := treasurySpend(t, 4, treasuryKey)
	changed.TxOut[1].Value++
	for _, tx := range []*wire.MsgTx{forged, changed, early} {
		w.net.Peer(worldPeers[0]).AnnounceTx(tx) // nobody is connected
	}
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	has := func(tx *wire.MsgTx) bool {
		hash := tx.TxHash()
		return c.on[0].w.IsTSpendCached(&hash)
	}
	simnet.Eventually(t, "spend from before", func() bool { return has(early) })
	w.net.Peer(worldPeers[1]).AnnounceTx(late)
	simnet.Eventually(t, "spend announced", func() bool { return has(late) })
	if has(forged) || has(changed) {
		t.Error("a forged one is there")
	}
}

// treasurySpend pays somebody.
func treasurySpend(t *testing.T, n uint64, key string) *wire.MsgTx {
	t.Helper()
	raw, err := hex.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	to, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(make([]byte, 20), chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte{txscript.OP_RETURN, txscript.OP_DATA_32}, make([]byte, 32)...)
	binary.LittleEndian.PutUint64(data[2:], n)
	_, pay := to.PayFromTreasuryScript()
	tx := wire.NewMsgTx()
	tx.Version = wire.TxVersionTreasury
	tx.Expiry = 1000
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: chainhash.Hash{}, Index: wire.MaxPrevOutIndex}, 1e8, nil))
	tx.AddTxOut(wire.NewTxOut(0, data))
	tx.AddTxOut(wire.NewTxOut(1e8, pay))
	if tx.TxIn[0].SignatureScript, err = txsign.TSpendSignatureScript(tx, raw); err != nil {
		t.Fatal(err)
	}
	return tx
}

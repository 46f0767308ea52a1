package realnodes

import (
	"encoding/hex"
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// anyone spends what is nobody's in particular.
var anyone = []byte{txscript.OP_DATA_1, txscript.OP_TRUE}

// some is a random amount between so many coins.
func (j *judge) some(from, to int64) int64 { return from*coin + j.rand.Int64N((to-from)*coin) }

// outside is an address that is nobody's in particular.
func (j *judge) outside(t *testing.T) string {
	t.Helper()
	addr, err := stdaddr.NewAddressScriptHashV0([]byte{txscript.OP_TRUE}, chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

func payTo(t *testing.T, addr string) stdaddr.StakeAddress {
	t.Helper()
	a, err := stdaddr.DecodeAddress(addr, chaincfg.SimNetParams())
	if err != nil {
		t.Fatal(err)
	}
	return a.(stdaddr.StakeAddress)
}

// send has dcrwallet pay.
func (j *judge) send(t *testing.T, account, to string, amount int64) {
	t.Helper()
	j.w.call(t, nil, "sendfrom", account, to, float64(amount)/coin)
}

// coins are those of an account that may be spent now.
func (j *judge) coins(t *testing.T, account string) []spendable {
	t.Helper()
	j.look(t)
	j.sheet.update(t)
	coins := j.sheet.spendable(account)
	if len(coins) == 0 {
		t.Fatalf("%s has nothing to spend", account)
	}
	return coins
}

// transfer makes a transaction from the largest coin of an account, not signed; of 0
// atoms it sends all.
func (j *judge) transfer(t *testing.T, account, to string, amount int64) *wire.MsgTx {
	t.Helper()
	const fee = 10000
	from := j.coins(t, account)[0]
	rest := from.amount - fee
	if amount == 0 {
		amount = rest
	}
	tx := wire.NewMsgTx()
	tx.AddTxIn(wire.NewTxIn(&from.out, from.amount, nil))
	add := func(addr string, amount int64) {
		version, script := payTo(t, addr).PaymentScript()
		tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
	}
	add(to, amount)
	if rest > amount {
		var change string
		j.w.call(t, &change, "getrawchangeaddress", account)
		add(change, rest-amount)
	}
	return tx
}

// sign has dcrwallet sign a transaction.
func (j *judge) sign(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	var signed struct {
		Hex      string `json:"hex"`
		Complete bool   `json:"complete"`
	}
	j.w.call(t, &signed, "signrawtransaction", encode(t, tx))
	if !signed.Complete {
		t.Fatalf("dcrwallet can't sign %+v", tx)
	}
	return signed.Hex
}

// sendRaw has dcrwallet send a transaction.
func (j *judge) sendRaw(t *testing.T, hex string) {
	t.Helper()
	j.w.call(t, nil, "sendrawtransaction", hex)
}

func encode(t *testing.T, tx *wire.MsgTx) string {
	t.Helper()
	raw, err := tx.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

func decode(t *testing.T, s string) *wire.MsgTx {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	tx := new(wire.MsgTx)
	if err := tx.FromBytes(raw); err != nil {
		t.Fatal(err)
	}
	return tx
}

package wallet

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// addr is the n-th of some addresses.
func addr(n uint64) stdaddr.StakeAddress {
	a, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hashed(keyN(n)), params)
	if err != nil {
		panic(err)
	}
	return a
}

// keyN is the public key of the n-th address.
func keyN(n uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{2}, make([]byte, 24)...), n+1)
}

// hashed is the hash of a public key or of a script to be revealed by whoever
// spends what pays it.
func hashed(secret []byte) []byte {
	hash := dcrutil.Hash160(secret)
	secrets.Store(string(hash), secret)
	return hash
}

var secrets sync.Map // by their hash

// signature pushes what looks like one.
var signature = append([]byte{71, 0x30}, make([]byte, 70)...)

// sign fills in what spends an output: a signature that nobody checks and, if the
// output pays a hash, what that is the hash of. An input stays as it is if only the
// owner of an account could tell that.
func sign(in *wire.TxIn, pays []byte) {
	_, raw := untag(wire.TxTreeStake, 0, pays)
	for _, at := range []int{2, 3} {
		if len(raw) < at+20 {
			continue
		}
		if secret, ok := secrets.Load(string(raw[at : at+20])); ok {
			in.SignatureScript = slices.Concat(signature, []byte{byte(len(secret.([]byte)))}, secret.([]byte))
			return
		}
	}
	if !stdscript.IsPubKeyHashScriptV0(raw) {
		in.SignatureScript = signature
	}
}

func scriptOf(a stdaddr.Address) []byte {
	_, s := a.PaymentScript()
	return s
}

// script is the payment script of the n-th address.
func scriptN(n uint64) []byte { return scriptOf(addr(n)) }

func foreignScript(n uint64) []byte { return scriptN(1<<40 + n) }

// testKey is an account key.
func testKey(t *testing.T, n byte) *hdkeychain.ExtendedKey {
	t.Helper()
	seed := make([]byte, 32)
	seed[0] = n
	key, err := hdkeychain.NewMaster(seed, params)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testXPub(t *testing.T, n byte) string { return testKey(t, n).Neuter().String() }

// keyAddr is the address of an account by derivation.
func keyAddr(t *testing.T, key string, branch, index uint32) stdaddr.StakeAddress {
	t.Helper()
	out, ok := parsedKey(t, key).address(uint8(branch), index, params)
	if !ok {
		t.Fatal("no such index")
	}
	return out.(stdaddr.StakeAddress)
}

// pubKeyScript pays the public key of an account's address itself.
func pubKeyScript(t *testing.T, key string, branch, index uint32) []byte {
	t.Helper()
	child, err := parsedKey(t, key).keys[branch].Child(index)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := stdaddr.NewAddressPubKeyEcdsaSecp256k1V0Raw(child.SerializedPubKey(), params)
	if err != nil {
		t.Fatal(err)
	}
	return scriptOf(addr)
}

func parsedKey(t *testing.T, key string) *account {
	t.Helper()
	known, ok := parsedKeys.Load(key)
	if !ok {
		a := &account{key: key}
		if err := a.parse(params); err != nil {
			t.Fatal(err)
		}
		known, _ = parsedKeys.LoadOrStore(key, a)
	}
	return known.(*account)
}

var parsedKeys sync.Map // accounts by their key: parsing one takes longer than an address

// sign signs what a block spends, which no transaction's hash covers. Nobody signs what
// gives a ticket back.
func (c *world) sign(b *wire.MsgBlock) {
	for _, tx := range slices.Concat(b.Transactions, b.STransactions) {
		for _, in := range tx.TxIn {
			if prev := c.prev[in.PreviousOutPoint]; prev != nil && in.SignatureScript == nil && !stake.IsSSRtx(tx) {
				sign(in, prev.PkScript)
			}
		}
	}
}

package wallet

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/dcrec"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4"
	txsign "github.com/decred/dcrd/txscript/v4/sign"
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

// foreign is the number from which on nobody has the keys: made up, they cost nothing.
const foreign = 1 << 40

// keyN is the public key of the n-th address.
func keyN(n uint64) []byte {
	secret := binary.BigEndian.AppendUint64(make([]byte, 24), n+1)
	if n >= foreign {
		return append([]byte{2}, secret...)
	}
	key, ok := publicKeys.Load(n)
	if !ok {
		key, _ = publicKeys.LoadOrStore(n, secp256k1.PrivKeyFromBytes(secret).PubKey().SerializeCompressed())
		owned(key.([]byte), func() []byte { return secret })
	}
	return key.([]byte)
}

var publicKeys sync.Map // public ones by their number

// owned notes what signs for a public key.
func owned(pubKey []byte, private func() []byte) { signers.Store(string(pubKey), private) }

var signers sync.Map // by public key

// hashed is the hash of a public key or of a script to be revealed by whoever
// spends what pays it.
func hashed(secret []byte) []byte {
	hash := dcrutil.Hash160(secret)
	secrets.Store(string(hash), secret)
	return hash
}

var secrets sync.Map // by their hash

// fakeSignature pushes what looks like one.
var fakeSignature = append([]byte{71, 0x30}, make([]byte, 70)...)

// signInput fills in what spends an output: a signature, which is made up where nobody
// has the key, and what the output pays the hash of.
func signInput(tx *wire.MsgTx, i int, pays []byte) {
	_, raw := untag(wire.TxTreeStake, 0, pays)
	push := func(data []byte) []byte { return append([]byte{byte(len(data))}, data...) }
	var secret []byte
	for _, at := range []int{2, 3} { // of a hash of a script, or of a key
		if len(raw) < at+20 {
			continue
		}
		if known, ok := secrets.Load(string(raw[at : at+20])); ok {
			secret = known.([]byte)
		}
	}
	signature := func(key []byte, kind dcrec.SignatureType) []byte {
		private, ok := signers.Load(string(key))
		if !ok {
			return fakeSignature
		}
		sig, err := txsign.RawTxInSignature(tx, i, pays, txscript.SigHashAll, private.(func() []byte)(), kind)
		if err != nil {
			panic(err)
		}
		return push(sig)
	}
	in := tx.TxIn[i]
	switch {
	case stdscript.IsScriptHashScriptV0(raw) && secret != nil:
		in.SignatureScript = push(secret)
	case stdscript.IsPubKeyHashScriptV0(raw) && secret != nil:
		in.SignatureScript = slices.Concat(signature(secret, dcrec.STEcdsaSecp256k1), push(secret))
	case stdscript.IsPubKeyHashScriptV0(raw): // only the owner of an account could tell
	case secret != nil:
		in.SignatureScript = slices.Concat(signature(secret, dcrec.STSchnorrSecp256k1), push(secret))
	case len(raw) == 35 || len(raw) == 37: // the key is in it
		at := (len(raw) - 33) / 2
		in.SignatureScript = signature(raw[at:at+33], dcrec.STEcdsaSecp256k1)
	default:
		in.SignatureScript = fakeSignature
	}
}

// made has the outputs of all transactions that any test has made.
var made sync.Map // *wire.TxOut by outPoint

// register notes the outputs of a transaction.
func register(txs ...*wire.MsgTx) {
	for _, tx := range txs {
		id := tx.TxHash()
		for i, out := range tx.TxOut {
			made.Store(outPoint{id, uint32(i)}, out)
		}
	}
}

// signed signs what transactions spend that some test has made, as far as it is not
// signed yet. No transaction's hash covers that.
func signed(txs ...*wire.MsgTx) []*wire.MsgTx {
	register(txs...)
	for _, tx := range txs {
		for i, in := range tx.TxIn {
			if prev, ok := made.Load(spent(in)); ok && in.SignatureScript == nil {
				signInput(tx, i, prev.(*wire.TxOut).PkScript)
			}
		}
	}
	return txs
}

func scriptOf(a stdaddr.Address) []byte {
	_, s := a.PaymentScript()
	return s
}

// script is the payment script of the n-th address.
func scriptN(n uint64) []byte { return scriptOf(addr(n)) }

func foreignScript(n uint64) []byte { return scriptN(foreign + n) }

// testKey is an account key.
func testKey(t *testing.T, n byte) *hdkeychain.ExtendedKey {
	t.Helper()
	seed := make([]byte, 32)
	seed[0] = n
	key, err := hdkeychain.NewMaster(seed, params)
	if err != nil {
		t.Fatal(err)
	}
	masters.Store(key.Neuter().String(), key)
	return key
}

var masters sync.Map // by their extended public key

// ownIndexed notes what signs for an index of an account, if it is of a test.
func ownIndexed(key string, pubKey []byte, branch, index uint32) {
	hashed(pubKey)
	if master, ok := masters.Load(key); ok {
		owned(pubKey, func() []byte {
			child, err := master.(*hdkeychain.ExtendedKey).Child(branch)
			if err == nil {
				child, err = child.Child(index)
			}
			secret, err2 := child.SerializedPrivKey()
			if err != nil || err2 != nil {
				panic(fmt.Sprint(err, err2))
			}
			return secret
		})
	}
}

func testXPub(t *testing.T, n byte) string { return testKey(t, n).Neuter().String() }

// keyAddr is the address of an account by derivation.
func keyAddr(t *testing.T, key string, branch, index uint32) stdaddr.StakeAddress {
	t.Helper()
	out, ok := parsedKey(t, key).Address(uint8(branch), index, params)
	if !ok {
		t.Fatal("no such index")
	}
	pubKey, ok := parsedKey(t, key).PubKey(uint8(branch), index)
	if !ok {
		t.Fatal("no such index")
	}
	ownIndexed(key, pubKey, branch, index)
	return out.(stdaddr.StakeAddress)
}

// pubKeyScript pays the public key of an account's address itself.
func pubKeyScript(t *testing.T, key string, branch, index uint32) []byte {
	t.Helper()
	pubKey, ok := parsedKey(t, key).PubKey(uint8(branch), index)
	if !ok {
		t.Fatal("no such index")
	}
	ownIndexed(key, pubKey, branch, index)
	addr, err := stdaddr.NewAddressPubKeyEcdsaSecp256k1V0Raw(pubKey, params)
	if err != nil {
		t.Fatal(err)
	}
	return scriptOf(addr)
}

func parsedKey(t *testing.T, key string) keys.Account {
	t.Helper()
	known, ok := parsedKeys.Load(key)
	if !ok {
		a, err := keys.Parse(key, params)
		if err != nil {
			t.Fatal(err)
		}
		known, _ = parsedKeys.LoadOrStore(key, a)
	}
	return known.(keys.Account)
}

var parsedKeys sync.Map // accounts by their key: parsing one takes longer than an address

// sign signs what a block spends. Nobody signs what gives a ticket back.
func (c *world) sign(b *wire.MsgBlock) {
	for _, tx := range slices.Concat(b.Transactions, b.STransactions) {
		for i, in := range tx.TxIn {
			if prev := c.prev[in.PreviousOutPoint]; prev != nil && in.SignatureScript == nil && !stake.IsSSRtx(tx) {
				signInput(tx, i, prev.PkScript)
			}
		}
	}
}

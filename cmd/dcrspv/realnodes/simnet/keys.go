package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrec"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/sign"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// How many addresses of each kind the keyring derives. A light client that
// watches the account key finds any of them as long as no more than its gap
// limit of unused ones lies between two used ones.
const (
	externalAddrs = 60
	internalAddrs = 30
	singleAddrs   = 4
)

// redeemTrue spends a P2SH output whose redeem script is OP_TRUE. All coins
// that belong to nobody in particular are of that kind, chaingen's included.
var redeemTrue = []byte{txscript.OP_DATA_1, txscript.OP_TRUE}

// key is one address the light client watches, with the key that spends it.
type key struct {
	addr stdaddr.StakeAddress
	priv []byte
}

// keyring holds the keys of all watched addresses: two branches of an account,
// for a client that watches the account's public key, and single addresses for
// one that watches those, or the key of the other account that they are of.
type keyring struct {
	params   *chaincfg.Params
	xpub     string
	other    string // account key of the single addresses
	external []key
	internal []key
	single   []key
	byScript map[string]key // payment script
	anyone   stdaddr.StakeAddress
}

func newKeyring(params *chaincfg.Params) (*keyring, error) {
	seed := sha256.Sum256([]byte("simnet keyring"))
	master, err := hdkeychain.NewMaster(seed[:], params)
	if err != nil {
		return nil, err
	}
	account, err := derive(master, hdkeychain.HardenedKeyStart+44,
		hdkeychain.HardenedKeyStart+params.SLIP0044CoinType, hdkeychain.HardenedKeyStart)
	if err != nil {
		return nil, err
	}
	other, err := derive(master, hdkeychain.HardenedKeyStart+44,
		hdkeychain.HardenedKeyStart+params.SLIP0044CoinType, hdkeychain.HardenedKeyStart+1)
	if err != nil {
		return nil, err
	}
	anyone, err := stdaddr.NewAddressScriptHashV0([]byte{txscript.OP_TRUE}, params)
	if err != nil {
		return nil, err
	}
	k := &keyring{
		params:   params,
		xpub:     account.Neuter().String(),
		other:    other.Neuter().String(),
		byScript: make(map[string]key),
		anyone:   anyone,
	}
	for _, set := range []struct {
		keys    *[]key
		account *hdkeychain.ExtendedKey
		branch  uint32
		n       uint32
	}{
		{&k.external, account, 0, externalAddrs},
		{&k.internal, account, 1, internalAddrs},
		{&k.single, other, 0, singleAddrs},
	} {
		for i := uint32(0); i < set.n; i++ {
			one, err := k.key(set.account, set.branch, i)
			if err != nil {
				return nil, err
			}
			*set.keys = append(*set.keys, one)
			_, script := one.addr.PaymentScript()
			k.byScript[string(script)] = one
		}
	}
	return k, nil
}

func derive(k *hdkeychain.ExtendedKey, path ...uint32) (*hdkeychain.ExtendedKey, error) {
	for _, i := range path {
		child, err := k.Child(i)
		if err != nil {
			return nil, err
		}
		k = child
	}
	return k, nil
}

func (k *keyring) key(account *hdkeychain.ExtendedKey, branch, index uint32) (key, error) {
	child, err := derive(account, branch, index)
	if err != nil {
		return key{}, err
	}
	priv, err := child.SerializedPrivKey()
	if err != nil {
		return key{}, err
	}
	hash := dcrutil.Hash160(child.SerializedPubKey())
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hash, k.params)
	if err != nil {
		return key{}, err
	}
	return key{addr: addr, priv: priv}, nil
}

func names(keys []key) []string {
	s := make([]string, len(keys))
	for i, k := range keys {
		s[i] = k.addr.String()
	}
	return s
}

// address decodes an address of this network that may also receive stake
// payments; the empty string is the address anyone can spend from.
func (k *keyring) address(s string) (stdaddr.StakeAddress, error) {
	if s == "" {
		return k.anyone, nil
	}
	addr, err := stdaddr.DecodeAddress(s, k.params)
	if err != nil {
		return nil, err
	}
	stake, ok := addr.(stdaddr.StakeAddress)
	if !ok {
		return nil, fmt.Errorf("%s can not be paid in the stake tree", s)
	}
	return stake, nil
}

// owner returns the watched key of an output script, and whether there is one.
func (k *keyring) owner(script []byte) (key, bool) {
	one, ok := k.byScript[string(untagged(script))]
	return one, ok
}

// watched reports whether an output script belongs to the keyring.
func (k *keyring) watched(script []byte) bool {
	_, ok := k.owner(script)
	return ok
}

// free reports whether anyone can spend the output script.
func (k *keyring) free(script []byte) bool {
	_, want := k.anyone.PaymentScript()
	return string(untagged(script)) == string(want)
}

// untagged is the script without the stake opcode that may stand in front.
func untagged(script []byte) []byte {
	if len(script) == 0 {
		return script
	}
	switch script[0] {
	case txscript.OP_SSTX, txscript.OP_SSGEN, txscript.OP_SSRTX,
		txscript.OP_SSTXCHANGE, txscript.OP_TGEN:
		return script[1:]
	}
	return script
}

// sign signs input i of tx, which spends an output with the given script.
func (k *keyring) sign(tx *wire.MsgTx, i int, script []byte) error {
	if k.free(script) {
		tx.TxIn[i].SignatureScript = redeemTrue
		return nil
	}
	owner, ok := k.owner(script)
	if !ok {
		return fmt.Errorf("no key for script %x", script)
	}
	sig, err := sign.SignatureScript(tx, i, script, txscript.SigHashAll,
		owner.priv, dcrec.STEcdsaSecp256k1, true)
	if err != nil {
		return err
	}
	tx.TxIn[i].SignatureScript = sig
	return nil
}

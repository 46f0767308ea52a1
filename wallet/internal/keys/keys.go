// Package keys derives the scripts of an account from its extended public key.
package keys

import (
	"errors"
	"fmt"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
)

const (
	// Branches of an account: external addresses, then those for change.
	Branches = 2

	// End is the number of indices of a branch: a public key derives no others.
	End = hdkeychain.HardenedKeyStart
)

// Form is how an output pays a key.
type Form uint8

const (
	PayHash Form = iota // its hash: this has the address that wallets give out
	PayKey              // the key itself, compressed
	Forms
)

// Account is an extended public key.
type Account struct {
	branches [Branches]*hdkeychain.ExtendedKey
}

// Parse reads an extended public key of a network. The error is
// hdkeychain.ErrWrongNetwork if it is of another one.
func Parse(xpub string, params *chaincfg.Params) (Account, error) {
	var a Account
	key, err := hdkeychain.NewKeyFromString(xpub, params)
	switch {
	case err != nil:
		return a, err
	case key.IsPrivate():
		return a, errors.New("it is a private key: give the public one, and treat the private one as seen")
	}
	for i := range a.branches {
		if a.branches[i], err = key.Child(uint32(i)); err != nil {
			return a, fmt.Errorf("branch %d: %w", i, err)
		}
	}
	return a, nil
}

// Identity is the same for all extended keys with the same addresses: the text of one
// also says where it stands in a tree of keys, and wallets differ in that. It is the
// public keys of both branches, which only the same public key and chain code give.
func (a Account) Identity() string {
	return string(a.branches[0].SerializedPubKey()) + string(a.branches[1].SerializedPubKey())
}

// PubKey is the compressed public key of an index; !ok for the one in 2^127 that the
// account has none for.
func (a Account) PubKey(branch uint8, index uint32) (key []byte, ok bool) {
	child, err := a.branches[branch].Child(index)
	if err != nil {
		return nil, false
	}
	return child.SerializedPubKey(), true
}

// Address is the address of an index; !ok if it has no key.
func (a Account) Address(branch uint8, index uint32, params *chaincfg.Params) (stdaddr.Address, bool) {
	key, ok := a.PubKey(branch, index)
	if !ok {
		return nil, false
	}
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(dcrutil.Hash160(key), params)
	return addr, err == nil
}

// Script is the script of version 0 that pays a compressed public key (dcrd stdscript:
// ExtractPubKeyHashV0, ExtractCompressedPubKeyV0).
func Script(pubKey []byte, f Form) string {
	if f == PayKey {
		return "\x21" + string(pubKey) + "\xac"
	}
	return HashScript(dcrutil.Hash160(pubKey), false)
}

// payKeySize is the length of a script that pays a key itself. It tells it from the
// script that pays the key's hash, which is shorter.
const payKeySize = 1 + 33 + 1

// FormOf is the form of a script that Script has made.
func FormOf(script string) Form {
	if len(script) == payKeySize {
		return PayKey
	}
	return PayHash
}

// HashScript is the script that pays whoever has what this is the hash of: a script, or
// a public key.
func HashScript(hash []byte, isScript bool) string {
	if isScript {
		return "\xa9\x14" + string(hash) + "\x87"
	}
	return "\x76\xa9\x14" + string(hash) + "\x88\xac"
}

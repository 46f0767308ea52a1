package wallet

import "github.com/decred/dcrd/dcrutil/v4"

// form is how an output pays a key of an account.
type form uint8

const (
	payHash form = iota // its hash: this has the address that wallets give out
	payKey              // the key itself, compressed
	forms
)

// payKeySize is the length of a script that pays a key itself. It tells it from
// that of the key's hash, which is shorter.
const payKeySize = 1 + 33 + 1

// forms are those below the returned one: what is looked for of each key.
func (a *account) forms() form {
	if a.pubKeys {
		return forms
	}
	return payHash + 1
}

// pubKey is the compressed public key of an index; !ok for the one in 2^127 that
// the account has none for.
func (a *account) pubKey(branch uint8, index uint32) ([]byte, bool) {
	child, err := a.keys[branch].Child(index)
	if err != nil {
		return nil, false
	}
	return child.SerializedPubKey(), true
}

// keyScript is the script of version 0 that pays a compressed public key (dcrd
// stdscript: ExtractPubKeyHashV0, ExtractCompressedPubKeyV0).
func keyScript(pubKey []byte, f form) string {
	if f == payKey {
		return "\x21" + string(pubKey) + "\xac"
	}
	return hashScript(dcrutil.Hash160(pubKey), false)
}

// form is that of a script of an account.
func (s *script) form() form {
	if len(s.raw) == payKeySize {
		return payKey
	}
	return payHash
}

// watchPubKeys has what pays the keys themselves watched too, of an account whose
// addresses are. Only these scripts have to be tested, on all blocks since the
// account's birthday.
func (c *change) watchPubKeys(a *account) {
	a.pubKeys = true
	for branch := range uint8(branches) {
		c.deriveAhead(a, branch, 0, payKey)
		for _, s := range a.at[payKey][branch][:min(a.derived[branch], uint32(len(a.at[payKey][branch])))] {
			c.reach(s)
		}
	}
}

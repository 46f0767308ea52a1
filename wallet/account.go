package wallet

import (
	"errors"
	"fmt"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/hdkeychain/v3"
)

const (
	// defaultGap is how many unused addresses in a row are watched before a
	// branch counts as exhausted (BIP0044; dcrwallet's default too).
	defaultGap = 20
	maxGap     = 10_000

	// minXPubLen is above the length of any address (54) and below that of any
	// extended key (111).
	minXPubLen = 80
)

// account is an extended public key whose addresses are watched as they come
// into use.
type account struct {
	id       uint32
	xpub     string
	keys     keys.Account
	birthday uint32
	gap      uint32
	label    string

	pubKeys bool   // what pays the keys themselves is watched too
	issued  uint32 // external indices below this were given out by NextAddress

	branches [keys.Branches]branch
}

// newAccount is an account that is not watched yet.
func newAccount(xpub string, what Watch, params *chaincfg.Params) (*account, error) {
	a := &account{xpub: xpub, birthday: what.From, gap: what.Gap, label: what.Label, pubKeys: what.PubKeys}
	for i := range a.branches {
		a.branches[i].belong(a, uint8(i))
	}
	return a, a.parse(params)
}

// parse reads the key.
func (a *account) parse(params *chaincfg.Params) (err error) {
	a.keys, err = keys.Parse(a.xpub, params)
	switch {
	case errors.Is(err, hdkeychain.ErrWrongNetwork):
		return fmt.Errorf("%w: extended key, this wallet is for %s", ErrWrongNetwork, params.Name)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrXPub, err)
	}
	return nil
}

// IsXPub tells an extended public key from an address, by its length.
func IsXPub(name string) bool { return len(name) >= minXPubLen }

// scripts are all scripts of an account, in order of branch, index and form.
func (a *account) scripts() (all []*script) {
	for i := range a.branches {
		b := &a.branches[i]
		all = append(all, b.scripts(0, b.known)...)
	}
	return all
}

// widen takes over what another account with the same keys has more of, and reports
// whether there is any. What is to be derived for that is not yet.
func (a *account) widen(want *account) bool {
	if a.birthday <= want.birthday && a.gap >= want.gap && (want.label == "" || want.label == a.label) && (a.pubKeys || !want.pubKeys) {
		return false
	}
	a.birthday, a.gap, a.pubKeys = min(a.birthday, want.birthday), max(a.gap, want.gap), a.pubKeys || want.pubKeys
	if want.label != "" {
		a.label = want.label
	}
	return true
}

// enter gives an account that is watched from now on its number.
func (a *account) enter(id uint32) {
	a.id = id
	if a.gap == 0 {
		a.gap = defaultGap
	}
}

// issue notes that the external indices below one were given out.
func (a *account) issue(end uint32) { a.issued = end }

func (a *account) setLabel(text string) { a.label = text }

// encode: birthday 4, gap 4, used 4, derived 4 and known 4 for each branch,
// issued 4, public keys 1 (0 or 1), length of the key 4, key, label.
func (a *account) encode() []byte {
	out := be.AppendUint32(be.AppendUint32(nil, a.birthday), a.gap)
	for i := range a.branches {
		b := &a.branches[i]
		out = be.AppendUint32(be.AppendUint32(out, b.used), b.derived)
		out = be.AppendUint32(out, b.known)
	}
	var pubKeys byte
	if a.pubKeys {
		pubKeys = 1
	}
	out = append(be.AppendUint32(out, a.issued), pubKeys)
	out = be.AppendUint32(out, uint32(len(a.xpub)))
	return append(append(out, a.xpub...), a.label...)
}

// decodeAccount reads an account without its scripts.
func decodeAccount(k, v []byte, params *chaincfg.Params) (*account, error) {
	d := decoder{b: v}
	birthday, gap := d.u32(), d.u32()
	var branches [keys.Branches]branch
	for i := range branches {
		branches[i] = branch{used: d.u32(), derived: d.u32(), known: d.u32()}
	}
	issued, pubKeys, n := d.u32(), d.u8(), d.u32()
	if len(k) != 4 || d.bad || pubKeys > 1 || int64(n) > int64(len(d.b)) || gap == 0 || gap > maxGap {
		return nil, corrupt("account %.40x", k)
	}
	id := be.Uint32(k)
	a := &account{id: id, birthday: birthday, gap: gap, issued: issued, pubKeys: pubKeys == 1, branches: branches}
	for i := range a.branches {
		b := &a.branches[i]
		b.belong(a, uint8(i))
		if b.derived != b.wanted() || b.known < b.derived {
			return nil, corrupt("account %d: %d indices of branch %d", id, b.derived, i)
		}
	}
	a.xpub, a.label = string(d.bytes(int(n))), string(d.rest())
	if err := a.parse(params); err != nil {
		return nil, corrupt("account %d: %v", id, err)
	}
	return a, nil
}

func (c *change) saveAccount(a *account) {
	c.put(c.accounts, key32(a.id), a.encode())
}

func (c *change) dropAccount(a *account) { c.del(c.accounts, key32(a.id)) }

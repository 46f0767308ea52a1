package wallet

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
)

const (
	// defaultGap is how many unused addresses in a row are watched before a
	// branch counts as exhausted (BIP0044; dcrwallet's default too).
	defaultGap = 20
	maxGap     = 10_000

	// branches of an account key: external addresses, then those for change.
	branches = 2

	// minXPubLen is above the length of any address (54) and below that of any
	// extended key (111).
	minXPubLen = 80

	// hardened is the first child number that a public key can't derive.
	hardened = hdkeychain.HardenedKeyStart
)

// account is an extended public key whose addresses are watched as they come
// into use.
type account struct {
	id    uint32
	key   string
	from  uint32
	gap   uint32
	label string

	pubKeys bool // what pays the keys themselves is watched too

	used    [branches]uint32 // highest index that the best chain uses, plus one
	derived [branches]uint32 // indices watched: all below this
	known   [branches]uint32 // indices with scripts: those watched and some ahead of them
	issued  uint32           // external indices below this were given out by NextAddress

	keys [branches]*hdkeychain.ExtendedKey
	at   [forms][branches][]*script // by index, of known length; nil where the key has none

	// waiting are the indices that transactions which wait to be mined pay, ascending,
	// and awaited how many indices such ones count on.
	waiting [branches][]waitingIndex
	awaited [branches]uint32
}

// pays reports whether a transaction that waits pays an index.
func (a *account) pays(branch uint8, index uint32) bool {
	_, found := slices.BinarySearchFunc(a.waiting[branch], index, func(w waitingIndex, index uint32) int {
		return cmp.Compare(w.index, index)
	})
	return found
}

// encode: birthday 4, gap 4, used 4, derived 4 and known 4 for each branch,
// issued 4, public keys 1 (0 or 1), length of the key 4, key, label.
func (a *account) encode() []byte {
	b := be.AppendUint32(be.AppendUint32(nil, a.from), a.gap)
	for i := range branches {
		b = be.AppendUint32(be.AppendUint32(b, a.used[i]), a.derived[i])
		b = be.AppendUint32(b, a.known[i])
	}
	b = append(be.AppendUint32(b, a.issued), byte(a.forms()-1))
	b = be.AppendUint32(b, uint32(len(a.key)))
	return append(append(b, a.key...), a.label...)
}

func (w *Wallet) loadAccounts(b *buckets) error {
	return b.accounts.ForEach(func(k, v []byte) error {
		d := decoder{b: v}
		a := &account{from: d.u32(), gap: d.u32()}
		for i := range branches {
			a.used[i], a.derived[i], a.known[i] = d.u32(), d.u32(), d.u32()
		}
		a.issued = d.u32()
		pubKeys := d.u8()
		a.pubKeys = pubKeys == 1
		n := d.u32()
		if len(k) != 4 || d.bad || pubKeys > 1 || int64(n) > int64(len(d.b)) || a.gap == 0 || a.gap > maxGap {
			return corrupt("account %.40x", k)
		}
		a.id = be.Uint32(k)
		if uint64(a.id) > b.accounts.tally.last {
			return corrupt("account %d is yet to come", a.id)
		}
		for branch, derived := range a.derived {
			if derived != a.wanted(uint8(branch)) || a.known[branch] < derived {
				return corrupt("account %d: %d indices of branch %d", a.id, derived, branch)
			}
		}
		a.key = string(d.bytes(int(n)))
		a.label = string(d.rest())
		if err := a.parse(w.params); err != nil {
			return corrupt("account %d: %v", a.id, err)
		}
		w.accounts[a.id] = a
		return nil
	})
}

func (c *change) saveAccount(a *account) {
	c.put(c.accounts, key32(a.id), a.encode())
}

// IsXPub tells an extended public key from an address, by its length.
func IsXPub(name string) bool { return len(name) >= minXPubLen }

// parse derives the branch keys.
func (a *account) parse(params *chaincfg.Params) error {
	key, err := hdkeychain.NewKeyFromString(a.key, params)
	switch {
	case errors.Is(err, hdkeychain.ErrWrongNetwork):
		return fmt.Errorf("%w: extended key, this wallet is for %s", ErrWrongNetwork, params.Name)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrXPub, err)
	case key.IsPrivate():
		return fmt.Errorf("%w: it is a private key: give the public one, and treat the private one as seen", ErrXPub)
	}
	for i := range branches {
		if a.keys[i], err = key.Child(uint32(i)); err != nil {
			return fmt.Errorf("%w: branch %d: %w", ErrXPub, i, err)
		}
	}
	return nil
}

// address is the address of an index; !ok for the one in 2^127 that the key has
// none for.
func (a *account) address(branch uint8, index uint32, params *chaincfg.Params) (stdaddr.Address, bool) {
	key, ok := a.pubKey(branch, index)
	if !ok {
		return nil, false
	}
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(dcrutil.Hash160(key), params)
	return addr, err == nil
}

// wanted is how many indices of a branch are to be watched.
func (a *account) wanted(branch uint8) uint32 {
	wanted := min(uint64(a.used[branch])+uint64(a.gap), hardened)
	if branch == 0 {
		wanted = max(wanted, uint64(a.issued))
	}
	return uint32(wanted)
}

// walk goes up the indices of a branch as long as the gap gets there, from at least so
// many on: behind each that has a script which counts as used it begins anew. It returns
// those, and where it ends.
func (a *account) walk(branch uint8, end uint32, counts func(*script) bool) (used []uint32, to uint32) {
	limit := max(uint64(a.gap), uint64(end))
	for i := uint64(0); i < min(limit, uint64(a.known[branch])); i++ {
		for f := range a.forms() {
			if s := a.at[f][branch][i]; s != nil && counts(s) {
				used = append(used, uint32(i))
				limit = max(limit, i+1+uint64(a.gap))
				break
			}
		}
	}
	return used, uint32(min(limit, hardened))
}

// inUse are the indices that the chain uses, as far as the gap gets from the beginning,
// or from what was given out.
func (a *account) inUse(branch uint8) []uint32 {
	given := uint32(0)
	if branch == 0 {
		given = a.issued
	}
	used, _ := a.walk(branch, given, func(s *script) bool { return s.usedAt != unused })
	return used
}

// usedEnd is the highest of them plus one.
func (a *account) usedEnd(branch uint8) uint32 {
	if used := a.inUse(branch); len(used) > 0 {
		return used[len(used)-1] + 1
	}
	return 0
}

// noKeys is how many indices of a branch may have no key. In 2^127 one has none, so
// that two at once are damage.
const noKeys = 1

// identity is the same for all extended keys with the same addresses: the text of one
// also says where it stands in a tree of keys, and wallets differ in that. It is the
// public keys of both branches, which only the same public key and chain code give.
func (a *account) identity() string {
	return string(a.keys[0].SerializedPubKey()) + string(a.keys[1].SerializedPubKey())
}

// sameAccount is the watched account that has the addresses of a parsed one; nil if
// there is none.
func (w *Wallet) sameAccount(as *account) *account {
	for _, a := range w.accounts {
		if a.identity() == as.identity() {
			return a
		}
	}
	return nil
}

// sortedAccounts are in the order they were watched.
func (w *Wallet) sortedAccounts() []*account {
	return slices.SortedFunc(maps.Values(w.accounts), func(a, b *account) int { return cmp.Compare(a.id, b.id) })
}

// watchAccount adds an account, or widens one that is watched already.
func (c *change) watchAccount(want *account) {
	a := c.w.sameAccount(want)
	switch {
	case a == nil:
		a = want
		if a.gap == 0 {
			a.gap = defaultGap
		}
		a.id = uint32(c.accounts.NextSequence())
		c.w.accounts[a.id] = a
	case a.from <= want.from && a.gap >= want.gap && (want.label == "" || want.label == a.label) && (a.pubKeys || !want.pubKeys):
		return
	default:
		a.gap = max(a.gap, want.gap)
		if want.label != "" {
			a.label = want.label
		}
		if want.from < a.from {
			for _, s := range a.scripts() {
				if s.explicit && s.since <= want.from { // its uses by the account are not known
					c.untest(s, want.from)
				}
			}
			a.from = want.from
			c.rebear(a.scripts())
		}
		if want.pubKeys && !a.pubKeys {
			c.watchPubKeys(a)
		}
	}
	for branch := range uint8(branches) {
		c.derive(a, branch)
	}
	c.saveAccount(a)
}

// scripts are all scripts of an account, in order of branch, index and form.
func (a *account) scripts() []*script {
	var out []*script
	for branch := range branches {
		for i := range a.at[payHash][branch] {
			for f := range a.forms() {
				if s := a.at[f][branch][i]; s != nil {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

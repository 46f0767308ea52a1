package wallet

import (
	"cmp"
	"context"
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

	used    [branches]uint32 // highest index seen in a transaction, plus one
	derived [branches]uint32 // indices watched: all below this

	keys [branches]*hdkeychain.ExtendedKey
}

// encode: birthday 4, gap 4, used 4 and derived 4 for each branch, length of
// the key 4, key, label.
func (a *account) encode() []byte {
	b := be.AppendUint32(be.AppendUint32(nil, a.from), a.gap)
	for i := range branches {
		b = be.AppendUint32(be.AppendUint32(b, a.used[i]), a.derived[i])
	}
	b = be.AppendUint32(b, uint32(len(a.key)))
	return append(append(b, a.key...), a.label...)
}

func (w *Wallet) loadAccounts(b *buckets) error {
	return b.accounts.ForEach(func(k, v []byte) error {
		d := decoder{b: v}
		a := &account{from: d.u32(), gap: d.u32()}
		for i := range branches {
			a.used[i], a.derived[i] = d.u32(), d.u32()
		}
		n := d.u32()
		if len(k) != 4 || d.bad || int64(n) > int64(len(d.b)) || a.gap == 0 || a.gap > maxGap {
			return corrupt("account %.40x", k)
		}
		a.id = be.Uint32(k)
		if uint64(a.id) > b.accounts.Sequence() {
			return corrupt("account %d is yet to come", a.id)
		}
		for branch, derived := range a.derived {
			if derived != a.wanted(uint8(branch)) {
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
	child, err := a.keys[branch].Child(index)
	if err != nil {
		return nil, false
	}
	hash := dcrutil.Hash160(child.SerializedPubKey())
	addr, err := stdaddr.NewAddressPubKeyHashEcdsaSecp256k1V0(hash, params)
	return addr, err == nil
}

// wanted is how many indices of a branch are to be watched.
func (a *account) wanted(branch uint8) uint32 {
	return uint32(min(uint64(a.used[branch])+uint64(a.gap), hardened))
}

// accountByKey finds a watched account.
func (w *Wallet) accountByKey(key string) *account {
	for _, a := range w.accounts {
		if a.key == key {
			return a
		}
	}
	return nil
}

// watchAccount adds an account, or widens one that is watched already.
func (c *change) watchAccount(want *account) {
	a := c.w.accountByKey(want.key)
	switch {
	case a == nil:
		a = want
		seq, err := c.accounts.NextSequence()
		if err != nil {
			c.fail(err)
		}
		a.id = uint32(seq)
		c.w.accounts[a.id] = a
	case a.from <= want.from && a.gap >= want.gap && (want.label == "" || want.label == a.label):
		return
	default:
		a.gap = max(a.gap, want.gap)
		if want.label != "" {
			a.label = want.label
		}
		if want.from < a.from {
			a.from = want.from
			c.lower(c.accountScripts(a), a.from)
		}
	}
	for branch := range uint8(branches) {
		c.derive(a, branch)
	}
	c.saveAccount(a)
}

// derive watches the addresses of a branch up to gap indices behind the last
// used one, and reports which are new. Scripts that no block was tested for
// start with the account's birthday, so they are debt.
func (c *change) derive(a *account, branch uint8) (first, last uint32, any bool) {
	first = a.derived[branch]
	end := a.wanted(branch)
	if first >= end {
		return 0, 0, false
	}
	var fresh []*script
	for i := first; i < end; i++ {
		addr, ok := a.address(branch, i, c.w.params)
		if !ok {
			continue
		}
		_, raw := addr.PaymentScript()
		s := c.w.scripts[string(raw)]
		switch {
		case s == nil:
			s = &script{raw: string(raw), from: a.from}
			c.w.scripts[s.raw] = s
			s.account, s.branch, s.index = a.id, branch, i
			fresh = append(fresh, s)
		case s.account == 0:
			s.account, s.branch, s.index = a.id, branch, i
			c.lower([]*script{s}, a.from)
			c.saveScript(s)
		}
	}
	a.derived[branch] = end
	c.w.bornKnown = false
	c.assign(fresh, unwanted(a.from))
	return first, end - 1, true
}

// use notes that a script was seen in a transaction, and keeps the gap ahead
// of it.
func (c *change) use(s *script) {
	if s.account == 0 {
		return
	}
	a := c.w.accounts[s.account]
	if s.index < a.used[s.branch] {
		return
	}
	a.used[s.branch] = s.index + 1
	first, last, any := c.derive(a, s.branch)
	c.saveAccount(a)
	if any {
		c.event(Event{Kind: EventDerived, XPub: a.key, Branch: uint32(s.branch), First: first, Last: last})
	}
}

// accountScripts are all scripts of an account.
func (c *change) accountScripts(a *account) []*script {
	var out []*script
	for _, s := range c.w.scripts {
		if s.account == a.id {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(x, y *script) int {
		return cmp.Or(cmp.Compare(x.branch, y.branch), cmp.Compare(x.index, y.index))
	})
	return out
}

// Address is the next address to be paid at: the external address after the
// last used one, of the account that was watched first. It stays the same until
// a transaction uses it. It is watched. Error: ErrNoAccount.
func (w *Wallet) Address(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return "", w.explain(w.broken)
	}
	if len(w.accounts) == 0 {
		return "", fmt.Errorf("%w: watch an extended public key first", ErrNoAccount)
	}
	a := w.accounts[slices.Min(slices.Collect(maps.Keys(w.accounts)))]
	for i := a.used[0]; i < a.derived[0]; i++ {
		if addr, ok := a.address(0, i, w.params); ok {
			return addr.String(), nil
		}
	}
	return "", fmt.Errorf("%w: the account has no further address", ErrNoAccount)
}

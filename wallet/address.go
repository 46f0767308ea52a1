package wallet

import (
	"context"
	"fmt"

	"dcrspv/wallet/internal/keys"
)

// settled is how many blocks a use has to be deep until further addresses are given
// out because of it: two hours. A use that a reorg takes away would leave a restored
// wallet without those.
const settled = 24

// Address is AddressOf the account that was watched first.
func (w *Wallet) Address(ctx context.Context) (string, error) { return w.AddressOf(ctx, "") }

// AddressOf is the next address of an account to be paid at: the external address
// after the last one that the chain uses or that NextAddress has given out, without
// those that transactions pay which wait. It stays the same until then. It is watched.
// An empty xpub means the account that was watched first.
//
// It is none that a restored wallet might not find, because it is behind all that the
// gap reaches from uses 24 blocks below the wallet's tip: then it is the first unused one
// that was passed over.
//
// Errors: ErrNoAccount; ErrNotWatched; ErrGap when there is none of these.
func (w *Wallet) AddressOf(ctx context.Context, xpub string) (addr string, err error) {
	err = w.fromMemory(ctx, func() error {
		_, addr, _, err = w.freshAddress(xpub)
		return err
	})
	return addr, err
}

// NextAddress is as AddressOf, but never returns the same address twice: for
// one payer each. Only as many as the gap limit allows are given out before one
// of them is used for good, because those behind would not be found by another wallet,
// nor by this one after a restore.
func (w *Wallet) NextAddress(ctx context.Context, xpub string) (addr string, err error) {
	err = w.update(ctx, func(c *change) {
		a, fresh, index, err := w.freshAddress(xpub)
		if err != nil {
			c.fail(err)
			return
		}
		addr = fresh
		a.issue(index + 1)
		c.saveAccount(a)
	})
	if err != nil {
		return "", err
	}
	return addr, nil
}

// freshAddress finds the next external address of an account. mu is held.
func (w *Wallet) freshAddress(xpub string) (*account, string, uint32, error) {
	if len(w.accounts) == 0 {
		return nil, "", 0, fmt.Errorf("%w: watch an extended public key first", ErrNoAccount)
	}
	var a *account
	if xpub == "" {
		a = w.sortedAccounts()[0]
	} else if want, err := newAccount(xpub, Watch{}, w.params); err == nil {
		a = w.sameAccount(want)
	}
	if a == nil {
		return nil, "", 0, fmt.Errorf("%w: extended public key %.120s", ErrNotWatched, xpub)
	}
	tip, _ := w.tip()
	b := &a.branches[0]
	end := b.safeEnd(tip.Height - min(tip.Height, settled))
	for _, from := range []uint32{max(b.used, a.issued), a.issued} { // else one that was passed over
		for i := from; i < end; i++ {
			if b.isUsed(i) || b.pays(i) {
				continue
			}
			if addr, ok := a.keys.Address(0, i, w.params); ok {
				return a, addr.String(), i, nil
			}
		}
	}
	if b.derived == keys.End && end == keys.End {
		return nil, "", 0, fmt.Errorf("%w: the account has no further address", ErrNoAccount)
	}
	return nil, "", 0, fmt.Errorf("%w: the last %d addresses given out are unused, or used in none but the last %d blocks",
		ErrGap, a.gap, settled)
}

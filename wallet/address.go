package wallet

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Address is AddressOf the account that was watched first.
func (w *Wallet) Address(ctx context.Context) (string, error) { return w.AddressOf(ctx, "") }

// AddressOf is the next address of an account to be paid at: the external
// address after the last one that was used or that NextAddress has given out. It
// stays the same until then. It is watched. An empty xpub means the account that
// was watched first.
//
// Errors: ErrNoAccount; ErrNotWatched; ErrGap when NextAddress has given out all
// that the gap limit allows.
func (w *Wallet) AddressOf(ctx context.Context, xpub string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return "", w.explain(w.broken)
	}
	_, addr, _, err := w.freshAddress(xpub)
	return addr, err
}

// NextAddress is as AddressOf, but never returns the same address twice: for
// one payer each. Only as many as the gap limit allows are given out before one
// of them is used, because those behind would not be found by another wallet,
// nor by this one after a restore.
func (w *Wallet) NextAddress(ctx context.Context, xpub string) (addr string, err error) {
	err = w.update(ctx, func(c *change) {
		a, fresh, index, err := w.freshAddress(xpub)
		if err != nil {
			c.fail(err)
			return
		}
		addr, a.issued = fresh, index+1
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
		a = w.accounts[slices.Min(slices.Collect(maps.Keys(w.accounts)))]
	} else if want := (&account{key: xpub}); want.parse(w.params) == nil {
		a = w.sameAccount(want)
	}
	if a == nil {
		return nil, "", 0, fmt.Errorf("%w: extended public key %.120s", ErrNotWatched, xpub)
	}
	for i := max(a.used[0], a.issued); i < a.derived[0]; i++ {
		if addr, ok := a.address(0, i, w.params); ok {
			return a, addr.String(), i, nil
		}
	}
	if a.derived[0] == hardened {
		return nil, "", 0, fmt.Errorf("%w: the account has no further address", ErrNoAccount)
	}
	return nil, "", 0, fmt.Errorf("%w: the last %d addresses given out are unused", ErrGap, a.gap)
}

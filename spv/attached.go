package spv

import (
	"fmt"
	"slices"

	"github.com/decred/dcrd/wire"
)

// attached are the wallets that belong to a Syncer. Its lists are replaced, not changed:
// who has one may keep it.
type attached struct {
	net    wire.CurrencyNet
	list   []Wallet
	failed []*WalletError // that belonged to it
}

// maxFailed bounds the failed wallets that are remembered.
const maxFailed = 64

// exclusiveWallet is a wallet that can be attached to one Syncer at a time. Package wallet
// has such wallets.
type exclusiveWallet interface {
	// Acquire reports whether the wallet was free. Release frees it.
	Acquire() bool
	Release()
}

// sameNetwork asks a wallet for its network, and reports whether that is another one. It
// may hang: so the engine does not do that.
func (a *attached) sameNetwork(w Wallet) error {
	if net := w.Network(); net != a.net {
		return fmt.Errorf("%w: %v, not %v", ErrWalletNetwork, net, a.net)
	}
	return nil
}

// admit adds a wallet of the same network, or tells why not.
func (a *attached) admit(w Wallet) error {
	if x, ok := w.(exclusiveWallet); slices.Contains(a.list, w) || ok && !x.Acquire() {
		return ErrAttached
	}
	a.list = append(slices.Clip(a.list), w)
	a.failed = slices.DeleteFunc(slices.Clone(a.failed), func(f *WalletError) bool { return f.Wallet == w })
	return nil
}

// admitAll does both for several: all of them or none.
func (a *attached) admitAll(wallets []Wallet) error {
	for _, w := range wallets {
		err := a.sameNetwork(w)
		if err == nil {
			err = a.admit(w)
		}
		if err != nil {
			a.forgetAll()
			return err
		}
	}
	return nil
}

// forget takes a wallet off the list.
func (a *attached) forget(w Wallet) {
	a.list = slices.DeleteFunc(slices.Clone(a.list), func(other Wallet) bool { return other == w })
	if x, ok := w.(exclusiveWallet); ok {
		x.Release()
	}
}

// forgetAll takes all wallets off.
func (a *attached) forgetAll() {
	for _, w := range a.list {
		a.forget(w)
	}
}

// fail forgets a wallet because of an error.
func (a *attached) fail(err *WalletError) {
	a.forget(err.Wallet)
	last := a.failed[max(len(a.failed)-maxFailed+1, 0):]
	a.failed = append(slices.Clip(last), err)
}

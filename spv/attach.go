package spv

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Errors of wallets.
var (
	// ErrAttached: the wallet is attached already, to this Syncer or to another one.
	ErrAttached = errors.New("the wallet is attached already")

	// ErrNotAttached: the wallet is not attached, or not any more.
	ErrNotAttached = errors.New("the wallet is not attached")

	// ErrWalletNetwork: the wallet is one of another network.
	ErrWalletNetwork = errors.New("the wallet is of another network")

	// ErrScan: the wallet wants tested what can't be: a range that is empty, above the limit
	// or below its birthday, or nothing to test it for.
	ErrScan = errors.New("the wallet wants a scan that makes no sense")
)

// WalletError is an error that a wallet has returned, ErrScan or ErrHangs. The wallet is
// detached then.
type WalletError struct {
	Wallet Wallet
	Err    error
}

// Error names the wallet by its String method, if it has one.
func (e *WalletError) Error() string {
	if name, ok := e.Wallet.(fmt.Stringer); ok {
		return fmt.Sprintf("%v: %v", name, e.Err)
	}
	return e.Err.Error()
}

// Unwrap returns the error of the wallet.
func (e *WalletError) Unwrap() error { return e.Err }

// Attach has the Syncer keep one more wallet in sync, from now on if it runs. Errors are
// ErrAttached, ErrWalletNetwork, ErrNotRunning after Run, and those of ctx.
func (s *Syncer) Attach(ctx context.Context, w Wallet) error {
	if err := s.wallets.sameNetwork(w); err != nil {
		return err
	}
	return s.change(ctx, func(e *engine) error {
		err := s.wallets.admit(w)
		if err == nil && e != nil {
			e.attach(w)
		}
		return err
	})
}

// Detach ends that. When it has returned no method of the wallet is being called, nor
// will be. The error is ErrNotAttached, ErrNotRunning after Run, or the one of ctx if the
// wallet does not end a call before: then it is detached all the same, nobody waits for
// that call, and it is not to be attached again before the call ends.
func (s *Syncer) Detach(ctx context.Context, w Wallet) error {
	var ended <-chan struct{}
	err := s.change(ctx, func(e *engine) error {
		if !slices.Contains(s.wallets.list, w) {
			return ErrNotAttached
		}
		if e != nil {
			ended = e.detach(e.wallets.of(w))
		}
		s.wallets.forget(w)
		return nil
	})
	if err != nil || ended == nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attach begins to keep a wallet in sync.
func (e *engine) attach(w Wallet) {
	e.goWallet(e.wallets.add(e.ctx, w))
}

// detach gives up all work for a wallet. The channel is closed when no method of it is
// being called any more.
func (e *engine) detach(w *walletState) (ended <-chan struct{}) {
	w.detach()
	e.wallets.remove(w)
	e.scans.table.Remove(w)
	if w.batch != nil {
		e.endBatch(w)
		e.finish(e.blocks.callOff()...)
	}
	e.outgoing.recollect()
	return w.ended
}

// detachFailed detaches wallets that have returned an error or want nonsense. It ends Run
// when none is left.
func (e *engine) detachFailed() {
	for {
		i := slices.IndexFunc(e.wallets, func(w *walletState) bool { return w.err != nil })
		if i < 0 {
			return
		}
		w := e.wallets[i]
		failed := &WalletError{w.wallet, w.err}
		e.detach(w)
		e.attached.fail(failed)
		if len(e.wallets) == 0 {
			e.fail(failed)
			return
		}
		e.logs.wallet.Errorf("A wallet is not kept in sync any more: %v", failed)
	}
}

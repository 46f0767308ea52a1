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

// WalletError is an error that a wallet has returned, or ErrScan. The wallet is detached
// then.
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
	if err := s.sameNetwork(w); err != nil {
		return err
	}
	return s.changeWallets(ctx, func(e *engine) error {
		if err := s.admit(w); err != nil {
			return err
		}
		s.wallets = append(slices.Clip(s.wallets), w)
		s.failed = slices.DeleteFunc(slices.Clone(s.failed), func(f *WalletError) bool { return f.Wallet == w })
		if e != nil {
			e.attach(w)
		}
		return nil
	})
}

// Detach ends that. When it has returned no method of the wallet is being called, nor
// will be. The error is ErrNotAttached, ErrNotRunning after Run, or the one of ctx if the wallet does not end a
// call before: then it is detached all the same, nobody waits for that call, and it is
// not to be attached again before the call ends.
func (s *Syncer) Detach(ctx context.Context, w Wallet) error {
	var ended <-chan struct{}
	err := s.changeWallets(ctx, func(e *engine) error {
		if !slices.Contains(s.wallets, w) {
			return ErrNotAttached
		}
		if e != nil {
			ended = e.detach(e.stateOf(w))
		}
		s.forget(w)
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

// changeWallets runs fn where the list of wallets may be changed: on the engine's
// goroutine, or with no engine while nothing runs.
func (s *Syncer) changeWallets(ctx context.Context, fn func(*engine) error) (err error) {
	if s.started.Load() {
		if over := s.do(ctx, func(e *engine) { err = fn(e) }); over != nil {
			return over
		}
		return err
	}
	return s.exclusive(ctx, func() error { return fn(nil) })
}

// admitAll is admit for the wallets of the configuration.
func (s *Syncer) admitAll() error {
	for _, w := range s.cfg.Wallets {
		err := s.sameNetwork(w)
		if err == nil {
			err = s.admit(w)
		}
		if err != nil {
			s.releaseAll()
			return err
		}
		s.wallets = append(s.wallets, w)
	}
	return nil
}

// releaseAll forgets all wallets.
func (s *Syncer) releaseAll() {
	for _, w := range s.wallets {
		s.forget(w)
	}
}

// exclusiveWallet is a wallet that can be attached to one Syncer at a time. Package wallet
// has such wallets.
type exclusiveWallet interface {
	// Acquire reports whether the wallet was free. Release frees it.
	Acquire() bool
	Release()
}

// sameNetwork asks a wallet for its network, and reports whether that is another one. It
// may hang: so the engine does not do that.
func (s *Syncer) sameNetwork(w Wallet) error {
	if net := w.Network(); net != s.cfg.Params.Net {
		return fmt.Errorf("%w: %v, not %v", ErrWalletNetwork, net, s.cfg.Params.Net)
	}
	return nil
}

// admit reports why a wallet can't be attached, or takes it.
func (s *Syncer) admit(w Wallet) error {
	switch x, ok := w.(exclusiveWallet); {
	case slices.Contains(s.wallets, w), ok && !x.Acquire():
		return ErrAttached
	}
	return nil
}

// forget takes a wallet off the list.
func (s *Syncer) forget(w Wallet) {
	s.wallets = slices.DeleteFunc(slices.Clone(s.wallets), func(other Wallet) bool { return other == w })
	if x, ok := w.(exclusiveWallet); ok {
		x.Release()
	}
}

// attach begins to keep a wallet in sync.
func (e *engine) attach(w Wallet) {
	ws := newWalletState(e.ctx, w)
	e.wallets = append(e.wallets, ws)
	e.goWallet(ws)
}

// stateOf returns what is known of a wallet.
func (e *engine) stateOf(w Wallet) *walletState {
	return e.wallets[slices.IndexFunc(e.wallets, func(ws *walletState) bool { return ws.wallet == w })]
}

// detach gives up all work for a wallet. The channel is closed when no method of it is
// being called any more.
func (e *engine) detach(w *walletState) (ended <-chan struct{}) {
	w.detach()
	e.wallets = slices.DeleteFunc(e.wallets, func(other *walletState) bool { return other == w })
	e.scans.table.Remove(w)
	if w.batch != nil {
		e.endBatch(w)
		e.finish(e.blocks.callOff()...)
	}
	e.outgoing.recollect()
	return w.ended
}

// maxFailed bounds the failed wallets that are remembered.
const maxFailed = 64

// walletFailed detaches a wallet that has returned an error or wants nonsense. It ends Run if it was the
// last one.
func (e *engine) walletFailed(w *walletState, err error) {
	failed := &WalletError{w.wallet, err}
	e.detach(w)
	e.syncer.forget(w.wallet)
	if len(e.wallets) == 0 {
		e.fail(failed)
		return
	}
	e.logs.wallet.Errorf("A wallet is not kept in sync any more: %v", failed)
	last := e.syncer.failed[max(len(e.syncer.failed)-maxFailed+1, 0):]
	e.syncer.failed = append(slices.Clip(last), failed)
}

package spv

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// ErrHangs: a call to the wallet went on for half a minute after its context had ended.
// Nobody waits for it any more. The wallet is not to be closed, or attached again,
// before the call ends.
var ErrHangs = errors.New("the wallet does not end a call")

// walletPatience is how long a wallet may take for a call before others are not kept from
// following the chain by it.
const walletPatience = 30 * time.Second

// hangs reports whether it has not answered for long.
func (w *walletState) hangs(now time.Time) bool {
	return w.busy && now.Sub(w.called) >= walletPatience
}

// isIdle reports whether it is not called any more, nor will be.
func (w *walletState) isIdle() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// walletAlarm is for a wallet that begins to hang.
func (e *engine) walletAlarm(a *alarm) {
	for _, w := range e.wallets {
		if w.busy {
			a.at(w.called.Add(walletPatience))
		}
	}
}

// awaitWallets waits until no wallet is called any more, at the end of an engine. One that
// hangs is detached: neither Close nor another engine waits for it. The error tells of it.
func (e *engine) awaitWallets() (err error) {
	patience, end := context.WithTimeout(context.Background(), walletPatience)
	defer end()
	for _, w := range slices.Clone(e.wallets) {
		select {
		case <-w.ended:
		case <-patience.Done():
		}
		if w.isIdle() {
			continue
		}
		failed := &WalletError{w.wallet, ErrHangs}
		e.detach(w)
		e.attached.fail(failed)
		e.logs.wallet.Errorf("A wallet is left behind: %v", failed)
		err = cmp.Or(err, error(failed))
	}
	return err
}

package wallet

import "github.com/decred/dcrd/wire"

// Network is the network that the wallet is of.
func (w *Wallet) Network() wire.CurrencyNet { return w.params.Net }

// Acquire has the wallet belong to one Syncer; it reports false if it does to one
// already. Release ends that. A Syncer calls both.
func (w *Wallet) Acquire() bool { return w.acquired.CompareAndSwap(false, true) }

// Release is the end of Acquire.
func (w *Wallet) Release() { w.acquired.Store(false) }

package spv

import "context"

// Limit returns a wallet that is not interested in blocks above a height, nor in
// transactions that are in no block: a rescan that ends at a block.
func Limit(w Wallet, height uint32) Wallet { return limited{w, height} }

// limited hides that a wallet may be an UnminedWallet.
type limited struct {
	Wallet
	to uint32
}

// Acquire and Release are those of the wallet, if it has them.
func (l limited) Acquire() bool {
	x, ok := l.Wallet.(exclusiveWallet)
	return !ok || x.Acquire()
}

func (l limited) Release() {
	if x, ok := l.Wallet.(exclusiveWallet); ok {
		x.Release()
	}
}

func (l limited) NextScan(ctx context.Context, limit uint32) (Scan, bool, error) {
	return l.Wallet.NextScan(ctx, min(limit, l.to))
}

func (l limited) Scanned(limit uint32) (from, through uint32, ok bool) {
	return l.Wallet.Scanned(min(limit, l.to))
}

func (l limited) Unscanned(limit uint32) uint32 { return l.Wallet.Unscanned(min(limit, l.to)) }

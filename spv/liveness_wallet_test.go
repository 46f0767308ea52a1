package spv_test

import (
	"context"
	"sync"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// timingWallet is a modelWallet that notes when it got each block.
type timingWallet struct {
	*modelWallet
	mu    sync.Mutex
	found map[chain.BlockID]time.Time // the first time
}

func newTimingWallet() *timingWallet {
	return &timingWallet{modelWallet: newModelWallet(), found: make(map[chain.BlockID]time.Time)}
}

func (w *timingWallet) Apply(ctx context.Context, b spv.Batch) error {
	err := w.modelWallet.Apply(ctx, b)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, block := range b.Blocks {
		if _, ok := w.found[block.ID]; !ok {
			w.found[block.ID] = time.Now()
		}
	}
	return err
}

// foundAt is when the wallet got a block; zero if it has not.
func (w *timingWallet) foundAt(id chain.BlockID) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found[id]
}

// listeningWallet hears of unconfirmed transactions too.
type listeningWallet struct{ *timingWallet }

func (listeningWallet) Pending(ctx context.Context) ([]*wire.MsgTx, error) { return nil, nil }
func (listeningWallet) AddRelayed(context.Context, string, []*wire.MsgTx) (bool, error) {
	return true, nil
}

var _ spv.UnminedWallet = listeningWallet{}

package spv

import (
	"context"
	"sync"

	"github.com/decred/dcrd/wire"
)

// txFeed hands out transactions that are in no block to programs that listen.
type txFeed struct {
	mu        sync.Mutex // held for moments only
	listeners map[chan *wire.MsgTx]struct{}
}

// maxUnread is how many transactions wait for a listener: 6 MB of the largest.
const maxUnread = 16

func newTxFeed() *txFeed { return &txFeed{listeners: make(map[chan *wire.MsgTx]struct{})} }

// listen begins to hand out, until ctx ends.
func (f *txFeed) listen(ctx context.Context) <-chan *wire.MsgTx {
	ch := make(chan *wire.MsgTx, maxUnread)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners[ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, ch)
		close(ch)
	})
	return ch
}

// heard reports whether anybody listens.
func (f *txFeed) heard() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.listeners) > 0
}

// send hands a transaction to all who have room for it.
func (f *txFeed) send(tx *wire.MsgTx) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.listeners {
		select {
		case ch <- tx:
		default: // a slow listener misses it
		}
	}
}

// Transactions delivers the transactions that peers announce and that are in no block,
// from now on until ctx ends; then the channel is closed. Nothing about them is verified
// but their form and their hash; they are shared, so they must not be changed. There may
// be any number of readers: one that is slow misses some and delays nobody. Nothing comes
// before the initial sync is complete, nor with Config.NoRelay.
func (s *Syncer) Transactions(ctx context.Context) <-chan *wire.MsgTx { return s.txs.listen(ctx) }

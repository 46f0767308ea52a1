package spv

import (
	"context"
	"sync"
)

// board shows the status to other goroutines.
type board struct {
	mu       sync.Mutex // held for moments only
	status   Status
	changed  chan struct{} // closed and replaced when Synced or Settled changes
	watchers map[chan Status]struct{}
}

func newBoard() *board {
	return &board{changed: make(chan struct{}), watchers: make(map[chan Status]struct{})}
}

// get returns the status, and what is closed when it is synced, settled or not any more.
func (b *board) get() (st Status, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status, b.changed
}

// show makes a snapshot the present status, delivers it to who watches and wakes who
// waits for it.
func (b *board) show(st Status) {
	b.mu.Lock()
	defer b.mu.Unlock() // who is woken finds the status delivered
	if st.Synced != b.status.Synced || st.Settled != b.status.Settled {
		close(b.changed)
		b.changed = make(chan struct{})
	}
	b.status = st
	for ch := range b.watchers {
		select {
		case <-ch: // replace what was not read
		default:
		}
		ch <- st // only here and under the lock, so there is room
	}
}

// watch is Syncer.Watch.
func (b *board) watch(ctx context.Context) <-chan Status {
	ch := make(chan Status, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	ch <- b.status
	b.watchers[ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, ch)
		close(ch)
	})
	return ch
}

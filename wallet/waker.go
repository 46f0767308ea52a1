package wallet

import "sync"

// waker wakes all who wait for new events, by closing a channel.
type waker struct {
	mu     sync.Mutex
	ch     chan struct{}
	closed bool
}

func (w *waker) init() { w.ch = make(chan struct{}) }

// channel is closed when something happens after this call.
func (w *waker) channel() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ch
}

func (w *waker) all() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		close(w.ch)
		w.ch = make(chan struct{})
	}
}

// close wakes all, now and ever after.
func (w *waker) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.ch)
	}
}

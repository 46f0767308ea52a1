package wallet

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
)

// patience is a context that ends when it was asked so often.
type patience struct {
	context.Context
	left int
}

func (p *patience) Err() error {
	if p.left == 0 {
		return context.Canceled
	}
	p.left--
	return nil
}

// TestWaitingEndsWithTheContext: who waits for another call to be done does not wait
// for longer than its own context lasts.
// Rule 9.
func TestWaitingEndsWithTheContext(t *testing.T) {
	for name, call := range map[string]func(*Wallet, context.Context) error{
		"Labels":   func(w *Wallet, ctx context.Context) error { _, err := w.Labels(ctx); return err },
		"Verify":   func(w *Wallet, ctx context.Context) error { _, err := w.Verify(ctx); return err },
		"Rescan":   func(w *Wallet, ctx context.Context) error { return w.Rescan(ctx, 0, 1) },
		"Warnings": func(w *Wallet, ctx context.Context) error { _, err := w.Warnings(ctx); return err },
		"Watch":    func(w *Wallet, ctx context.Context) error { return w.Watch(ctx, Watch{Scripts: [][]byte{{0x51}}}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := open(t)
			w.mu.Lock() // as another call does
			defer w.mu.Unlock()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- call(w, ctx) }()
			synctest.Wait()
			if len(done) > 0 {
				t.Fatalf("%s has not waited: %v", name, <-done)
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestCallsEndWithTheirContext: what takes the longer the more there is asks its
// context on the way, and not only at the beginning; and what it had changed by then
// is undone.
// Rule 9.
func TestCallsEndWithTheirContext(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watchN(t, w, 0, 1)
	watch(t, w, Watch{XPubs: []string{key}, Label: "savings"})
	for range 30 {
		c.mine(c.pay(out(scriptN(1), 1), out(scriptOf(keyAddr(t, key, 0, 3)), 2)))
	}
	c.sync(w)
	for n := range uint64(30) {
		watchN(t, w, uint32(n), 10+n)
	}
	c.sync(w)
	state := everything(t, w, c.height())
	for name, call := range map[string]func(context.Context) error{
		"History":     func(ctx context.Context) error { _, err := w.History(ctx); return err },
		"HistoryPage": func(ctx context.Context) error { _, err := w.HistoryPage(ctx, nil, math.MaxInt); return err },
		"UTXOs":       func(ctx context.Context) error { _, err := w.UTXOs(ctx); return err },
		"Tickets":     func(ctx context.Context) error { _, err := w.Tickets(ctx); return err },
		"Labels":      func(ctx context.Context) error { _, err := w.Labels(ctx); return err },
		"Verify":      func(ctx context.Context) error { _, err := w.Verify(ctx); return err },
		"Unwatch":     func(ctx context.Context) error { return w.Unwatch(ctx, Watch{XPubs: []string{key}}) },
		"Rescan":      func(ctx context.Context) error { return w.Rescan(ctx, 7, 7) },
	} {
		if err := call(&patience{t.Context(), 10}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if got := everything(t, w, c.height()); got != state {
			t.Fatalf("%s has changed\n%s\nto\n%s", name, state, got)
		}
	}
	verify(t, w)
}

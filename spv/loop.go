package spv

import (
	"context"
	"sync"
	"time"
)

// loop is what events, time and goroutines of an engine come from, and how it ends.
type loop struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine started by the engine
	events chan event
	read   func() time.Time // the clock
	now    time.Time        // of the event being handled
	err    error            // a local failure; ends run
}

// An event is something that happened elsewhere. apply runs on the engine's
// goroutine.
type event interface {
	apply(*engine)
}

// maxEvents bounds the queue of events; whoever has one more waits.
const maxEvents = 256

func newLoop(ctx context.Context, clock func() time.Time) *loop {
	ctx, cancel := context.WithCancel(ctx)
	return &loop{ctx: ctx, cancel: cancel, events: make(chan event, maxEvents), read: clock, now: clock()}
}

// tick reads the clock.
func (l *loop) tick() { l.now = l.read() }

// post hands an event to the engine. It reports false when the engine is over.
func (l *loop) post(ev event) bool {
	select {
	case l.events <- ev:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// fail ends the engine because of a local failure: the first one.
func (l *loop) fail(err error) {
	if l.err == nil && l.ctx.Err() == nil {
		l.err = err
	}
}

// goWorker starts a goroutine that the engine waits for at the end.
func (l *loop) goWorker(fn func()) {
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		fn()
	}()
}

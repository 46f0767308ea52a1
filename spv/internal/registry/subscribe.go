package registry

import (
	"slices"
	"sync"
)

// Change is a connection that has begun or ended.
type Change struct {
	Addr string
	Up   bool // false: it has ended
}

// Subscription tells one reader, on a goroutine of its own, who is connected.
// For each peer Up and Down alternate strictly, beginning with Up. A slow reader
// is not told of connections that came and went while it was not looking; of one
// that it knows and that was lost and made again it gets a Down and an Up. So
// nothing waits for it, and what is kept for it is bounded by twice the number
// of connections. Its methods may be called from any goroutine.
type Subscription struct {
	mu      sync.Mutex // held for a few instructions only
	pending []Change
	changed chan struct{} // cap 1; closed by Close
	closed  bool
}

// Subscribe begins to report connections. Those that stand are the first Ups.
// The reader calls Close in the end. After the registry's Close it is closed
// from the start.
func (r *Registry) Subscribe() *Subscription {
	s := &Subscription{changed: make(chan struct{}, 1)}
	if r.closed {
		s.Close()
		return s
	}
	for _, e := range r.order {
		if e.state == stateConnected {
			s.note(Change{Addr: e.addr, Up: true})
		}
	}
	r.subs = append(r.subs, s)
	return s
}

// TakeOver has the subscriptions of another registry, which is not used any more, go on
// with this one.
func (r *Registry) TakeOver(from *Registry) {
	r.subs, from.subs = from.subs, nil
}

// Close ends all subscriptions. The registry itself goes on working. It may be
// called again.
func (r *Registry) Close() {
	for _, s := range r.subs {
		s.Close()
	}
	r.subs = nil
	r.closed = true
}

// publish hands a change to all who are still subscribed.
func (r *Registry) publish(c Change) {
	r.subs = slices.DeleteFunc(r.subs, func(s *Subscription) bool { return !s.note(c) })
}

// note adds a change to what the reader has to be told. It reports false when
// the subscription is closed.
func (s *Subscription) note(c Change) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	unread := slices.Index(s.pending, Change{Addr: c.Addr, Up: true})
	if !c.Up && unread >= 0 {
		s.pending = slices.Delete(s.pending, unread, unread+1)
		return true
	}
	s.pending = append(s.pending, c)
	select {
	case s.changed <- struct{}{}:
	default: // the reader has not looked since the last one
	}
	return true
}

// Changed has a value when Take may have something new. It is closed by Close:
// what Take has then is the last.
func (s *Subscription) Changed() <-chan struct{} { return s.changed }

// Take returns what has changed since the last call, in order; nil is nothing.
// The slice is the caller's.
func (s *Subscription) Take() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.pending
	s.pending = nil
	return taken
}

// Close ends the subscription. It may be called again.
func (s *Subscription) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.changed)
	}
}

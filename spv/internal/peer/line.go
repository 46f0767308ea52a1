package peer

import (
	"sync"
	"time"
)

// Line is what all connections of a client come in by. One that is slow they have
// together, so less is asked of each.
// The zero value is ready to use, by any number of goroutines.
type Line struct {
	mu     sync.Mutex
	meters map[*meter]bool
}

// moving is how long ago a byte has come by a connection that still moves.
const moving = 5 * time.Second

// join adds a connection. There is no line without others.
func (l *Line) join(m *meter) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.meters == nil {
		l.meters = make(map[*meter]bool)
	}
	l.meters[m] = true
}

// leave takes a connection off that has ended.
func (l *Line) leave(m *meter) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.meters, m)
}

// shared is how many connections move now, at least one.
func (l *Line) shared(now time.Time) (n int) {
	if l == nil {
		return 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for m := range l.meters {
		if now.Sub(m.heardAt()) < moving {
			n++
		}
	}
	return max(n, 1)
}

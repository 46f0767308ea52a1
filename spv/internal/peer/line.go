package peer

import (
	"sync"
	"time"
)

// Line is the line to the internet that all connections of a client share. If it is
// slow, each connection may be slower. The zero value is ready to use, by any number of
// goroutines.
type Line struct {
	mu     sync.Mutex
	meters map[*meter]bool
}

// moving is how long a connection counts as moving after its last byte came.
const moving = 5 * time.Second

// join adds a connection. A nil Line has no others.
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

// leave removes a connection that has ended.
func (l *Line) leave(m *meter) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.meters, m)
}

// shared is how many connections are moving now, at least one.
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

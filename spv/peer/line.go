package peer

import (
	"sync"
	"time"
)

// Line is what all connections of a client come in by. On one that is slow the
// answers that come in at the same time have it together, so less is asked of each.
// The zero value is ready to use, by any number of goroutines.
type Line struct {
	mu      sync.Mutex
	reading map[*meter]bool // connections on which an answer comes in
}

// moving is how long ago a byte has come of an answer that still comes in.
const moving = 5 * time.Second

// begin notes that an answer begins to come in. There is no line without others.
func (l *Line) begin(m *meter) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reading == nil {
		l.reading = make(map[*meter]bool)
	}
	l.reading[m] = true
}

// end notes that no answer comes in any more.
func (l *Line) end(m *meter) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.reading, m)
}

// shared is how many answers come in now, at least one.
func (l *Line) shared(now time.Time) (n int) {
	if l == nil {
		return 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for m := range l.reading {
		if now.Sub(m.heardAt()) < moving {
			n++
		}
	}
	return max(n, 1)
}

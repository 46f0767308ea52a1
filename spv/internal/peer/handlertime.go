package peer

import (
	"sync"
	"time"
)

// handlerTime measures how long our own side has kept the reader from reading.
// Requests subtract it: a remote is not late while we do not read.
type handlerTime struct {
	mu    sync.Mutex
	sum   time.Duration
	since time.Time // zero while nothing keeps the reader
}

func (t *handlerTime) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = time.Now()
}

func (t *handlerTime) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum += time.Since(t.since)
	t.since = time.Time{}
}

// total returns the time so far.
func (t *handlerTime) total() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() {
		return t.sum
	}
	return t.sum + time.Since(t.since)
}

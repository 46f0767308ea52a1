package peer

import (
	"sync"
	"time"
)

// On a slow line an answer may take longer than the limit: a headers message of 360 kB
// does at 10 kB a second. While it comes in at leastRate bytes a second or more, it is
// waited for. Bytes that came faster extend the wait too, up to the limit. When several
// connections receive at the same time, each needs only its share of this rate.
const leastRate = 4 << 10

// incoming is the answer that is being read.
type incoming struct {
	mu    sync.Mutex
	began int64     // bytes of the connection before it
	seen  int64     // bytes of the connection at the last call of until
	good  time.Time // it is waited for until then; zero between answers
	ended time.Time // when the last one was complete
}

// begin notes that an answer begins to come in.
func (in *incoming) begin(bytes int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.began, in.seen, in.good = bytes, bytes, time.Now().Add(moving)
}

// end notes that it is complete.
func (in *incoming) end() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.good, in.ended = time.Time{}, time.Now()
}

// moved is when a byte of an answer last came, given when any byte last came.
func (in *incoming) moved(heard time.Time) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return in.ended
	}
	return heard
}

// received is how many bytes of it have come, given the bytes of the connection.
func (in *incoming) received(bytes int64) int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return 0
	}
	return bytes - in.began
}

// until is how long an answer may be waited for, given the bytes of the connection and
// how many connections share the line.
func (in *incoming) until(bytes int64, shared int, now time.Time) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good.IsZero() {
		return time.Time{}
	}
	more := time.Duration(bytes-in.seen) * time.Second / leastRate * time.Duration(shared)
	in.seen = bytes
	if in.good = in.good.Add(more); in.good.After(now.Add(stallLimit)) {
		in.good = now.Add(stallLimit)
	}
	return in.good
}

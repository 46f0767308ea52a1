package requests

import "time"

// window is how many requests for filters and blocks a peer has at a time. dcrd
// answers in order, so more than one hides the round trip; but once its line or
// its disk is busy all the time, more of them only wait for each other. It grows
// while answers come about as soon as the best one did, and shrinks when they
// take much longer, as TCP Vegas does with packets.
type window struct {
	size int
	best time.Duration // the quickest answer
}

const (
	firstWindow = 3

	// MaxWindow is the most requests that a peer has at a time.
	MaxWindow = 16

	// windowNoise is what answers may differ by for other reasons.
	windowNoise = 5 * time.Millisecond
)

// learn takes note of an answer to one of several requests in flight.
func (w *window) learn(took time.Duration, inflight int) {
	if w.best == 0 || took < w.best {
		w.best = max(took, 1)
	}
	switch {
	case took > 4*w.best+windowNoise:
		w.size = max(w.size-1, 1)
	case took <= 2*w.best+windowNoise && inflight >= w.size:
		w.size = min(w.size+1, MaxWindow)
	}
}

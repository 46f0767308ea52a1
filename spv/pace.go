package spv

import "time"

// pace learns how long requests of a kind take, so that a late one can be told.
type pace struct{ average time.Duration }

const (
	// Bounds of what counts as late. A healthy peer may take a while over a
	// big batch on a slow line; a request that is merely slow is not repeated.
	lateFactor  = 8
	lateFloor   = 2 * time.Second
	lateCeiling = 15 * time.Second
	lateUnknown = 5 * time.Second // before anything was measured

	// The same for a request that everything else waits for. It costs a second
	// copy of one answer, and may save all the time until it is late.
	hedgeFactor  = 2
	hedgeFloor   = 50 * time.Millisecond
	hedgeUnknown = time.Second

	// headerFloor is hedgeFloor for headers, of which an answer has 360 kB.
	headerFloor = 250 * time.Millisecond
)

func (p *pace) learn(took time.Duration) {
	if p.average == 0 {
		p.average = max(took, 1)
		return
	}
	p.average = max((4*p.average+took)/5, 1)
}

// guess gives a first idea of how long requests take.
func (p *pace) guess(took time.Duration) {
	if p.average == 0 {
		p.average = max(took, 1)
	}
}

func (p *pace) late() time.Duration {
	if p.average == 0 {
		return lateUnknown
	}
	return min(max(lateFactor*p.average, lateFloor), lateCeiling)
}

// hedge is after how long a second peer is asked for what all others wait for.
func (p *pace) hedge() time.Duration {
	if p.average == 0 {
		return hedgeUnknown
	}
	return min(max(hedgeFactor*p.average, hedgeFloor), lateCeiling)
}

// lateHeaders is after how long a second peer is asked for headers. There is one
// request at a time, and everything waits for it.
func (p *pace) lateHeaders() time.Duration {
	if p.average == 0 {
		return lateUnknown
	}
	return min(max(lateFactor*p.average, headerFloor), lateCeiling)
}

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
	maxWindow   = 16

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
		w.size = min(w.size+1, maxWindow)
	}
}

package registry

import (
	"fmt"
	"time"
)

// Success notes that a peer has answered a request for this kind of data, and
// that the data has passed verification. d is the time from request to answer;
// 0 is not measured. It ends the peer's cooldown for this kind.
func (r *Registry) Success(addr string, kind Kind, d time.Duration, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.service.success(d, now)
		e.cool[kind].succeeded()
		e.history.pauseEnds(kind, e.cool[kind].end(), now)
		e.seen(now)
	}
}

// Failure notes that a peer has not answered a request, and why; height is the last
// block that it was about, 0 for headers. It is not asked for this kind for 30
// seconds, twice as long after each failure in a row, up to 5 minutes. The pause ends
// early when the peer delivers, or when those blocks leave the best chain.
func (r *Registry) Failure(addr string, kind Kind, height uint32, why error, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.service.failure(now)
		e.cool[kind].failed(height, now)
		e.notePause(kind, why, now)
	}
}

// notePause adds to the history that a peer is not asked for a kind of data.
func (e *entry) notePause(kind Kind, why error, now time.Time) {
	e.history.note(Event{Kind: Pause, Data: kind.String(), Time: now, Until: e.cool[kind].end(), Reason: fmt.Sprint(why)})
}

// Incomplete notes that a peer does not have data of this kind, and how that is
// known. That is no fault. It is not asked for this kind for 24 hours.
func (r *Registry) Incomplete(addr string, kind Kind, why error, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.cool[kind].cannotServe(now)
		e.notePause(kind, why, now)
	}
}

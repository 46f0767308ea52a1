package registry

import (
	"cmp"
	"slices"
	"time"
)

// usable tells whether anything may be asked of a peer now. Persistent peers
// are the user's choice: a low score does not stop them, only a ban does.
func (r *Registry) usable(e *entry, now time.Time) bool {
	if r.banned(e.key, now) {
		return false
	}
	return e.persistent || r.score(e, now) >= scoreFloor
}

// score of a peer, from 0 to 100.
func (r *Registry) score(e *entry, now time.Time) float64 {
	c := r.held(e.key, now)
	return e.record.score(now, c.points == 0 && !r.banned(e.key, now))
}

// RestingAhead returns the connected peers that would be Ahead but for a pause or a
// low score, best first: when nobody else is left they are asked all the same.
func (r *Registry) RestingAhead(tip uint32, now time.Time) []string {
	return r.best(now, func(e *entry) bool { return e.claim.credible(now) > tip && r.rests(e, Headers, now) })
}

// Ahead returns the connected peers to ask for headers: those believed to be
// above tip that are not cooling down for headers, best first.
func (r *Registry) Ahead(tip uint32, now time.Time) []string {
	return r.best(now, func(e *entry) bool { return e.claim.credible(now) > tip && !r.rests(e, Headers, now) })
}

// Serving returns the connected peers to ask for data of blocks up to height:
// those that say they are there and are not cooling down for this kind, best
// first.
func (r *Registry) Serving(kind Kind, height uint32, now time.Time) []string {
	return r.best(now, func(e *entry) bool { return e.claim.stated() >= height && !r.rests(e, kind, now) })
}

// Resting returns the connected peers that would be Serving but for a pause or a low
// score, best first: when nobody else is left they are asked all the same.
func (r *Registry) Resting(kind Kind, height uint32, now time.Time) []string {
	return r.best(now, func(e *entry) bool { return e.claim.stated() >= height && r.rests(e, kind, now) })
}

// rests tells whether a peer is asked for a kind of data only if nobody else is left.
func (r *Registry) rests(e *entry, kind Kind, now time.Time) bool {
	return !e.cool[kind].over(now) || !r.usable(e, now)
}

// best returns the addresses of connected peers that fit and are not banned, by proved
// height, score and latency. Equals are in random order: were it their address
// that decides, one could be made to measure.
func (r *Registry) best(now time.Time, fit func(*entry) bool) []string {
	type ranked struct {
		e     *entry
		score float64
	}
	var found []ranked
	for _, e := range r.order {
		if e.state == stateConnected && fit(e) && !r.banned(e.key, now) {
			found = append(found, ranked{e, r.score(e, now)})
		}
	}
	r.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	slices.SortStableFunc(found, func(a, b ranked) int {
		return cmp.Or(
			cmp.Compare(b.e.claim.validated, a.e.claim.validated),
			cmp.Compare(b.score, a.score),
			compareLatency(a.e.record.latency, b.e.record.latency),
		)
	})
	addrs := make([]string, len(found))
	for i := range found {
		addrs[i] = found[i].e.addr
	}
	return addrs
}

// compareLatency orders the fast before the slow before the unknown.
func compareLatency(a, b float64) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return 1
	case b == 0:
		return -1
	}
	return cmp.Compare(a, b)
}

// Success notes that a peer has answered a request for this kind of data, and
// that the data has passed verification. d is the time from request to answer;
// 0 is not measured. It ends the peer's cooldown for this kind.
func (r *Registry) Success(addr string, kind Kind, d time.Duration, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.record.success(d, now)
		e.cool[kind].succeeded()
		e.history.pauseEnds(kind, e.cool[kind].end(), now)
		e.lastSeen = now
	}
}

// Failure notes that a peer has not answered a request, and why; height is the last
// block that it was about, 0 for headers. It is not asked for this kind for 30
// seconds, twice as long after each failure in a row, up to 5 minutes; no longer
// once it has delivered, or if those blocks leave the best chain.
func (r *Registry) Failure(addr string, kind Kind, height uint32, why error, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.record.failure(now)
		e.cool[kind].failed(height, now)
		e.notePause(kind, why, now)
	}
}

// Incomplete notes that a peer does not have data of this kind, and how that is
// known, which is no fault. It is not asked for this kind for 24 hours.
func (r *Registry) Incomplete(addr string, kind Kind, why error, now time.Time) {
	if e := r.peers[addr]; e != nil {
		e.cool[kind].lacks(now)
		e.notePause(kind, why, now)
	}
}

package registry

import (
	"cmp"
	"slices"
	"time"
)

// usable tells whether anything may be asked of a peer now. Persistent peers
// are the user's choice: a low score does not stop them, only a ban does.
func (r *Registry) usable(e *entry, now time.Time) bool {
	if r.bans.banned(e.key, now) {
		return false
	}
	return e.persistent || r.score(e, now) >= scoreFloor
}

// score of a peer, from 0 to 100.
func (r *Registry) score(e *entry, now time.Time) float64 {
	held := r.bans.of(e.key, now)
	return e.service.score(now, held.points == 0 && !r.bans.banned(e.key, now))
}

// RestingAhead returns the connected peers that only a pause or a low score keeps from
// being Ahead, best first: when nobody else is left they are asked all the same.
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

// Resting returns the connected peers that only a pause or a low score keeps from being
// Serving, best first: when nobody else is left they are asked all the same.
func (r *Registry) Resting(kind Kind, height uint32, now time.Time) []string {
	return r.best(now, func(e *entry) bool { return e.claim.stated() >= height && r.rests(e, kind, now) })
}

// Target returns the highest height at which a connected peer is believed to
// be. Peers that would not be asked because of their misbehavior or score don't
// count. It is 0 without peers.
func (r *Registry) Target(now time.Time) uint32 {
	var target uint32
	for _, e := range r.order {
		if e.conn.up() && r.usable(e, now) {
			target = max(target, e.claim.credible(now))
		}
	}
	return target
}

// rests tells whether a peer is asked for a kind of data only if nobody else is left.
func (r *Registry) rests(e *entry, kind Kind, now time.Time) bool {
	return !e.cool[kind].over(now) || !r.usable(e, now)
}

// best returns the addresses of connected peers that fit and are not banned, by proved
// height, score and latency. Equals are in random order: an order by address could be
// exploited by choosing an address.
func (r *Registry) best(now time.Time, fit func(*entry) bool) []string {
	type ranked struct {
		e     *entry
		score float64
	}
	var found []ranked
	for _, e := range r.order {
		if e.conn.up() && fit(e) && !r.bans.banned(e.key, now) {
			found = append(found, ranked{e, r.score(e, now)})
		}
	}
	r.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	slices.SortStableFunc(found, func(a, b ranked) int {
		return cmp.Or(
			cmp.Compare(b.e.claim.validated, a.e.claim.validated),
			cmp.Compare(b.score, a.score),
			compareLatency(a.e.service.latency, b.e.service.latency),
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

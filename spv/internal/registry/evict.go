package registry

import (
	"cmp"
	"slices"
	"time"
)

// WorseThan returns who is to go for a connected peer that promises to be much better,
// if there is anybody.
func (r *Registry) WorseThan(addr string, now time.Time) (worst string, ok bool) {
	e, other := r.connected(addr), r.worst(now)
	if e == nil || other == nil || other == e || r.score(e, now) < r.score(other, now)+probeMargin {
		return "", false
	}
	return other.addr, true
}

// onTrial tells whether somebody who could be evicted is still new.
func (r *Registry) onTrial(now time.Time) bool {
	return slices.ContainsFunc(r.order, func(e *entry) bool { return e.evictable() && e.isNew(now) })
}

func (e *entry) evictable() bool { return e.conn.up() && !e.persistent }

func (e *entry) isNew(now time.Time) bool { return now.Sub(e.conn.since) < trialTime }

// worst returns the connected peer that is the first to be evicted, or nil.
func (r *Registry) worst(now time.Time) *entry {
	var found []*entry
	for _, e := range r.order {
		if e.evictable() && !e.isNew(now) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil
	}
	scarce := r.batchedPeers() <= r.quota()
	needed := func(e *entry) int {
		if scarce && e.conn.info.batched() {
			return 1
		}
		return 0
	}
	return slices.MinFunc(found, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(needed(a), needed(b)),
			cmp.Compare(r.score(a, now), r.score(b, now)),
			cmp.Compare(a.claim.validated, b.claim.validated),
			compareLatency(b.service.latency, a.service.latency),
			b.conn.since.Compare(a.conn.since),
		)
	})
}

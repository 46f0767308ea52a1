package registry

import (
	"cmp"
	"slices"
	"time"
)

// When all slots are taken, one more connection may be made to a peer that
// promises to be much better than the worst one, or that was never met. After a
// while to show itself, the worst of all is disconnected (Tendermint's
// MaxConnectedUpgrade).
const (
	probeMargin = 20              // points of score between the two, so that nothing goes in circles
	probePause  = 5 * time.Minute // from one attempt to the next
	probeLook   = time.Minute     // how often to look for a better peer
	trialTime   = 2 * time.Minute // of a new connection, before it can be evicted
)

// full tells that MaxConnected connections stand, none is being made, and the
// slot beyond may be used. Being the only one, it needs no reservation: no two
// candidates can be after the same victim.
func (r *Registry) full() bool {
	connected, dialing := r.busy()
	return connected == r.opts.MaxConnected && dialing == 0 && !r.opts.OnlyPersistent
}

// worthProbing tells whether a candidate is worth the slot beyond MaxConnected.
// A persistent peer always is, if there is anybody to make room for it. One that
// has delivered need not wait for its turn among strangers.
func (r *Registry) worthProbing(candidate *entry, now time.Time) bool {
	worst := r.worst(now)
	if worst == nil || candidate.persistent {
		return worst != nil
	}
	turn := candidate.record.served() || !now.Before(r.nextProbe)
	return turn && r.score(candidate, now) >= r.score(worst, now)+probeMargin
}

// WorseThan returns who is to go for a connected peer that promises to be much better,
// if there is anybody.
func (r *Registry) WorseThan(addr string, now time.Time) (worst string, ok bool) {
	e, other := r.connected(addr), r.worst(now)
	if e == nil || other == nil || other == e || r.score(e, now) < r.score(other, now)+probeMargin {
		return "", false
	}
	return other.addr, true
}

// ProbeNow allows the slot beyond MaxConnected to be used at once, for a peer that
// was not met yet.
func (r *Registry) ProbeNow(now time.Time) { r.nextProbe = now }

// TryStranger is ProbeNow even if nobody could be evicted yet: the owner makes room.
// again has it be for one that was met before.
func (r *Registry) TryStranger(again bool, now time.Time) {
	r.nextProbe, r.stranger, r.again = now, true, again
}

// NoStranger tells that nobody was dialed since TryStranger.
func (r *Registry) NoStranger() bool { return r.stranger }

// NextEviction returns whom to disconnect because more than MaxConnected peers
// are connected. It is the one with the lowest score; then the one that has
// proved the least, the slower, the newer. Peers that the quota of batched
// filters needs come last, persistent ones never. There is nobody while a new
// connection has its first two minutes. The owner asks whenever it looks around;
// until it has reported Disconnected, the answer stays the same.
func (r *Registry) NextEviction(now time.Time) (addr string, ok bool) {
	connected, _ := r.busy()
	over := connected - r.opts.MaxConnected
	switch {
	case over <= 0:
		r.leaving = nil
	case r.leaving != nil && !r.leaving.persistent:
		// Named before.
	case over == 1 && r.onTrial(now):
		r.leaving = nil
	default:
		r.leaving = r.worst(now)
	}
	if r.leaving == nil {
		return "", false
	}
	return r.leaving.addr, true
}

// onTrial tells whether somebody who could be evicted is still new.
func (r *Registry) onTrial(now time.Time) bool {
	return slices.ContainsFunc(r.order, func(e *entry) bool { return e.evictable() && e.isNew(now) })
}

func (e *entry) evictable() bool { return e.state == stateConnected && !e.persistent }

func (e *entry) isNew(now time.Time) bool { return now.Sub(e.since) < trialTime }

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
		if scarce && e.info.batched() {
			return 1
		}
		return 0
	}
	return slices.MinFunc(found, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(needed(a), needed(b)),
			cmp.Compare(r.score(a, now), r.score(b, now)),
			cmp.Compare(a.claim.validated, b.claim.validated),
			compareLatency(b.record.latency, a.record.latency),
			b.since.Compare(a.since),
		)
	})
}

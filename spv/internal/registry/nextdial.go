package registry

import (
	"cmp"
	"time"
)

// needSoon is how long a free slot waits for an address that is known before new
// ones are looked for.
const needSoon = 10 * time.Second

// NextDial returns the address to dial now: a persistent one before others, then
// one that has delivered, then the one with the fewest failed dials, then the one
// with the best score. Of each Group there is one connection or dial at most;
// persistent peers are exempt, but count. While MaxConnected connections stand or are
// being made there is nobody, except a peer that is much better than the worst of them
// or was not tried yet (see NextEviction). It changes nothing: the owner calls Dialing
// when it dials.
func (r *Registry) NextDial(now time.Time) (addr string, ok bool) {
	free := r.slots()
	if free == 0 && !r.full() {
		return "", false
	}
	best := r.bestCandidate(now)
	if free == 0 && (best == nil || !r.worthProbing(best, now)) {
		best = r.stranger(now)
	}
	if best == nil {
		return "", false
	}
	return best.addr, true
}

// bestCandidate returns the first in the order of dialing, of those that may be
// dialed now, or nil.
func (r *Registry) bestCandidate(now time.Time) *entry {
	var best *entry
	ties := 0
	for e, when := range r.dialable(now) {
		if when.After(now) {
			continue
		}
		order := -1
		if best != nil {
			order = r.compareDial(e, best, now)
		}
		switch {
		case order < 0:
			best, ties = e, 1
		case order == 0:
			// Each of n equals wins with a chance of 1/n.
			if ties++; r.rng.IntN(ties) == 0 {
				best = e
			}
		}
	}
	return best
}

// compareDial is negative when a is to be dialed before b.
func (r *Registry) compareDial(a, b *entry, now time.Time) int {
	if a.persistent != b.persistent {
		if a.persistent {
			return -1
		}
		return 1
	}
	byScore := cmp.Compare(r.score(b, now), r.score(a, now))
	switch served := a.service.served(); {
	case served != b.service.served():
		// A peer that has delivered, perhaps in an earlier run, comes before all
		// strangers in an address book, also if it can't be reached just now: it
		// waits longer each time, so it is in nobody's way.
		if served {
			return -1
		}
		return 1
	case served:
		return byScore
	}
	return cmp.Or(cmp.Compare(a.dial.failures, b.dial.failures), byScore)
}

// NextDialTime returns when to ask NextDial again. While a slot is free, NextDial has
// no answer before that time if nothing else happens. While all slots are taken it is
// once a minute, to look for a better peer. ok is false when only an event can change
// the answer: a slot becomes free or an address is added.
func (r *Registry) NextDialTime(now time.Time) (when time.Time, ok bool) {
	free := r.slots()
	if free == 0 && !r.full() {
		return time.Time{}, false
	}
	for _, t := range r.dialable(now) {
		if !ok || t.Before(when) {
			when, ok = t, true
		}
	}
	if ok && free == 0 {
		if _, ready := r.NextDial(now); ready {
			return now, true
		}
		when = latest(when, now.Add(probeLook), r.extra.next)
	}
	return when, ok
}

// NeedsAddresses tells whether a slot is free that no known address can fill, now or
// within 10 seconds, or whether the slot beyond MaxConnected is due for a stranger and
// all known addresses were tried: it is time to ask an address book, a seeder or the
// peers. It is false when only persistent peers are dialed.
func (r *Registry) NeedsAddresses(now time.Time) bool {
	if r.opts.OnlyPersistent {
		return false
	}
	if r.slots() == 0 {
		return r.full() && !now.Before(r.extra.next) && r.roomBeyond(now) && r.stranger(now) == nil
	}
	when, ok := r.NextDialTime(now)
	return !ok || when.After(now.Add(needSoon))
}

package registry

import (
	"cmp"
	"iter"
	"time"
)

// Waiting between dials of one address, as dcrwallet does it: from 5 s to 90 s,
// for persistent peers a fifth of that.
const (
	dialBase         = 5 * time.Second
	dialGrowth       = 0.95
	dialMax          = 90 * time.Second
	persistentFactor = 5
	dialJitter       = 200 * time.Millisecond // either way
	incompatibleTime = 24 * time.Hour
	quotaTime        = 10 * time.Minute // after ErrQuota: no node changes its version soon
	lowScoreRetry    = time.Minute      // to look again at a peer below the floor

	// steady is how long a connection has to stand for the waits between dials
	// to start over.
	steady = time.Minute

	// needSoon is how long a free slot waits for an address that is known
	// before new ones are asked for.
	needSoon = 10 * time.Second
)

// dialState is the reachability of an address.
type dialState struct {
	delay    time.Duration // that led to next, before the persistent fifth and jitter
	next     time.Time     // not before this
	avoid    time.Time     // nor before this, unless persistent or relented: it was of no use
	relented bool          // it is dialed next all the same, whatever its score is
	failures int           // dials in a row
	met      bool          // has answered, failed or been refused once in this run
}

// back schedules the next dial, later each time.
func (r *Registry) back(e *entry, now time.Time) {
	d := &e.dial
	d.delay = min(dialBase+time.Duration(dialGrowth*float64(d.delay)), dialMax)
	wait := d.delay
	if e.persistent {
		wait /= persistentFactor
	}
	jitter := time.Duration(r.rng.Int64N(int64(2*dialJitter)+1)) - dialJitter
	d.next = now.Add(wait + jitter)
}

// NextDial returns the address to dial now: a persistent one before others, then
// one that has delivered, then the one with the fewest failed dials, then the one
// with the best score.
// Of each Group there is one connection or dial at most; persistent peers are
// exempt, but count. There is nobody while MaxConnected connections stand or are
// being made, except for one that is much better than the worst of them or that
// has not been met yet (see NextEviction). It changes nothing: the owner calls
// Dialing when it does dial.
func (r *Registry) NextDial(now time.Time) (addr string, ok bool) {
	free := r.slots()
	if free == 0 && !r.full() {
		return "", false
	}
	best := r.bestCandidate(now)
	if free == 0 && (best == nil || !r.worthProbing(best, now)) {
		best = r.feeler(now)
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
	switch served := a.record.served(); {
	case served != b.record.served():
		// One that has delivered, in an earlier run perhaps, before all that
		// an address book may be filled with, also if it can't be reached
		// just now: it waits longer each time, so it is in nobody's way.
		if served {
			return -1
		}
		return 1
	case served:
		return byScore
	}
	return cmp.Or(cmp.Compare(a.dial.failures, b.dial.failures), byScore)
}

// NextDialTime returns when to ask NextDial again. While a slot is free that is
// not after the time when it has an answer if nothing else happens. While all
// are taken it is once a minute, to look for a better peer. ok is false when
// only an event can change the answer: a slot becoming free or an address being
// added.
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
		when = latest(when, now.Add(probeLook), r.nextProbe)
	}
	return when, ok
}

// NeedsAddresses tells whether a slot is free that no known address can fill,
// now or within 10 seconds, or that the one beyond MaxConnected is due for a new
// face and all are known: it is time to ask an address book, a seeder or the
// peers. It is never so when only persistent peers are dialed.
func (r *Registry) NeedsAddresses(now time.Time) bool {
	if r.opts.OnlyPersistent {
		return false
	}
	if r.slots() == 0 {
		return r.full() && !now.Before(r.nextProbe) && r.roomBeyond(now) && r.feeler(now) == nil
	}
	when, ok := r.NextDialTime(now)
	return !ok || when.After(now.Add(needSoon))
}

// dialable yields the idle peers that may be dialed at some time, now at the
// earliest, if nothing else happens.
func (r *Registry) dialable(now time.Time) iter.Seq2[*entry, time.Time] {
	return func(yield func(*entry, time.Time) bool) {
		taken := r.takenGroups()
		for _, e := range r.order {
			possible := e.state == stateIdle && (e.persistent || !r.opts.OnlyPersistent && !taken[e.group])
			if possible && !yield(e, r.dialTime(e, now)) {
				return
			}
		}
	}
}

// dialTime returns when an idle peer may be dialed, now at the earliest.
func (r *Registry) dialTime(e *entry, now time.Time) time.Time {
	when := latest(now, e.dial.next, r.bannedUntil(e.key, now))
	if e.persistent || e.dial.relented {
		return when
	}
	when = latest(when, e.dial.avoid)
	if r.score(e, when) < scoreFloor {
		again := e.record.recovery()
		if !again.After(when) {
			again = when.Add(lowScoreRetry)
		}
		when = again
	}
	return when
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// slots is how many more connections may be begun.
func (r *Registry) slots() int {
	connected, dialing := r.busy()
	return max(r.opts.MaxConnected-connected-dialing, 0)
}

// busy counts the connections that stand and those that are being made.
func (r *Registry) busy() (connected, dialing int) {
	for _, e := range r.order {
		switch e.state {
		case stateConnected:
			connected++
		case stateDialing:
			dialing++
		}
	}
	return connected, dialing
}

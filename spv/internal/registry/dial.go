package registry

import (
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
	unhelpfulTime    = 10 * time.Minute // so that others get a chance
	quotaTime        = 10 * time.Minute // after ErrQuota: no node changes its version soon
	lowScoreRetry    = time.Minute      // to look again at a peer below the floor

	// steady is how long a connection has to stand for the waits between dials
	// to start over.
	steady = time.Minute
)

// dialState is the reachability of an address.
type dialState struct {
	delay    time.Duration // that led to next, before the persistent fifth and jitter
	next     time.Time     // not before this
	avoid    time.Time     // nor before this, unless persistent or retry: it was unhelpful
	retry    bool          // it is dialed next all the same, whatever its score is
	failures int           // dials in a row
	tried    bool          // has answered, failed or been refused once in this run
}

// failed notes a failed dial; ours: the fault was on this computer.
func (d *dialState) failed(ours bool) {
	d.tried = true
	d.retry = false
	if ours {
		d.startOver()
	} else {
		d.failures++
	}
}

// connected forgets all failures. The delay stays until the connection has stood for
// a while.
func (d *dialState) connected() { *d = dialState{delay: d.delay, tried: true} }

// startOver makes the next wait the shortest one.
func (d *dialState) startOver() { d.delay = 0 }

// schedule sets the time of the next dial, later each time.
func (d *dialState) schedule(persistent bool, jitter time.Duration, now time.Time) {
	d.delay = min(dialBase+time.Duration(dialGrowth*float64(d.delay)), dialMax)
	wait := d.delay
	if persistent {
		wait /= persistentFactor
	}
	d.next = now.Add(wait + jitter)
}

// waitUntil has the next dial, of a persistent peer too, wait until a time.
func (d *dialState) waitUntil(t time.Time) { d.next = t }

// avoidUntil is waitUntil for peers that are not persistent.
func (d *dialState) avoidUntil(t time.Time) { d.avoid = t }

// setTried says whether the address counts as tried in this run.
func (d *dialState) setTried(tried bool) { d.tried = tried }

// chosen has the address dialed at once; tried is whether it counts as tried in this run.
func (d *dialState) chosen(tried bool) { d.tried, d.next = tried, time.Time{} }

// allowRetry has the address dialed soon, whatever there is against it.
func (d *dialState) allowRetry(now time.Time) {
	d.retry = true
	d.next = earliest(d.next, now.Add(d.delay/persistentFactor))
}

// forget forgets all but whether the address was tried in this run.
func (d *dialState) forget() { *d = dialState{tried: d.tried} }

// restore sets what was saved.
func (d *dialState) restore(avoid time.Time) { d.avoid = avoid }

// scheduleRedial sets the time of the next dial of a peer.
func (r *Registry) scheduleRedial(e *entry, now time.Time) {
	jitter := time.Duration(r.rng.Int64N(int64(2*dialJitter)+1)) - dialJitter
	e.dial.schedule(e.persistent, jitter, now)
}

// dialable yields the idle peers that may be dialed at some time, now at the
// earliest, if nothing else happens.
func (r *Registry) dialable(now time.Time) iter.Seq2[*entry, time.Time] {
	return func(yield func(*entry, time.Time) bool) {
		taken := r.takenGroups()
		for _, e := range r.order {
			possible := e.conn.idle() && (e.persistent || !r.opts.OnlyPersistent && !taken[e.group])
			if possible && !yield(e, r.dialTime(e, now)) {
				return
			}
		}
	}
}

// dialTime returns when an idle peer may be dialed, now at the earliest.
func (r *Registry) dialTime(e *entry, now time.Time) time.Time {
	when := latest(now, e.dial.next, r.bans.until(e.key, now))
	if e.persistent || e.dial.retry {
		return when
	}
	when = latest(when, e.dial.avoid)
	if r.score(e, when) < scoreFloor {
		again := e.service.recovery()
		if !again.After(when) {
			again = when.Add(lowScoreRetry)
		}
		when = again
	}
	return when
}

// DialCandidates is how many peers could be dialed now if there were room for them.
func (r *Registry) DialCandidates(now time.Time) int {
	n := 0
	for _, when := range r.dialable(now) {
		if !when.After(now) {
			n++
		}
	}
	return n
}

// RetryAvoided has all peers dialed once more that are avoided because they were unhelpful
// or incompatible, or have a low score, as soon as if they were persistent. It is for
// when nobody else is left who may have what is needed. Bans stay. It reports whether
// that concerns anybody.
func (r *Registry) RetryAvoided(now time.Time) (concerns bool) {
	for e, when := range r.dialable(now) {
		if !e.persistent && !e.dial.retry && when.After(latest(now, e.dial.next, r.bans.until(e.key, now))) {
			e.dial.allowRetry(now)
			concerns = true
		}
	}
	return concerns
}

package requests

import (
	"slices"
	"time"
)

// Request is something that one peer can deliver. Work is the owner's.
type Request[W any] struct {
	Kind Kind
	Work W

	attempts []*Attempt[W]
	failed   map[string]time.Time // peers that could not do it, and when
	failedAt time.Time            // when the last of them failed
	forgiven map[string]int       // how often one of them was let try again
	done     bool
	unserved bool // nobody is at it, and nobody is left to ask

	nobodyElse bool // who is at it is all there is
	lastResort bool // when it was last asked for, only those were left who rest, or nobody
}

// Attempt is a request at a peer.
type Attempt[W any] struct {
	Request *Request[W]
	Peer    string
	Since   time.Time
	Cancel  func()      // calls it off; set by the owner
	Moves   func() bool // whether answers of the peer come in; likewise

	late bool
	over bool // it does not count any more
}

// Done reports whether the request was finished.
func (r *Request[W]) Done() bool { return r.done }

// Unserved reports that nobody was left to ask when it was last looked at.
func (r *Request[W]) Unserved() bool { return r.unserved && !r.done }

// LastResort reports that nobody was left to ask but those who rest, when it was
// last looked whom to ask.
func (r *Request[W]) LastResort() bool { return r.lastResort && !r.done }

// Overdue reports that everybody who was asked is late, and that it was several or
// nobody is left to ask: perhaps it can't be had any more.
func (r *Request[W]) Overdue() bool {
	return len(r.attempts) > 0 && r.allLate() && (len(r.attempts) > 1 || r.nobodyElse)
}

// Asked reports whether anybody has been asked for it, or nobody is left to ask.
func (r *Request[W]) Asked() bool {
	return r.unserved || len(r.attempts)+len(r.failed) > 0
}

// Failed reports whether a peer could not do it.
func (r *Request[W]) Failed(peer string) bool { return !r.failed[peer].IsZero() }

// AnyFailed reports whether some peer could not do it.
func (r *Request[W]) AnyFailed() bool { return len(r.failed) > 0 }

// At reports whether a peer is at it.
func (r *Request[W]) At(peer string) bool {
	return slices.ContainsFunc(r.attempts, func(a *Attempt[W]) bool { return a.Peer == peer })
}

// allLate reports whether nobody is at it who is not late.
func (r *Request[W]) allLate() bool {
	return !slices.ContainsFunc(r.attempts, func(a *Attempt[W]) bool { return !a.late })
}

// newest is when somebody was last asked for it.
func (r *Request[W]) newest() (last time.Time) {
	for _, a := range r.attempts {
		if a.Since.After(last) {
			last = a.Since
		}
	}
	return last
}

// fail notes who could not do it, forgive that one of them may try again, and forgiveAll
// that all may.
func (r *Request[W]) fail(peer string, now time.Time) {
	if r.failed == nil {
		r.failed = make(map[string]time.Time)
	}
	r.failed[peer], r.failedAt = now, later(r.failedAt, now)
}
func (r *Request[W]) forgive(peer string) {
	if r.forgiven == nil {
		r.forgiven = make(map[string]int)
	}
	r.forgiven[peer]++
	delete(r.failed, peer)
}
func (r *Request[W]) forgiveAll() { r.failed, r.forgiven = nil, nil }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// begin notes that a peer is asked, and end that this is over.
func (r *Request[W]) begin(peer string, now time.Time) *Attempt[W] {
	a := &Attempt[W]{Request: r, Peer: peer, Since: now}
	r.attempts = append(r.attempts, a)
	return a
}
func (a *Attempt[W]) end() {
	a.over = true
	r := a.Request
	r.attempts = slices.DeleteFunc(r.attempts, func(other *Attempt[W]) bool { return other == a })
}

// delay notes that a peer is late, and wait that for some time we did not listen.
func (a *Attempt[W]) delay()               { a.late = true }
func (a *Attempt[W]) wait(d time.Duration) { a.Since = a.Since.Add(d) }

// finish notes that it is done, or not needed any more.
func (r *Request[W]) finish() { r.done = true }

// served notes whether somebody is left to ask, who does not rest.
func (r *Request[W]) served(somebody, lastResort bool) {
	r.unserved, r.lastResort = !somebody, lastResort
}

// taken notes that somebody is at it, and alone that nobody else is left.
func (r *Request[W]) taken()           { r.unserved = false }
func (r *Request[W]) alone(alone bool) { r.nobodyElse = alone }

// Inherit takes over from a request that it stands in for who could not do it.
func (r *Request[W]) Inherit(from *Request[W]) {
	for peer, at := range from.failed {
		r.fail(peer, at)
	}
}

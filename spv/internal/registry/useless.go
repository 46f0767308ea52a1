package registry

import "time"

// uselessTime is how long a peer that was of no use is not dialed again, so that
// others get a chance.
const uselessTime = 10 * time.Minute

// Spares is how many peers could be dialed now if there were room for them.
func (r *Registry) Spares(now time.Time) int {
	n := 0
	for _, when := range r.dialable(now) {
		if !when.After(now) {
			n++
		}
	}
	return n
}

// Alone tells that nobody is connected or being dialed.
func (r *Registry) Alone() bool {
	connected, dialing := r.busy()
	return connected+dialing == 0
}

// Relent has all peers dialed once more that are left alone because they were of no
// use, or incompatible, or have a low score, as soon as if they were persistent. It
// is for when nobody else is left who may have what is needed. Bans stay. It reports
// whether that concerns anybody.
func (r *Registry) Relent(now time.Time) (concerns bool) {
	for e, when := range r.dialable(now) {
		if !e.persistent && !e.dial.relented && when.After(latest(now, e.dial.next, r.bannedUntil(e.key, now))) {
			e.dial.relented, concerns = true, true
			e.dial.next = earliest(e.dial.next, now.Add(e.dial.delay/persistentFactor))
		}
	}
	return concerns
}

// feeler returns a peer that has not been met in this run, for the slot beyond
// MaxConnected, or nil. All that are connected may keep something from us, so
// that nothing seems to be missing: only a new face can tell.
func (r *Registry) feeler(now time.Time) *entry {
	if now.Before(r.nextProbe) || !r.roomBeyond(now) {
		return nil
	}
	var found *entry
	n := 0
	for e, when := range r.dialable(now) {
		if e.dial.met && !r.again || when.After(now) {
			continue
		}
		if n++; r.rng.IntN(n) == 0 {
			found = e
		}
	}
	return found
}

// roomBeyond tells whether somebody can make room for one connection more.
func (r *Registry) roomBeyond(now time.Time) bool { return r.stranger || r.worst(now) != nil }

// Proved returns the highest block of the best chain that a peer has shown to
// have.
func (r *Registry) Proved(addr string) uint32 {
	if e := r.peers[addr]; e != nil {
		return e.claim.validated
	}
	return 0
}

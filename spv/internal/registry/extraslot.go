package registry

import "time"

// When all slots are taken, one more connection may be made to a peer that
// promises to be much better than the worst one, or that was never tried. After a
// while to show itself, the worst of all is disconnected (Tendermint's
// MaxConnectedUpgrade).
const (
	probeMargin = 20              // points of score between the two, so that nothing goes in circles
	probePause  = 5 * time.Minute // from one attempt to the next
	probeLook   = time.Minute     // how often to look for a better peer
	trialTime   = 2 * time.Minute // of a new connection, before it can be evicted
)

// extraSlot is the slot beyond MaxConnected.
type extraSlot struct {
	next     time.Time // it is not used before this
	stranger bool      // it is used even if all who are connected are new
	again    bool      // and even for a peer that was tried before
	leaving  *entry    // named by NextEviction
}

// allow has the slot used at once.
func (x *extraSlot) allow(now time.Time) { x.next = now }

// invite is allow for a stranger.
func (x *extraSlot) invite(again bool, now time.Time) {
	*x = extraSlot{next: now, stranger: true, again: again, leaving: x.leaving}
}

// used notes a dial for this slot: the next one waits.
func (x *extraSlot) used(now time.Time) {
	*x = extraSlot{next: now.Add(probePause), leaving: x.leaving}
}

// left notes that a peer was disconnected.
func (x *extraSlot) left(e *entry) {
	if x.leaving == e {
		x.leaving = nil
	}
}

// full tells that MaxConnected connections stand, none is being made, and the slot
// beyond may be used. There is one such slot, so no two candidates can be meant to
// replace the same peer.
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
	turn := candidate.service.served() || !now.Before(r.extra.next)
	return turn && r.score(candidate, now) >= r.score(worst, now)+probeMargin
}

// stranger returns a peer that was not tried in this run, for the slot beyond
// MaxConnected, or nil. All that are connected may keep something from us, so
// that nothing seems to be missing: only a new peer can tell.
func (r *Registry) stranger(now time.Time) *entry {
	if now.Before(r.extra.next) || !r.roomBeyond(now) {
		return nil
	}
	var found *entry
	n := 0
	for e, when := range r.dialable(now) {
		if e.dial.tried && !r.extra.again || when.After(now) {
			continue
		}
		if n++; r.rng.IntN(n) == 0 {
			found = e
		}
	}
	return found
}

// roomBeyond tells whether somebody can make room for one connection more.
func (r *Registry) roomBeyond(now time.Time) bool { return r.extra.stranger || r.worst(now) != nil }

// ProbeNow allows the slot beyond MaxConnected to be used at once, for a peer that
// was not tried yet.
func (r *Registry) ProbeNow(now time.Time) { r.extra.allow(now) }

// TryStranger is ProbeNow even if nobody could be evicted yet: the owner makes room.
// again allows a peer that was tried before.
func (r *Registry) TryStranger(again bool, now time.Time) { r.extra.invite(again, now) }

// StrangerPending tells that nobody was dialed for the slot since TryStranger.
func (r *Registry) StrangerPending() bool { return r.extra.stranger }

// NextEviction returns whom to disconnect because more than MaxConnected peers
// are connected: the peer with the lowest score; then the one that has proved the
// least, the slower, the newer. Peers that the quota of batched filters needs come
// last, persistent ones never. There is nobody while a connection is in its first two
// minutes. The answer stays the same until Disconnected is reported.
func (r *Registry) NextEviction(now time.Time) (addr string, ok bool) {
	connected, _ := r.busy()
	over := connected - r.opts.MaxConnected
	x := &r.extra
	switch {
	case over <= 0:
		x.leaving = nil
	case x.leaving != nil && !x.leaving.persistent:
		// Named before.
	case over == 1 && r.onTrial(now):
		x.leaving = nil
	default:
		x.leaving = r.worst(now)
	}
	if x.leaving == nil {
		return "", false
	}
	return x.leaving.addr, true
}

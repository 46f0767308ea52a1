package spv

import "time"

// headersComplete reports whether every peer that claims more than we have was
// asked for it and has had its time to answer. What they claim does not count.
func (e *engine) headersComplete() bool {
	tip := e.chain.Tip().Height
	if !e.reached() || !e.chain.Proven() || e.network.gathering(e) || !e.heard(tip) {
		return false
	}
	waitedFor := func(s *session) bool { return s.since.Before(e.joinUntil()) }
	for _, r := range e.headers.requests.atTip() {
		walking := r.s.chain.walking && r.from.Height < tip
		if (!r.late || e.isComing(r)) && waitedFor(r.s) && !walking {
			return false
		}
	}
	for _, addr := range e.registry.Ahead(tip, e.now) {
		if s := e.sessions[addr]; s != nil && !s.headers.asked && !s.following.on && waitedFor(s) {
			return false
		}
	}
	return true
}

// joinUntil is until when whoever joins is waited for: a while from the last header of
// the best chain on, or from when there was a peer again.
func (e *engine) joinUntil() time.Time {
	began := e.headers.grown
	if first := e.network.firstPeer; first.After(began) {
		began = first
	}
	return began.Add(joinedPatience)
}

// tipHeld reports whether the best chain is all that will come soon, so that the
// last, incomplete batch of filters is worth asking for. It depends on what came,
// not on what anybody claims.
func (e *engine) tipHeld() bool {
	return e.disk.tip == e.chain.Tip() && (e.following.on || !e.moreHeaders() || e.now.Sub(e.headers.grown) >= grownPatience)
}

// headersDone reports whether no credible peer is ahead of us, nor proven work that only
// our clock speaks against. It is false until there has been a fair chance to hear from
// everybody.
func (e *engine) headersDone() bool {
	tip := e.chain.Tip().Height
	pending := e.headers.pending > tip && e.now.Before(e.headers.pendingUntil)
	return e.headersComplete() && e.registry.Target(e.now) <= tip && !pending && e.clockBehind() == ""
}

// heard reports whether somebody can tell that there is nothing above our tip: a
// peer that claims no more, or one that was asked and has answered, if not that there
// is more. That nobody answers is no proof, however long it lasts.
func (e *engine) heard(tip uint32) bool {
	for addr, s := range e.sessions {
		if s.chain.answered && !s.chain.leadsOn || e.registry.Height(addr) <= tip {
			return true
		}
	}
	return false
}

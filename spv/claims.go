package spv

import "time"

// exhausted notes that a peer has delivered all it has. That is no fault of one that
// did not claim more than we have.
func (e *engine) exhausted(s *session) {
	s.headers.rest(e.now.Add(rest))
	if e.claimsMore(s) {
		e.registry.ClaimFailed(s.addr, e.now)
	}
}

// claimsMore reports whether a peer says that it has more than we have.
func (e *engine) claimsMore(s *session) bool {
	return e.registry.Height(s.addr) > e.chain.Tip().Height
}

// asksFor notes that a peer is asked for what it claims beyond what we have, and
// until when that counts. It reports whether this is the first time.
func (e *engine) asksFor(s *session, patience time.Duration) (first bool) {
	return e.claimsMore(s) && e.registry.Asked(s.addr, e.now.Add(patience))
}

// keepClaim has what a peer claimed waited for that is leaving although it had
// delivered: others may have it. That its own claim has failed is up to the
// registry.
func (e *engine) keepClaim(s *session) {
	if e.ctx.Err() != nil {
		return
	}
	claim := e.registry.Claim(s.addr, e.now)
	if claim > e.chain.Tip().Height && s.chain.last.Height > 0 && !e.following.on {
		e.headers.awaited.set(claim, e.now.Add(claimPatience))
	}
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

// awaited is a height that is waited for although nobody who is connected claims it. A peer
// that had delivered headers has left in the middle of it, or what we had was dropped:
// others may have it.
type awaited struct {
	height uint32
	until  time.Time
}

func (a *awaited) set(height uint32, until time.Time) { a.height, a.until = height, until }

// above reports whether that is higher than a height.
func (a *awaited) above(height uint32, now time.Time) bool {
	return a.height > height && now.Before(a.until)
}

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
		e.headers.waitFor(claim, e.now.Add(claimPatience))
	}
}

package spv

import (
	"time"

	"dcrspv/spv/internal/registry"
)

// slowHeaders is how long a full answer takes at most for its peer to count as
// fast. Two peers are tried first. While the fastest one takes longer, every
// second request tries one that was not measured; else every fourth.
const slowHeaders = 250 * time.Millisecond

// exploration decides how often a peer is tried whose speed is not known.
type exploration struct {
	settled int // requests to the fastest since the last try
}

// due reports whether it is time for one when the fastest peer takes so long.
func (x *exploration) due(takes time.Duration) bool {
	if takes > slowHeaders {
		return x.settled >= 1
	}
	return x.settled >= 3
}

func (x *exploration) tried()  { x.settled = 0 }
func (x *exploration) passed() { x.settled++ }

// claimingPeer chooses the fastest of the peers that claim more than we have, or
// one that was not measured yet.
func (e *engine) claimingPeer() *session {
	var fastest, untried *session
	var takes time.Duration
	tried := 0
	for _, addr := range e.registry.Ahead(e.chain.Tip().Height, e.now) {
		s := e.sessions[addr]
		if s == nil {
			continue
		}
		if s.headers.asked {
			tried++
		}
		if !e.mayAskHeaders(s) {
			continue
		}
		switch d := e.requests.Measured(addr, registry.Headers); {
		case d == 0 && untried == nil:
			untried = s
		case d > 0 && (fastest == nil || d < takes):
			fastest, takes = s, d
		}
	}
	if untried != nil && (tried < 2 || fastest == nil || e.headers.explore.due(takes)) {
		e.headers.explore.tried()
		return untried
	}
	e.headers.explore.passed()
	return fastest
}

// explore asks peers that were never asked, beside the others, while nobody that
// claims more than we have is known to be fast, or who is has become late: as many at
// a time as have been tried in vain. So however many peers dawdle, or give a little at
// a time, the one that does not is found after as many rounds as their number has
// binary digits.
func (e *engine) exploreHeaders() {
	vain, trying := 0, 0
	for addr, s := range e.sessions {
		d := e.requests.Measured(addr, registry.Headers)
		switch {
		case d > slowHeaders:
			vain++
		case !s.headers.asked || d > 0:
		case !s.headers.waiting():
			vain++
		default:
			trying++
		}
	}
	if trying >= vain {
		return
	}
	var strangers []*session
	for _, addr := range e.registry.Ahead(e.chain.Tip().Height, e.now) {
		s := e.sessions[addr]
		if s == nil {
			continue
		}
		late := s.headers.request != nil && s.headers.request.late
		if d := e.requests.Measured(addr, registry.Headers); 0 < d && d <= slowHeaders && !late {
			return
		}
		if !s.headers.asked && e.mayAskHeaders(s) {
			strangers = append(strangers, s)
		}
	}
	for _, s := range strangers[:min(len(strangers), vain-trying)] {
		e.requestHeaders(s)
	}
}

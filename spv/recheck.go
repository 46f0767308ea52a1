package spv

import (
	"time"

	"dcrspv/spv/internal/registry"
)

// lastResortPeer chooses whom to ask when nobody is believed to have more than we
// have, and yet we can't be sure to have all: there must be more, or everybody's
// claim is doubted and nobody has been asked. A peer that had nothing may have
// been syncing itself: dcrd answers getheaders with nothing until its own chain
// is proven.
func (e *engine) lastResortPeer() *session {
	addrs := e.registry.Serving(registry.Headers, 0, e.now)
	if len(addrs) == 0 {
		addrs = e.registry.Resting(registry.Headers, 0, e.now)
	}
	for _, addr := range addrs {
		s := e.sessions[addr]
		if s != nil && s.headers.flight == nil && e.now.Sub(s.headers.recheckedAt) >= recheckPause {
			s.headers.recheckedAt = e.now
			return s
		}
	}
	return nil
}

// recheckPeer chooses whom to ask once more: the best of those that are to be.
func (e *engine) recheckPeer() *session {
	for _, addr := range e.registry.Serving(registry.Headers, 0, e.now) {
		if s := e.sessions[addr]; s != nil && s.headers.recheck && e.mayAskHeaders(s) {
			return s
		}
	}
	return nil
}

// recheckPause is how long the answer to a recheck holds.
const recheckPause = 5 * time.Second

// recheckAll is called when no peer delivers what it should have. Perhaps these
// blocks have left the peers' best chain: dcrd is silent about the filters of a
// side chain. So everybody is asked for headers once, and nobody is blamed.
func (e *engine) recheckAll() {
	for _, s := range e.sessions {
		e.recheck(s)
	}
}

// recheck has one peer asked for headers, unless it was not long ago.
func (e *engine) recheck(s *session) {
	if e.now.Sub(s.headers.recheckedAt) < recheckPause {
		return
	}
	s.headers.recheckedAt = e.now
	if s.following.on {
		e.askOn(s)
	} else {
		s.headers.recheck = true
	}
}

// recheckNow does it however long ago the last one was: the best chain has
// changed under the peers' feet.
func (e *engine) recheckNow(s *session) {
	s.headers.recheckedAt = time.Time{}
	e.recheck(s)
}

package spv

import (
	"time"

	"dcrspv/spv/internal/registry"
)

// recheckState is whether a peer is to be asked for headers although it claims no more
// than we have, because nobody delivers what somebody should have.
type recheckState struct {
	wanted bool
	at     time.Time // when that was decided
}

// recheckPause is how long the answer to a recheck holds.
const recheckPause = 5 * time.Second

// recent reports whether the last recheck still holds.
func (r *recheckState) recent(now time.Time) bool { return now.Sub(r.at) < recheckPause }

// decided notes that there is a recheck now.
func (r *recheckState) decided(now time.Time) { r.at = now }

// expire has the next one not wait: the best chain has changed under the peers' feet.
func (r *recheckState) expire() { r.at = time.Time{} }

// want has the peer asked, and asked notes that it was.
func (r *recheckState) want()  { r.wanted = true }
func (r *recheckState) asked() { r.wanted = false }

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
		if s != nil && s.headers.request == nil && !s.recheck.recent(e.now) {
			s.recheck.decided(e.now)
			return s
		}
	}
	return nil
}

// recheckPeer chooses whom to ask once more, the best first.
func (e *engine) recheckPeer() *session {
	for _, addr := range e.registry.Serving(registry.Headers, 0, e.now) {
		if s := e.sessions[addr]; s != nil && s.recheck.wanted && e.mayAskHeaders(s) {
			return s
		}
	}
	return nil
}

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
	if s.recheck.recent(e.now) {
		return
	}
	s.recheck.decided(e.now)
	if s.following.on {
		e.askOn(s)
	} else {
		s.recheck.want()
	}
}

// recheckNow does it however long ago the last one was.
func (e *engine) recheckNow(s *session) {
	s.recheck.expire()
	e.recheck(s)
}

package spv

import (
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

const (
	// lagGrace is how long a peer may be behind once we follow the chain: in a
	// burst of blocks the first peer's announcement comes before the last's.
	// During the initial sync there is none.
	lagGrace = 5 * time.Second
)

// lagState is how long a peer has been behind.
type lagState struct {
	since time.Time // zero if it is not
}

func (l *lagState) excuse(away time.Duration) {
	if !l.since.IsZero() {
		l.since = l.since.Add(away)
	}
}

// reach is the height that peers are measured by: our tip, or while filters are
// missing the last block that we have the filter of. Headers alone don't show
// that anybody has the blocks, so whoever has as many blocks as we have filters is not cut
// off for headers.
func (e *engine) reach() uint32 {
	tip := e.chain.Tip().Height
	from, ok := e.filtersFrom()
	if ok && from > tip {
		return tip
	}
	through, _ := e.filters.through()
	return min(tip, through)
}

// disconnectLagging ends the connections to peers that are too far behind our tip.
func (e *engine) disconnectLagging() {
	tip := e.reach()
	e.network.measure(e.chain.Tip().Height, tip)
	lagging := make(map[string]bool)
	for _, addr := range e.registry.Lagging(tip) {
		s := e.sessions[addr]
		if s == nil || e.keepsUp(s) || e.mayBeAhead(s) {
			continue
		}
		lagging[addr] = true
		if s.lag.since.IsZero() {
			s.lag.since = e.now
		}
		if e.following.on && e.now.Sub(s.lag.since) < lagGrace {
			continue
		}
		e.disconnect(s, lagError(e.registry.Height(addr), tip))
	}
	for addr, s := range e.sessions {
		if !lagging[addr] {
			s.lag.since = time.Time{}
		}
	}
}

// keepsUp looks whether the block that a peer has announced by its hash is one of
// our last: then it says that it has it.
func (e *engine) keepsUp(s *session) bool {
	tip := e.chain.Tip().Height
	for height := tip - min(tip, maxLag); height <= tip; height++ {
		if hash, ok := e.chain.Hash(height); ok && hash == s.chain.inv {
			e.registry.Announced(s.addr, height)
			return true
		}
	}
	return false
}

// mayBeAhead looks whether a peer has announced, before we wanted announcements, a
// block that is not of our chain: then it is asked what it has, in place of going
// by the height that it stated when it connected. It stays until it has answered
// or is late.
func (e *engine) mayBeAhead(s *session) bool {
	if s.following.on || s.chain.inv == (chainhash.Hash{}) {
		return false
	}
	e.recheck(s)
	return s.recheck.wanted || s.headers.waiting()
}

// lagTime is when a lagging peer's grace ends.
func (e *engine) lagTime() (next time.Time) {
	for _, s := range e.sessions {
		if s.lag.since.IsZero() {
			continue
		}
		if t := s.lag.since.Add(lagGrace); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}

package spv

import (
	"errors"
	"fmt"
	"time"

	"dcrspv/spv/peer"
	"dcrspv/spv/registry"
)

// A process that was stopped (SIGSTOP, a debugger) or whose machine slept finds
// that everybody is late. That is nobody's fault: the time does not count, and
// connections that did not outlive it are made anew.

const (
	// awayAfter is how much later than planned the loop must wake up. A busy
	// machine does not delay it as long; if it does, forgiving costs nothing.
	awayAfter = 2 * time.Second

	// asleepAfter is how much more time the clock on the wall must show than the
	// one that times connections and stands still with the machine. Then peers
	// may have hung up long ago, without our hearing of it.
	asleepAfter = time.Minute

	// awayGrace is how long after our return the end of a connection is put down
	// to it.
	awayGrace = time.Minute
)

// noticeAway compares the time with when the loop was to wake up at the latest.
func (e *engine) noticeAway(planned time.Time) {
	if away := e.now.Sub(planned); away >= awayAfter {
		e.logs.sync.Infof("This program stood still for %v", away.Round(time.Second))
		e.returned = e.now
		e.excuse(away)
	}
	if slept := e.now.Round(0).Sub(planned.Round(0)) - e.now.Sub(planned); slept >= asleepAfter {
		e.logs.sync.Infof("This machine slept for %v, or its clock was set: connecting anew", slept.Round(time.Second))
		for _, s := range e.sessions {
			e.drop(s, registry.ErrAway)
		}
	}
}

// excuse has time that we were away count for nothing.
func (e *engine) excuse(away time.Duration) {
	e.requests.Away(away)
	e.registry.Away(away)
	for _, fl := range e.headers.allFlights() {
		fl.since = fl.since.Add(away)
	}
	e.withheld.excuse(away)
	for _, s := range e.sessions {
		s.following.excuse(away)
		s.lag.excuse(away)
	}
}

// excused wraps the reason why a connection has ended if it may be that we were
// away.
func (e *engine) excused(s *session, err error) error {
	ours := errors.Is(err, peer.ErrStalled) || errors.Is(err, peer.ErrTimeout) || errors.Is(err, peer.ErrClosed)
	if ours && s.since.Before(e.returned) && e.now.Sub(e.returned) < awayGrace {
		return fmt.Errorf("%w: %w", registry.ErrAway, err)
	}
	return err
}

package spv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"
)

// A process that was stopped (SIGSTOP, a debugger) or whose machine slept finds
// that everybody is late. That is nobody's fault: the time does not count, and
// connections that did not outlive it are made anew.

// away is what is known of times in which we were not there.
type away struct {
	returned time.Time     // when we last had been
	began    time.Time     // when the two clocks were first compared
	ahead    time.Duration // how far the one on the wall has moved more than the other since
}

const (
	// awayAfter is how much later than planned the loop must wake up. A busy
	// machine does not delay it as long; if it does, forgiving costs nothing.
	awayAfter = 2 * time.Second

	// asleepAfter is how much more time the clock on the wall must show than the
	// one that times connections and stands still with the machine. Then peers
	// may have hung up long ago, without our hearing of it. Or the clock was set,
	// and nothing is wrong with them.
	asleepAfter = time.Minute

	// wakePatience is how long a peer may be silent after that.
	wakePatience = 5 * time.Second

	// awayGrace is how long after our return the end of a connection is put down
	// to it.
	awayGrace = time.Minute
)

// noticeAway compares the time with when the loop was to wake up at the latest.
func (e *engine) noticeAway(planned time.Time) {
	a := &e.away
	if late := e.now.Sub(planned); late >= awayAfter {
		e.logs.sync.Infof("This program stood still for %v", late.Round(time.Second))
		a.returned = e.now
		e.excuse(late)
	}
	if slept := a.slept(e.now); slept >= asleepAfter {
		e.logs.sync.Infof("This machine slept for %v, or its clock was set: looking who is still there", slept.Round(time.Second))
		a.returned = e.now
		for _, s := range e.sessions {
			e.callUp(s)
		}
	}
}

// slept is how much more time has passed on the wall since the last call.
func (a *away) slept(now time.Time) time.Duration {
	ahead := now.Round(0).Sub(a.began.Round(0)) - now.Sub(a.began)
	slept := ahead - a.ahead
	a.ahead = ahead
	return slept
}

// excuse has time that we were away count for nothing.
func (e *engine) excuse(away time.Duration) {
	e.requests.Away(away)
	e.registry.Away(away)
	e.headers.requests.excuse(away)
	e.unserved.excuse(away)
	for _, s := range e.sessions {
		s.following.excuse(away)
		s.lag.excuse(away)
	}
}

// presence is whether a connection still stands: after our return that may not be sure.
type presence struct{ unsure bool }

func (p *presence) doubt() { p.unsure = true }
func (p *presence) shown() { p.unsure = false }

// callUp finds out whether a connection still stands. Until it has shown that, it tells
// nothing.
func (e *engine) callUp(s *session) {
	d, ok := s.peer.(deliverer)
	if !ok {
		return
	}
	s.presence.doubt()
	before := s.peer.Stats().BytesIn
	e.goWorker(func() {
		ctx, cancel := context.WithTimeout(s.ctx, wakePatience)
		defer cancel()
		err := d.Delivered(ctx)
		e.post(calledUp{s: s, there: err == nil || s.peer.Stats().BytesIn > before})
	})
}

// calledUp: a peer has answered after our return, or sent anything, or nothing.
type calledUp struct {
	s     *session
	there bool
}

func (ev calledUp) apply(e *engine) {
	ev.s.presence.shown()
	if !ev.there {
		e.drop(ev.s, registry.ErrAway)
	}
}

// reached reports whether somebody is there for certain.
func (e *engine) reached() bool {
	for _, s := range e.sessions {
		if !s.presence.unsure {
			return true
		}
	}
	return false
}

// excused wraps the reason why a connection has ended if it may be that we were
// away.
func (e *engine) excused(s *session, err error) error {
	ours := errors.Is(err, peer.ErrStalled) || errors.Is(err, peer.ErrTimeout) || errors.Is(err, peer.ErrClosed)
	if ours && s.since.Before(e.away.returned) && e.now.Sub(e.away.returned) < awayGrace {
		return fmt.Errorf("%w: %w", registry.ErrAway, err)
	}
	return err
}

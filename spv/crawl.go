package spv

import (
	"fmt"
	"time"

	"dcrspv/spv/internal/registry"
)

// Peers that are slow at all they do may hold all slots: things move, and nobody is of
// no use. So while much is left to do at the pace at which it goes, a peer that was
// not met yet, or not lately, is connected beside them. It is measured by what the others do at the
// same time. If it is much faster the slowest of the others goes, whatever it has
// proved, and else it goes itself, so that peers that are all as fast as our own line
// stay who they are.

// crawl is the search for somebody faster.
type crawl struct {
	since time.Time // when it began, or last found somebody; zero: all is well
	tried time.Time // when a stranger was last let in
	trial *session  // the stranger, while it is measured
}

// begin starts the search anew after a stranger was tried.
func (c *crawl) begin(tried time.Time) { *c = crawl{tried: tried} }

const (
	// crawlLeft is how long what is left has to take.
	crawlLeft = time.Minute

	// crawlAfter is how long the peers and a phase have to show how fast it goes.
	crawlAfter = 10 * time.Second

	// Strangers are let in one after the other, one every crawlPause, and after
	// crawlKeen without having found somebody one every crawlPauseLong.
	crawlPause     = 10 * time.Second
	crawlPauseLong = time.Minute
	crawlKeen      = 5 * time.Minute

	// A stranger has crawlTrial to show something, and if that promises to be much
	// faster crawlTrialMost to be done.
	crawlTrial     = 3 * time.Second
	crawlTrialMost = 30 * time.Second

	// crawlFactor is how many times as fast as the others it has to be.
	crawlFactor = 2
)

// tryFaster lets strangers in while the sync crawls, and decides who stays.
func (e *engine) tryFaster() {
	c := &e.crawl
	kind, crawls := e.crawls()
	if e.sessions[e.trialAddr()] != c.trial {
		c.trial = nil
	}
	switch {
	case !crawls:
		c.begin(c.tried)
	case c.trial != nil:
		e.judgeTrial(c.trial, kind)
	case len(e.sessions) > e.cfg.MaxPeers:
		c.trial = e.sessions.newest()
		if s := c.trial; kind == registry.Headers && e.claimsMore(s) && !s.headers.asked && e.mayAskHeaders(s) {
			e.requestHeaders(s)
		}
	case c.since.IsZero():
		c.since = e.now
	case len(e.sessions) == e.cfg.MaxPeers && e.now.Sub(c.tried) >= e.crawlPause():
		c.tried = e.now
		for _, again := range []bool{false, true} {
			e.registry.TryStranger(again, e.now)
			if e.dialMore(); !e.registry.NoStranger() {
				break
			}
		}
	}
}

func (e *engine) trialAddr() string {
	if e.crawl.trial == nil {
		return ""
	}
	return e.crawl.trial.addr
}

func (e *engine) crawlPause() time.Duration {
	if e.now.Sub(e.crawl.since) < crawlKeen {
		return crawlPause
	}
	return crawlPauseLong
}

// crawls reports whether the initial sync goes so slowly that somebody else may be
// worth it, and for want of what.
func (e *engine) crawls() (kind registry.Kind, ok bool) {
	p := &e.progress
	switch p.phase {
	case Headers:
		kind = registry.Headers
	case Filters:
		kind = registry.Filters
	default:
		return 0, false
	}
	shown := e.now.Sub(e.network.firstPeer) >= crawlAfter && e.now.Sub(p.since) >= crawlAfter
	return kind, e.network.discover && !e.following.on && shown && (p.left == 0 || p.left > crawlLeft)
}

// judgeTrial decides between a stranger and the others.
func (e *engine) judgeTrial(s *session, kind registry.Kind) {
	own, done := e.takes(s, kind)
	var others time.Duration
	var slowest *session
	var most time.Duration
	for _, other := range e.sessions {
		if other == s {
			continue
		}
		d, _ := e.takes(other, kind)
		if d > 0 && (others == 0 || d < others) {
			others = d
		}
		if slowest == nil || d > most {
			slowest, most = other, d
		}
	}
	faster := own > 0 && (others == 0 || crawlFactor*own <= others)
	switch tried := e.now.Sub(s.since); {
	case done && faster:
		e.disconnect(slowest, fmt.Errorf("%w: %s takes %v for %s, others %v", errReplaced, s.addr, own, kind, others))
		e.crawl.begin(e.now)
	case done, tried >= crawlTrialMost, tried >= crawlTrial && !faster:
		e.drop(s, fmt.Errorf("%w: it is no faster than the others", registry.ErrUseless))
	}
}

// takes is how long a peer takes for an answer; 0 is not known. Of one whose first
// answer has not come yet it is what it will take at the present pace, or that it has
// taken so long already; done tells that it has come.
func (e *engine) takes(s *session, kind registry.Kind) (d time.Duration, done bool) {
	if d := e.requests.Measured(s.addr, kind); d > 0 {
		return d, true
	}
	if kind != registry.Headers {
		return 0, false
	}
	r := s.headers.request
	if r == nil {
		return s.headers.took, s.headers.took > 0
	}
	d = e.now.Sub(r.since)
	if come := s.peer.Stats().Incoming; come > 0 {
		d = max(d, time.Duration(float64(d)*fullAnswer/float64(come)))
	}
	return d, false
}

// crawlTime is when to look again for somebody faster, or what became of a stranger.
func (e *engine) crawlTime() (next time.Time) {
	c := &e.crawl
	if c.since.IsZero() {
		return next
	}
	times := []time.Time{c.tried.Add(e.crawlPause())}
	if c.trial != nil {
		times = []time.Time{c.trial.since.Add(crawlTrial), c.trial.since.Add(crawlTrialMost)}
	}
	for _, t := range times {
		if t.After(e.now) {
			return t
		}
	}
	return next
}

package spv

import (
	"cmp"
	"math/bits"
	"time"

	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/wire"
)

const (
	// maxBacklog is how many proven headers may wait for the disk before no
	// more are asked for. How many unproven ones there may be is up to package
	// chain.
	maxBacklog = 4 * wire.MaxBlockHeadersPerMsg

	// grownPatience is how long what has come last is given to go on: then the
	// best chain is taken for complete, whoever else may be asked.
	grownPatience = time.Second

	// joinedPatience is how long after the last header of the best chain, or the
	// first peer, the initial sync waits for peers that join: whoever comes later is
	// asked, but not waited for, so that nobody can prolong it by coming back.
	joinedPatience = 5 * time.Second
)

// askHeaders sends the getheaders that are due.
func (e *engine) askHeaders() {
	h := &e.headers
	e.keepComing()
	for _, r := range h.requests {
		waited := e.now.Sub(r.since)
		if !r.late && waited >= e.requests.LateAfter(r.s.addr, registry.Headers) && !e.excusesHeaders(r) {
			r.dawdles()
			e.requests.Overdue(r.s.addr, registry.Headers, waited)
			e.logs.sync.Debugf("%s is late with headers", r.s.addr)
		}
	}
	if e.following.on || e.chain.Storable() > maxBacklog {
		return
	}
	if !e.moreHeaders() {
		e.askMore()
	}
	e.exploreHeaders()
}

// excusesHeaders reports whether a peer is not late with headers: our line is as full as
// it gets and its answers are among what comes in, or this one will be there in twice
// the time that others take.
func (e *engine) excusesHeaders(r *headerRequest) bool {
	return e.keepsPace(r) || e.requests.Excused(r.s.addr, registry.Headers, e.now.Sub(r.since), e.moves(r.s))
}

// askMore asks one peer, or as many as there are late ones. While those still dawdle
// that had been fast, before others did what they were asked for, it is a few more: as
// many as their number has binary digits. So they can't keep us one after the other.
func (e *engine) askMore() {
	late, faded := 0, uint(0)
	for _, r := range e.headers.requests.atTip() {
		switch {
		case !r.overtaken:
			late++
		case r.faded:
			faded++
		}
	}
	for range max(late, 1) + bits.Len(faded) {
		s := e.headerPeer()
		if s == nil && (!e.chain.Proven() || !e.heard(e.chain.Tip().Height)) {
			s = e.lastResortPeer()
		}
		if s == nil {
			return
		}
		e.requestHeaders(s)
	}
}

// moreHeaders reports whether headers above our tip may be on their way, from a
// peer that is not late.
func (e *engine) moreHeaders() bool {
	h := &e.headers
	return h.prefetch.waiting(e.chain.Tip()) || h.requests.waiting()
}

// headerPeer chooses whom to ask next, by turns among peers that claim more than
// we have and peers that are to be asked once more: neither kind holds up the
// other, however many there are.
func (e *engine) headerPeer() *session {
	if e.headers.claimsFirst() {
		return cmp.Or(e.claimingPeer(), e.recheckPeer(), e.restingPeer())
	}
	return cmp.Or(e.recheckPeer(), e.claimingPeer(), e.restingPeer())
}

// restingPeer chooses one that claims more than we have and rests after a failure,
// when nobody else is left.
func (e *engine) restingPeer() *session {
	for _, addr := range e.registry.RestingAhead(e.chain.Tip().Height, e.now) {
		if s := e.sessions[addr]; s != nil && e.mayAskHeaders(s) {
			return s
		}
	}
	return nil
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

// headerTime is when a getheaders becomes late, an absent peer's claim ends or the
// best chain counts as complete.
func (e *engine) headerTime() (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(e.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(e.headers.awaited.until)
	if !e.following.on {
		sooner(e.headers.grown.Add(grownPatience))
		sooner(e.joinUntil())
	}
	for _, r := range e.headers.requests {
		if !r.late {
			sooner(r.since.Add(e.requests.LateAfter(r.s.addr, registry.Headers)))
			sooner(e.paceUntil(r))
		}
	}
	return next
}

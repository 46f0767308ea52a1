package spv

import (
	"context"
	"errors"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

const (
	// rest is how long a peer that had nothing more is not asked again, whatever
	// else speaks for it.
	rest = time.Second

	// restFailed is rest for a peer that has failed, if nobody else is left.
	restFailed = 3 * time.Second

	// claimPatience is how long a claim counts after its peer was asked, unless
	// it delivers: only new, valid headers give it more time. That of a good peer
	// that leaves counts as long.
	claimPatience = 5 * time.Second
)

// mayAskHeaders reports whether a peer may have a getheaders of the initial sync.
func (e *engine) mayAskHeaders(s *session) bool {
	return s.headers.request == nil && !s.following.on && !e.now.Before(s.headers.restsUntil)
}

func (e *engine) sendHeaderRequest(r *headerRequest, locator []chainhash.Hash) {
	ctx, cancel := context.WithCancel(r.s.ctx)
	r.sent(e.now, e.branch, e.requests.Measured(r.s.addr, registry.Headers) > 0, cancel)
	e.headers.requests.add(r)
	rules := e.rules
	e.work(r.s, func(p Source) event {
		defer cancel()
		start := time.Now()
		headers, err := p.Headers(ctx, locator, r.stop)
		ev := headersReply{request: r, count: len(headers), took: time.Since(start), err: err}
		if err == nil {
			ev.batch, ev.err = rules.Check(headers)
		}
		return ev
	})
}

// headersReply: a getheaders of the initial sync was answered, or not.
type headersReply struct {
	request *headerRequest
	batch   chain.Batch
	count   int
	took    time.Duration
	err     error
}

func (ev headersReply) apply(e *engine) {
	r, s := ev.request, ev.request.s
	if s.headers.request != r {
		return // the peer is lost, or was asked again with sendheaders
	}
	e.headers.requests.end(s)
	if ev.err != nil {
		if errors.Is(ev.err, peer.ErrStalled) {
			e.keepClaim(s) // it is disconnected, but others may have what it claims
		}
		s.headers.rest(e.now.Add(restFailed))
		e.judge(s, registry.Headers, 0, ev.err)
		return
	}
	took := max(min(ev.took, e.now.Sub(r.since)), 1) // without the time that we were away
	s.headers.answered(took)
	if ev.count == wire.MaxBlockHeadersPerMsg {
		e.requests.Learn(s.addr, registry.Headers, fullAnswer, took)
	}
	if r.taken(r, ev.batch, ev.count) {
		e.registry.Success(s.addr, registry.Headers, took, e.now)
	}
}

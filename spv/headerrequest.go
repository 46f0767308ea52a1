package spv

import (
	"context"
	"errors"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// headerRequest is a getheaders of the initial sync at a peer: for what follows our tip, or
// for a range above it.
type headerRequest struct {
	s     *session
	ahead *headerRange // that range; nil is what follows our tip
	since time.Time

	from   chain.BlockID  // what is requested begins above it
	stop   chainhash.Hash // the last block requested; zero is as many as there are
	branch branch         // the engine's when it was sent
	first  bool           // its peer's claim counts from this request on
	cancel context.CancelFunc

	late      bool
	known     bool // how fast its peer was, when it was sent
	faded     bool // it was known, and became late
	overtaken bool // what it asks for has come from others
}

// dawdles notes that it is late.
func (r *headerRequest) dawdles() { r.late, r.faded = true, r.known }

// headerRequests are those under way.
type headerRequests []*headerRequest

func (h *headerRequests) add(r *headerRequest) {
	*h = append(*h, r)
	r.s.headers.request, r.s.headers.asked = r, true
	if r.ahead != nil {
		r.ahead.request = r
	}
}

// end takes a peer's request out: it is over, or nobody waits for it any more.
func (h *headerRequests) end(s *session) {
	r := s.headers.request
	if r == nil {
		return
	}
	*h = slices.DeleteFunc(*h, func(other *headerRequest) bool { return other == r })
	s.headers.request = nil
	if r.ahead != nil {
		r.ahead.request = nil
	}
}

// atTip are the requests for what follows our tip.
func (h headerRequests) atTip() headerRequests {
	return slices.DeleteFunc(slices.Clone(h), func(r *headerRequest) bool { return r.ahead != nil })
}

// waiting reports whether one for what follows our tip is not late.
func (h headerRequests) waiting() bool {
	return slices.ContainsFunc(h, func(r *headerRequest) bool { return r.ahead == nil && !r.late })
}

// overtake notes that the best chain has grown. Who walks through blocks that we know, or
// may be on the branch that was left, looks for something else.
func (h headerRequests) overtake(reorged bool) {
	for _, r := range h {
		if r.ahead == nil && !r.s.chain.walking && !reorged {
			r.late, r.overtaken = true, true
		}
	}
}

// excuse has time that we were away count for nothing.
func (h headerRequests) excuse(away time.Duration) {
	for _, r := range h {
		r.since = r.since.Add(away)
	}
}

// headerAsk is what is known of asking one peer for headers, in this connection and
// before it announces them.
type headerAsk struct {
	request    *headerRequest // under way
	asked      bool           // there was a request
	took       time.Duration  // its last answer, of any size; 0 is none
	restsUntil time.Time      // when it may be asked again
}

// waiting reports whether a request is under way that is not late.
func (a *headerAsk) waiting() bool { return a.request != nil && !a.request.late }

// answered notes how long its answer took.
func (a *headerAsk) answered(took time.Duration) { a.took = took }

// rest has it not asked before a time.
func (a *headerAsk) rest(until time.Time) { a.restsUntil = until }

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

// requestHeaders asks a peer for what follows our tip, or its own last header.
func (e *engine) requestHeaders(s *session) {
	r := &headerRequest{s: s, from: e.locatorStart(s)}
	if r.from == e.chain.Tip() {
		r.stop = e.headers.prefetch.stop(r.from.Height)
	}
	s.recheck.asked()
	r.first = e.asksFor(s, max(claimPatience, 2*e.requests.Measured(s.addr, registry.Headers)))
	e.sendHeaderRequest(r, e.chain.Locator(r.from))
}

// requestAhead asks a peer for the next headers of a range above our tip.
func (e *engine) requestAhead(s *session, ahead *headerRange) {
	_, genesis := e.rules.Genesis()
	locator := slices.Compact([]chainhash.Hash{ahead.last.Hash, ahead.from.Hash, genesis.Hash})
	e.sendHeaderRequest(&headerRequest{s: s, ahead: ahead, from: ahead.last, stop: ahead.to.Hash}, locator)
}

func (e *engine) sendHeaderRequest(r *headerRequest, locator []chainhash.Hash) {
	ctx, cancel := context.WithCancel(r.s.ctx)
	r.since, r.branch, r.cancel = e.now, e.branch, cancel
	r.known = e.requests.Measured(r.s.addr, registry.Headers) > 0
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

// locatorStart is the block that a locator for a peer begins with: our tip, or
// the last header of that peer while its branch is not ours yet or has not been
// reached. For a peer that says it is below our tip it is the block where it
// says it is: it has told how high it was when it connected, and only headers in
// its answer show that it has the blocks since.
func (e *engine) locatorStart(s *session) chain.BlockID {
	last := s.chain.last
	if e.chain.Known(last.Hash, last.Height) && (s.chain.walking || !e.chain.Contains(last)) {
		return last
	}
	tip := e.chain.Tip()
	if height := e.registry.Height(s.addr); height < tip.Height {
		if stated, ok := e.chain.Block(height); ok {
			return stated
		}
	}
	return tip
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
	if r.ahead != nil {
		e.takeAhead(r, ev.batch)
	} else if e.takeHeaders(r, ev.batch, ev.count) {
		e.registry.Success(s.addr, registry.Headers, took, e.now)
	}
}

package spv

import (
	"context"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// headerStage asks for headers during the initial sync, until every peer that
// claims a chain higher than ours was asked. Locators exist only here and in the
// getheaders that goes with a sendheaders.
//
// One peer is asked at a time. If it is late, measured against what others take,
// as many again are asked as have been. The fastest one goes first, but each peer
// gets its chance to show how fast it is (explore.go).
type headerStage struct {
	requests headerRequests
	prefetch prefetch    // headers above checkpoints that lie ahead
	explore  exploration // of peers whose speed is not known

	grown time.Time // when the best chain last got longer
	turn  bool      // of the claims, before the rechecks

	awaited awaited // what peers claimed that have left
}

// claimsFirst reports whose turn it is, in turns.
func (h *headerStage) claimsFirst() bool {
	h.turn = !h.turn
	return h.turn
}

// grew notes that the best chain has got longer.
func (h *headerStage) grew(reorged bool, now time.Time) {
	h.grown = now
	h.requests.overtake(reorged)
}

// headerRequest is a getheaders of the initial sync at a peer: for what follows our tip, or
// for a range above it.
type headerRequest struct {
	s     *session
	ahead *headerRange // that range; nil is what follows our tip
	taken takeFunc     // with the answer
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

// takeFunc takes checked headers that a peer has answered, and how many there were before.
// It reports whether the chain has grown.
type takeFunc func(r *headerRequest, batch chain.Batch, count int) (news bool)

// sent notes that it goes out now. known is whether it is known how fast its peer is.
func (r *headerRequest) sent(now time.Time, b branch, known bool, cancel context.CancelFunc) {
	r.since, r.branch, r.known, r.cancel = now, b, known, cancel
}

// dawdles notes that it is late.
func (r *headerRequest) dawdles() { r.late, r.faded = true, r.known }

// headerRequests are those under way.
type headerRequests []*headerRequest

func (h *headerRequests) add(r *headerRequest) {
	*h = append(*h, r)
	r.s.headers.request, r.s.headers.asked = r, true
	if r.ahead != nil {
		r.ahead.begin(r)
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
		r.ahead.begin(nil)
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

package spv

import (
	"context"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// A request is work for one peer: the filters of up to 100 consecutive blocks, or
// a few blocks. Package requests decides who is asked for it.
type request struct {
	*requests.Request[*request]

	headers []chain.Header // of the blocks, ascending
	hashes  []chainhash.Hash
	only    string // the one peer to ask; "" is anybody
	fetch   fetchFunc
	ended   endedFunc
	got     fetched // once it is done
}

// fetchFunc gets what is requested from a peer and verifies it. With an error it may return
// a part.
type fetchFunc func(ctx context.Context, p Source) (fetched, error)

// endedFunc takes what an attempt at a peer brought, with its error.
type endedFunc func(e *engine, r *request, addr string, got fetched, err error)

// fetched is what an attempt brought, verified.
type fetched struct {
	filters [][]byte
	hash    chainhash.Hash // of the filters, if no header commits to them
	blocks  []arrivedBlock
}

// arrivedBlock is a block and its place in the request.
type arrivedBlock struct {
	index int
	block *wire.MsgBlock
}

// size is how many bytes of data that is.
func (f *fetched) size() (n int) {
	for _, filter := range f.filters {
		n += len(filter)
	}
	for _, b := range f.blocks {
		n += b.block.SerializeSize()
	}
	return n
}

func newRequest(kind registry.Kind, headers []chain.Header, hashes []chainhash.Hash, fetch fetchFunc, ended endedFunc) *request {
	r := &request{headers: headers, hashes: hashes, fetch: fetch, ended: ended}
	r.Request = &requests.Request[*request]{Kind: kind, Work: r}
	return r
}

func (r *request) from() uint32       { return r.headers[0].Height() }
func (r *request) to() uint32         { return r.headers[len(r.headers)-1].Height() }
func (r *request) span() chain.Range  { return chain.Range{From: r.from(), To: r.to()} }
func (r *request) keep(got fetched)   { r.got = got }
func (r *request) onlyOf(addr string) { r.only = addr }

// finish ends a request that is done or that nobody needs any more. A late reply to
// a cancelled one is not held against the peer.
func (e *engine) finish(all ...*request) {
	for _, r := range all {
		e.requests.Finish(r.Request)
	}
}

// openRequests are all that are not done: blocks first, because a wallet
// waits for them, then filters from low to high.
func (e *engine) openRequests() (open []*requests.Request[*request]) {
	add := func(all []*request) {
		for _, r := range all {
			if !r.Done() {
				open = append(open, r.Request)
			}
		}
	}
	add(e.blocks.requests)
	add(e.filters.legacy.copying())
	add(e.filters.requests)
	return open
}

// dispatch sends open requests to peers.
func (e *engine) dispatch() {
	open := e.openRequests()
	for _, a := range e.requests.Assign(open, e.able, e.now) {
		e.send(a)
	}
	for _, r := range open {
		if (r.Unserved() || r.Overdue()) && r.Work.only == "" {
			e.recheckAll()
			break
		}
	}
}

// able lists the peers that may be asked for a request, best first: peers that say
// they have its blocks, and have not shown that their chain is another one there.
func (e *engine) able(r *requests.Request[*request], resting bool) []string {
	list := e.registry.Serving
	if resting {
		list = e.registry.Resting
	}
	to, only := r.Work.to(), r.Work.only
	addrs := list(r.Kind, to, e.now)
	kept := addrs[:0]
	for _, addr := range addrs {
		s := e.sessions[addr]
		if s != nil && (only == "" || only == addr) && !s.chain.partsBelow(to) {
			kept = append(kept, addr)
		}
	}
	return kept
}

// send hands an attempt to a peer's workers.
func (e *engine) send(a *requests.Attempt[*request]) {
	s, r := e.sessions[a.Peer], a.Request.Work
	ctx, cancel := context.WithCancel(s.ctx)
	a.Cancel, a.Moves = cancel, func() bool { return e.moves(s) }
	e.work(s, func(p Source) event {
		defer cancel()
		start := time.Now()
		got, err := r.fetch(ctx, p)
		return attemptDone{s: s, attempt: a, got: got, err: err, took: time.Since(start)}
	})
}

// attemptDone: an attempt is over, well or not.
type attemptDone struct {
	s       *session
	attempt *requests.Attempt[*request]
	got     fetched
	err     error
	took    time.Duration
}

func (ev attemptDone) apply(e *engine) {
	s, r := ev.s, ev.attempt.Request.Work
	counts := false
	switch {
	case ev.err == nil:
		counts = e.requests.Succeeded(ev.attempt, ev.got.size(), ev.took, e.now)
	case isLocal(ev.err):
		counts = e.requests.Dropped(ev.attempt)
	default:
		counts = e.requests.Failed(ev.attempt, e.now)
	}
	if !counts {
		return // it was taken back when the peer was lost
	}
	if ev.err == nil {
		e.registry.Delivered(s.addr, r.Kind, ev.got.size(), ev.took, e.now)
	}
	if !r.Done() {
		r.ended(e, r, s.addr, ev.got, ev.err)
	}
	if ev.err != nil {
		e.judgeSilence(s, r.Kind, r.to(), ev.err)
	}
}

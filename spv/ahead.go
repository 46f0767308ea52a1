package spv

import (
	"errors"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// prefetchHeaders gives idle peers ranges to fetch.
func (e *engine) prefetchHeaders() {
	p := &e.headers.prefetch
	tip := e.chain.Tip().Height
	p.plan(e.rules, tip)
	if e.following.on || len(p.ranges) == 0 {
		return
	}
	for _, addr := range e.registry.Ahead(tip, e.now) {
		s := e.sessions[addr]
		if s == nil || !e.mayAskHeaders(s) {
			continue
		}
		if r := p.wanted(tip, e.registry.Claim(addr, e.now)); r != nil {
			e.requestAhead(s, r)
		}
	}
}

// takeAhead keeps what a peer answered of a range.
func (e *engine) takeAhead(r *headerRequest, batch chain.Batch, count int) (news bool) {
	switch err := r.ahead.add(r.s, batch); {
	case errors.Is(err, errUnlinked):
		// It is on another chain, or what came before was. The tip's requests
		// will find out which.
		r.s.headers.rest(e.now.Add(rest))
	case err != nil:
		e.judge(r.s, registry.Headers, 0, err)
	case count < wire.MaxBlockHeadersPerMsg && !r.ahead.complete():
		e.exhausted(r.s) // it claimed to have all of the range
	}
	return false
}

// joinPrefetched adds to the chain what was fetched ahead and connects to the
// tip now, as fast as it is written.
func (e *engine) joinPrefetched() {
	for e.chain.Storable() <= maxBacklog {
		r, next, ok := e.headers.prefetch.take(e.chain.Tip())
		if !ok {
			return
		}
		if _, err := e.addHeaders(next.s, next.batch); err != nil {
			r.giveUp()
			e.judge(next.s, registry.Headers, 0, err)
			return
		}
	}
}

// requestAhead asks a peer for the next headers of a range above our tip.
func (e *engine) requestAhead(s *session, ahead *headerRange) {
	_, genesis := e.rules.Genesis()
	locator := slices.Compact([]chainhash.Hash{ahead.last.Hash, ahead.from.Hash, genesis.Hash})
	e.sendHeaderRequest(&headerRequest{s: s, ahead: ahead, taken: e.takeAhead, from: ahead.last, stop: ahead.to.Hash}, locator)
}

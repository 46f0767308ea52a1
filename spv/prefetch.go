package spv

import (
	"context"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Headers come one request after the other, because the next one starts where
// the last one ended: 2000 for each round trip. But where a known block lies
// ahead, the headers behind it can be asked for at once. So while one peer
// serves the tip, others fetch the stretches between the known blocks above it
// (chain.Rules.KnownBlocks). They wait here, in memory, until the chain has got
// there, and are then checked in their context as all others are.

// prefetch holds the stretches above the tip, in height order.
type prefetch struct {
	stretches []*stretch
	next      uint32 // the height from which no stretch has been made yet
	held      int    // headers that wait or are on their way
}

// stretch is the headers above one known block, up to the next.
type stretch struct {
	from, to chain.BlockID
	last     chain.BlockID // of what has come
	batches  []prefetched
	flight   *headerFlight
	dead     bool // what came does not fit together: the chain gets there by itself
}

type prefetched struct {
	s     *session
	batch chain.Batch
}

// maxPrefetched bounds the headers that wait: 16 MB.
const maxPrefetched = 40 * wire.MaxBlockHeadersPerMsg

func (st *stretch) complete() bool { return st.last == st.to }

// prefetchHeaders gives idle peers stretches to fetch.
func (e *engine) prefetchHeaders() {
	p := &e.headers.prefetch
	tip := e.chain.Tip().Height
	p.plan(e.rules, tip)
	if e.following || len(p.stretches) == 0 {
		return
	}
	for _, addr := range e.registry.Ahead(tip, e.now) {
		s := e.sessions[addr]
		if s == nil || !e.mayAskHeaders(s) {
			continue
		}
		if p.held+wire.MaxBlockHeadersPerMsg > maxPrefetched {
			return
		}
		claim := e.registry.Claim(addr, e.now)
		i := slices.IndexFunc(p.stretches, func(st *stretch) bool {
			return st.from.Height > tip && st.flight == nil && !st.dead && !st.complete() && st.to.Height <= claim
		})
		if i >= 0 {
			e.prefetchFrom(s, p.stretches[i])
		}
	}
}

// plan makes stretches of the known blocks above the tip, and forgets those that
// the chain has passed.
func (p *prefetch) plan(rules *chain.Rules, tip uint32) {
	for _, st := range p.stretches {
		if st.last.Height < tip {
			st.dead = true // the tip has overtaken it
			p.drop(st)
		}
	}
	p.stretches = slices.DeleteFunc(p.stretches, func(st *stretch) bool {
		return st.to.Height <= tip && st.flight == nil
	})
	for p.next = max(p.next, tip); ; {
		from, ok := rules.KnownBlock(p.next)
		if !ok {
			return
		}
		p.next = from.Height + 1
		if to, ok := rules.KnownBlock(p.next); ok {
			p.stretches = append(p.stretches, &stretch{from: from, to: to, last: from})
		}
	}
}

// drop forgets what has come of a stretch.
func (p *prefetch) drop(st *stretch) {
	for _, b := range st.batches {
		p.held -= len(b.batch.Headers)
	}
	st.batches = nil
}

// stop is where the tip's own requests end: at the first known block above, if
// the stretch behind it is being fetched already. It is zero otherwise.
func (p *prefetch) stop(tip uint32) chainhash.Hash {
	for _, st := range p.stretches {
		if st.from.Height > tip {
			if !st.dead && (st.flight != nil || len(st.batches) > 0) {
				return st.from.Hash
			}
			break
		}
	}
	return chainhash.Hash{}
}

// prefetchFrom asks a peer for the next headers of a stretch.
func (e *engine) prefetchFrom(s *session, st *stretch) {
	_, genesis := e.rules.Genesis()
	locator := []chainhash.Hash{st.last.Hash}
	if st.last != st.from {
		locator = append(locator, st.from.Hash)
	}
	locator = append(locator, genesis.Hash)
	ctx, cancel := context.WithCancel(s.ctx)
	fl := &headerFlight{s: s, since: e.now, cancel: cancel}
	s.headers.flight, s.headers.asked, st.flight = fl, true, fl
	e.headers.prefetch.held += wire.MaxBlockHeadersPerMsg
	stop := st.to.Hash
	e.work(s, func(p Source) event {
		defer cancel()
		start := time.Now()
		headers, err := p.Headers(ctx, locator, stop)
		ev := prefetchReply{fl: fl, st: st, took: time.Since(start), err: err}
		if err == nil {
			ev.batch, ev.err = e.rules.Check(headers)
		}
		return ev
	})
}

// prefetchReply: headers of a stretch have come, or not.
type prefetchReply struct {
	fl    *headerFlight
	st    *stretch
	batch chain.Batch
	took  time.Duration
	err   error
}

func (ev prefetchReply) apply(e *engine) {
	s, st := ev.fl.s, ev.st
	if st.flight != ev.fl {
		return // given up when the peer was lost
	}
	e.headers.prefetch.endFlight(st)
	s.headers.flight = nil
	n := len(ev.batch.Headers)
	switch {
	case ev.err != nil:
		e.judge(s, registry.Headers, 0, ev.err)
		return
	case n == 0 || ev.batch.Headers[0].PrevBlock() != st.last.Hash:
		// It is on another chain, or what came before was. The tip's requests
		// will find out which.
		s.headers.restsUntil = e.now.Add(rest)
		st.dead = n > 0 && st.last != st.from
		if st.dead {
			e.headers.prefetch.drop(st)
		}
		return
	}
	if n == wire.MaxBlockHeadersPerMsg {
		e.requests.Learn(s.addr, registry.Headers, fullAnswer, ev.took)
	}
	last := chain.BlockID{Height: ev.batch.Headers[n-1].Height(), Hash: ev.batch.Hashes[n-1]}
	if last.Height > st.to.Height || last.Height == st.to.Height && last != st.to {
		e.judge(s, registry.Headers, 0, chain.ErrAnchor)
		st.dead = true
		e.headers.prefetch.drop(st)
		return
	}
	st.last = last
	st.batches = append(st.batches, prefetched{s, ev.batch})
	e.headers.prefetch.held += n
	if n < wire.MaxBlockHeadersPerMsg && last != st.to {
		e.exhausted(s) // it claimed to have all of the stretch
	}
}

func (p *prefetch) endFlight(st *stretch) {
	st.flight = nil
	p.held -= wire.MaxBlockHeadersPerMsg
}

// joinPrefetched adds to the chain what was fetched ahead and connects to the
// tip now, as fast as it is written.
func (e *engine) joinPrefetched() {
	p := &e.headers.prefetch
	for e.chain.Storable() <= maxBacklog {
		tip := e.chain.Tip()
		i := slices.IndexFunc(p.stretches, func(st *stretch) bool {
			return len(st.batches) > 0 && st.batches[0].batch.Headers[0].PrevBlock() == tip.Hash
		})
		if i < 0 {
			return
		}
		st := p.stretches[i]
		b := st.batches[0]
		st.batches = st.batches[1:]
		p.held -= len(b.batch.Headers)
		if _, err := e.addHeaders(b.s, b.batch); err != nil {
			st.dead = true
			p.drop(st)
			e.judge(b.s, registry.Headers, 0, err)
			return
		}
	}
}

// waiting reports whether headers that continue the tip are in memory or on
// their way.
func (p *prefetch) waiting(tip chain.BlockID) bool {
	return slices.ContainsFunc(p.stretches, func(st *stretch) bool {
		if st.dead {
			return false
		}
		if len(st.batches) > 0 {
			return st.batches[0].batch.Headers[0].PrevBlock() == tip.Hash
		}
		return st.flight != nil && !st.flight.late && st.last == tip
	})
}

// flights are the requests for stretches that are under way.
func (p *prefetch) flights() (flights []*headerFlight) {
	for _, st := range p.stretches {
		if st.flight != nil {
			flights = append(flights, st.flight)
		}
	}
	return flights
}

// release gives up what a lost peer was fetching.
func (p *prefetch) release(s *session) {
	for _, st := range p.stretches {
		if st.flight != nil && st.flight.s == s {
			p.endFlight(st)
		}
	}
}

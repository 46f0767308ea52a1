package spv

import (
	"context"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// A unit is work for one peer: the filters of up to 100 consecutive blocks, or
// a few blocks. Package requests decides who is asked for it.
type unit struct {
	*requests.Request[*unit]

	headers []chain.Header // of the blocks, ascending
	hashes  []chainhash.Hash
	only    string                      // the one peer to ask; "" is anybody
	ready   [][]byte                    // of a filter unit that is done: the filters
	hash    chainhash.Hash              // and theirs, if no header commits to them
	result  func(e *engine, fl *flight) // takes what a flight brought
	fetch   func(ctx context.Context, p Source, fl *flight) error
}

func newUnit(kind registry.Kind) *unit {
	u := new(unit)
	u.Request = &requests.Request[*unit]{Kind: kind, Work: u}
	return u
}

// flight is a unit at a peer, and what it brought.
type flight struct {
	unit    *unit
	s       *session
	attempt *requests.Attempt[*unit]

	filters [][]byte // what came, verified
	hash    chainhash.Hash
	blocks  []arrivedBlock
	err     error
	took    time.Duration
}

// size is how many bytes of data a flight brought.
func (fl *flight) size() (n int) {
	for _, filter := range fl.filters {
		n += len(filter)
	}
	for _, b := range fl.blocks {
		n += b.block.SerializeSize()
	}
	return n
}

func (u *unit) from() uint32 { return u.headers[0].Height() }
func (u *unit) to() uint32   { return u.headers[len(u.headers)-1].Height() }

// finish ends a unit that is done or that nobody needs any more. A late reply to
// a cancelled request is not held against the peer.
func (e *engine) finish(u *unit) { e.requests.Finish(u.Request) }

func (e *engine) finishAll(units []*unit) {
	for _, u := range units {
		e.finish(u)
	}
}

// openRequests are all units that are not done: blocks first, because a wallet
// waits for them, then filters from low to high.
func (e *engine) openRequests() []*requests.Request[*unit] {
	open := e.open[:0]
	add := func(units []*unit) {
		for _, u := range units {
			if !u.Done() {
				open = append(open, u.Request)
			}
		}
	}
	for _, w := range e.wallets {
		add(w.units())
	}
	if a := e.filters.set.current; a != nil {
		add(a.units)
	}
	add(e.filters.units)
	e.open = open
	return open
}

// dispatch hands open units to peers.
func (e *engine) dispatch() {
	open := e.openRequests()
	for _, a := range e.requests.Assign(open, e.able, e.now) {
		e.launch(a)
	}
	for _, r := range open {
		if (r.Unserved() || r.Overdue()) && r.Work.only == "" {
			e.recheckAll()
			break
		}
	}
}

// able lists the peers that may be asked for a unit, best first: those that say
// they have its blocks, and have not shown that their chain is another one there.
func (e *engine) able(r *requests.Request[*unit], resting bool) []string {
	u := r.Work
	list := e.registry.Serving
	if resting {
		list = e.registry.Resting
	}
	addrs := list(u.Kind, u.to(), e.now)
	kept := addrs[:0]
	for _, addr := range addrs {
		s := e.sessions[addr]
		if s != nil && (u.only == "" || u.only == addr) && !s.chain.partsBelow(u.to()) {
			kept = append(kept, addr)
		}
	}
	return kept
}

// moves reports whether an answer of a peer is coming in, or another has just come.
func (e *engine) moves(s *session) bool { return e.now.Sub(s.peer.Stats().Moved) < movesFor }

// movesFor is how long after a byte of an answer the next one may come: on a slow line
// it has to wait for those of all other peers.
const movesFor = 5 * time.Second

// launch hands an attempt to a peer's workers.
func (e *engine) launch(a *requests.Attempt[*unit]) {
	s, u := e.sessions[a.Peer], a.Request.Work
	ctx, cancel := context.WithCancel(s.ctx)
	a.Cancel, a.Moves = cancel, func() bool { return e.moves(s) }
	fl := &flight{unit: u, s: s, attempt: a}
	e.work(s, func(p Source) event {
		defer cancel()
		start := time.Now()
		fl.err = u.fetch(ctx, p, fl)
		fl.took = time.Since(start)
		return landed{fl}
	})
}

// landed: a flight is over, well or not.
type landed struct{ fl *flight }

func (ev landed) apply(e *engine) {
	fl, u := ev.fl, ev.fl.unit
	counts := false
	switch {
	case fl.err == nil:
		counts = e.requests.Succeeded(fl.attempt, fl.size(), fl.took, e.now)
	case isLocal(fl.err):
		counts = e.requests.Dropped(fl.attempt)
	default:
		counts = e.requests.Failed(fl.attempt, e.now)
	}
	if !counts {
		return // its units were released when the peer was lost
	}
	if fl.err == nil {
		e.registry.Delivered(fl.s.addr, u.Kind, fl.size(), fl.took, e.now)
	}
	if !u.Done() {
		u.result(e, fl)
	}
	if fl.err != nil {
		e.judgeUnit(fl.s, u, fl.err)
	}
}

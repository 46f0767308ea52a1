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
)

// A unit is work for one peer: the filters of up to 100 consecutive blocks, or
// a few blocks. It is requested from one peer at a time; from a second one only
// when the first is late.
type unit struct {
	kind    registry.Kind
	headers []chain.Header // of the blocks, ascending
	hashes  []chainhash.Hash
	flights []*flight
	failed  map[string]bool // peers that could not do it
	only    string          // the one peer to ask; "" is anybody
	stuck   bool            // nobody is left to ask
	done    bool
	ready   [][]byte                    // of a filter unit that is done: the filters
	hash    chainhash.Hash              // and theirs, if no header commits to them
	result  func(e *engine, fl *flight) // takes what a flight brought
	fetch   func(ctx context.Context, p Source, fl *flight) error
}

// flight is a unit at a peer.
type flight struct {
	unit   *unit
	s      *session
	since  time.Time
	late   bool
	cancel context.CancelFunc

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

// asked reports whether anybody has been asked for it, or nobody is left to ask.
func (u *unit) asked() bool { return u.stuck || len(u.flights)+len(u.failed) > 0 }

// maxFlights is how many peers may be at a unit at a time: one that is late, and
// its stand-in.
const maxFlights = 2

// busy reports whether a peer that is not late is at it.
func (u *unit) busy() bool {
	return slices.ContainsFunc(u.flights, func(fl *flight) bool { return !fl.late })
}

// dispatch gives open units to peers with room: blocks first, because a wallet
// waits for them, then filters from low to high.
func (e *engine) dispatch() {
	free := 0
	for _, s := range e.sessions {
		free += max(s.window.size-s.inflight, 0)
	}
	for _, w := range e.wallets {
		free = e.dispatchUnits(w.units(), free)
	}
	if a := e.filters.set.current; a != nil {
		free = e.dispatchUnits(a.units, free)
	}
	e.dispatchUnits(e.filters.units, free)
	e.hedge()
}

func (e *engine) dispatchUnits(units []*unit, free int) int {
	for _, u := range units {
		e.markLate(u) // all of them: unitTime counts on it
	}
	for _, u := range units {
		if free == 0 {
			return 0
		}
		if u.stuck = false; u.done || u.busy() {
			continue
		}
		s, hope := e.peerFor(u)
		u.stuck = s == nil && !hope
		if s != nil {
			e.launch(u, s)
			free--
		} else if !hope && u.only == "" {
			e.doubtView()
		}
	}
	return free
}

func (e *engine) markLate(u *unit) {
	for _, fl := range u.flights {
		if !fl.late && e.now.Sub(fl.since) >= e.network.pace(u.kind).late() {
			fl.late = true
			e.logs.peer.Debugf("%s is late with blocks %d to %d", fl.s.addr, u.from(), u.to())
		}
	}
}

// peerFor chooses the least busy of the peers that can do a unit; the registry
// ranks those that are equally busy. hope tells that there is one, although it
// may have no room now.
func (e *engine) peerFor(u *unit) (best *session, hope bool) {
	if len(u.flights) == maxFlights {
		return nil, false
	}
	serving := e.registry.Serving(u.kind, u.to(), e.now)
	best, hope = e.leastBusy(u, serving)
	if !hope && len(u.flights) == 0 && len(u.failed) > 0 {
		u.failed = nil // whoever is asked again has had its rest
		best, hope = e.leastBusy(u, serving)
	}
	return best, hope
}

// leastBusy chooses among these addresses, those ranked higher first.
func (e *engine) leastBusy(u *unit, addrs []string) (best *session, hope bool) {
	for _, addr := range addrs {
		s := e.sessions[addr]
		if s == nil || u.only != "" && u.only != addr || u.failed[addr] || u.flying(s) || s.lacks(u.to()) {
			continue
		}
		hope = true
		if s.inflight < s.window.size && (best == nil || s.inflight < best.inflight) {
			best = s
		}
	}
	return best, hope
}

func (u *unit) flying(s *session) bool {
	return slices.ContainsFunc(u.flights, func(fl *flight) bool { return fl.s == s })
}

// launch hands a unit to a peer's workers.
func (e *engine) launch(u *unit, s *session) {
	ctx, cancel := context.WithCancel(s.ctx)
	fl := &flight{unit: u, s: s, since: e.now, cancel: cancel}
	u.flights = append(u.flights, fl)
	s.inflight++
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
	if e.sessions[fl.s.addr] != fl.s {
		return // its units were released when it was dropped
	}
	fl.s.inflight--
	u.remove(fl)
	if fl.err == nil {
		e.network.pace(u.kind).learn(fl.took)
		if u.kind == registry.Filters { // blocks differ too much in size
			fl.s.window.learn(fl.took, fl.s.inflight+1)
		}
		e.registry.Delivered(fl.s.addr, u.kind, fl.size(), fl.took, e.now)
	}
	if !u.done {
		if fl.err == nil {
			e.overtaken(u, fl)
		}
		u.result(e, fl)
	}
	if errors.Is(fl.err, peer.ErrBusy) {
		// The request that this one takes the place of is not quite over there.
		return
	}
	if fl.err != nil {
		u.fail(fl.s.addr)
		if u.kind == registry.Filters && errors.Is(fl.err, peer.ErrStalled) || errors.Is(fl.err, peer.ErrNotFound) {
			e.lacking(fl.s, u, fl.err)
			return
		}
		e.blame(fl.s, u.kind, fl.err)
	}
}

// overtakenBy and overtakenMin are how much longer than its stand-in a peer must
// have had a unit, and how long at least, until it is not asked again for a
// while.
const (
	overtakenBy  = 4
	overtakenMin = 500 * time.Millisecond
)

// overtaken rests the peers that a stand-in was much faster than. Without it one
// that is silent would be asked first for each next unit, as nothing speaks
// against it: what it was asked for is called off before it stalls.
func (e *engine) overtaken(u *unit, by *flight) {
	for _, fl := range u.flights {
		if e.now.Sub(fl.since) >= max(overtakenBy*by.took, overtakenMin) {
			e.registry.Pause(fl.s.addr, u.kind, e.now)
		}
	}
}

func (u *unit) remove(fl *flight) {
	u.flights = slices.DeleteFunc(u.flights, func(f *flight) bool { return f == fl })
}

func (u *unit) fail(addr string) {
	if u.failed == nil {
		u.failed = make(map[string]bool)
	}
	u.failed[addr] = true
}

// finish ends a unit that is done or that nobody needs any more, and calls off
// whoever is still at it. A late reply to a cancelled request is not held
// against the peer.
func (u *unit) finish() {
	u.done = true
	for _, fl := range u.flights {
		fl.cancel()
	}
}

// releaseUnits takes back what a lost peer was doing.
func (e *engine) releaseUnits(s *session) {
	release := func(units []*unit) {
		for _, u := range units {
			u.flights = slices.DeleteFunc(u.flights, func(fl *flight) bool { return fl.s == s })
			delete(u.failed, s.addr) // it may do better when it is back
		}
	}
	release(e.filters.units)
	if a := e.filters.set.current; a != nil {
		release(a.units)
	}
	for _, w := range e.wallets {
		release(w.units())
	}
}

// hedged are the units that everything else waits for: the blocks of a batch, and
// the filters before those that have come already, once no more can be asked
// for. They are worth asking a second peer sooner than others are.
func (e *engine) hedged() []*unit {
	var units []*unit
	for _, w := range e.wallets {
		units = append(units, w.units()...)
	}
	f := &e.filters
	if len(f.units) >= maxFilterUnits || e.store.tip == e.chain.Tip() && e.headersDone() {
		if i := slices.IndexFunc(f.units, func(u *unit) bool { return !u.done }); i >= 0 {
			units = append(units, f.units[i])
		}
	}
	return slices.DeleteFunc(units, func(u *unit) bool { return u.done || len(u.flights) != 1 || u.flights[0].late })
}

// hedge asks a second peer for what everything else waits for.
func (e *engine) hedge() {
	for _, u := range e.hedged() {
		fl := u.flights[0]
		if e.now.Sub(fl.since) < e.network.pace(u.kind).hedge() {
			continue
		}
		if s, _ := e.peerFor(u); s != nil {
			fl.late = true
			e.logs.peer.Debugf("%s holds up blocks %d to %d", fl.s.addr, u.from(), u.to())
			e.launch(u, s)
		}
	}
}

// unitTime is when the next flight becomes late, or late enough for one that
// everything waits for.
func (e *engine) unitTime() (next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	earliest := func(units []*unit) {
		for _, u := range units {
			for _, fl := range u.flights {
				if !fl.late {
					sooner(fl.since.Add(e.network.pace(u.kind).late()))
				}
			}
		}
	}
	earliest(e.filters.units)
	if a := e.filters.set.current; a != nil {
		earliest(a.units)
	}
	for _, w := range e.wallets {
		earliest(w.units())
	}
	for _, u := range e.hedged() {
		if t := u.flights[0].since.Add(e.network.pace(u.kind).hedge()); t.After(e.now) {
			sooner(t)
		}
	}
	return next
}

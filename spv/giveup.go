package spv

import (
	"cmp"
	"slices"

	"dcrspv/spv/chain"
)

// giveUpUnserved looks at the lowest missing filter. If nobody is left to ask for
// the batch it belongs to, the part that some peer's chain reaches is asked for
// by itself. If it is asked for in vain, the branch is given up in the end.
func (e *engine) giveUpUnserved() {
	r := e.filters.lowest()
	if r == nil || e.filters.legacy.holds(r.from()) {
		e.unserved.found()
		return
	}
	if !r.Asked() {
		return
	}
	if height, ok := e.reachInto(r); ok && (r.Unserved() || r.Overdue()) {
		e.split(r, height)
		return
	}
	block := chain.BlockID{Height: r.from(), Hash: r.hashes[0]}
	e.unserved.look(block, e.now)
	if e.othersKnow(block.Height) && !e.untried(r) && e.now.Sub(e.unserved.since) >= unservedPatience {
		e.abandonBranch(block)
	}
}

// untried notes who was asked in vain for a request, and reports whether somebody is
// left to ask.
func (e *engine) untried(r *request) bool {
	able := e.able(r.Request, false)
	for addr := range e.sessions {
		// One that rests has delivered the branch, and was silent about another part.
		rests := e.registry.Proved(addr) >= r.from() && !slices.Contains(able, addr)
		if r.Failed(addr) || r.At(addr) || rests {
			e.unserved.inVain(addr)
		}
	}
	return slices.ContainsFunc(able, func(addr string) bool { return !e.unserved.silent[addr] })
}

// reachInto returns the highest block of a request, but not its last, that a
// connected peer says it has.
func (e *engine) reachInto(r *request) (height uint32, ok bool) {
	for addr, s := range e.sessions {
		h := e.registry.Height(addr)
		if s.chain.onSideBranch {
			h = min(h, s.chain.fork)
		}
		if h >= r.from() && h < r.to() && h >= height {
			height, ok = h, true
		}
	}
	return height, ok
}

// split puts two requests in the place of one: up to a height, and above it.
func (e *engine) split(r *request, height uint32) {
	low, err1 := e.filterRequest(chain.Range{From: r.from(), To: height})
	high, err2 := e.filterRequest(chain.Range{From: height + 1, To: r.to()})
	if err := cmp.Or(err1, err2); err != nil {
		e.fail(err)
		return
	}
	e.finish(r)
	e.filters.replace(r, low, high)
}

// othersKnow reports whether a connected peer knows another chain than the branch
// in question: it ends below its height, or parts from it there.
func (e *engine) othersKnow(height uint32) bool {
	for addr, s := range e.sessions {
		if e.registry.Height(addr) < height || s.chain.partsBelow(height) {
			return true
		}
	}
	return false
}

// abandonBranch gives up a block and what follows it. The best chain starts again from
// there, with what the peers say now.
func (e *engine) abandonBranch(block chain.BlockID) {
	tip := e.chain.Tip()
	update, err := e.chain.Abandon(block)
	if err != nil || !update.Best {
		return // run sees what could not be read
	}
	e.logs.filters.Warnf("Giving up block %d (%v) and what follows: nobody serves their filters", block.Height, block.Hash)
	e.unserved.giveUp(e.now)
	e.reorganize(update.Fork, update.Reorged)
	e.headers.awaited.set(tip.Height, e.now.Add(settleTime)) // until they have answered
	for addr, s := range e.sessions {
		e.registry.ClaimFailed(addr, e.now)
		s.chain.forget()
		s.following.forget()
		e.recheckNow(s)
	}
}

package spv

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// unserved is the search for a branch that nobody serves: valid headers without filters.
// Such a branch can't be followed, however much work it has: whoever made it withholds the
// blocks, or they are not valid in what headers don't show. So that it can't keep us from
// the chain that the other peers serve, it is given up after a while.
type unserved struct {
	block  chain.BlockID   // the lowest block that nobody delivers the filter of
	since  time.Time       // since when one at that height is missing; zero if none is
	silent map[string]bool // the peers that were asked for its filter in vain

	avoided map[chainhash.Hash]avoided
}

// avoided is a block that is not taken for a while from peers that were asked for it in
// vain. Whoever else delivers its header may serve its filter too.
type avoided struct {
	until  time.Time
	silent map[string]bool
}

const (
	// unservedPatience is how long a filter is waited for that nobody delivers
	// while there are peers whose chain ends below it.
	unservedPatience = 15 * time.Second

	// avoidTime is how long a branch that was given up is avoided.
	avoidTime = 10 * time.Minute

	// maxAvoided bounds the branches that are avoided.
	maxAvoided = 64
)

// look takes note of the lowest block whose filter was asked for and is missing.
func (u *unserved) look(block chain.BlockID, now time.Time) {
	if u.since.IsZero() || u.block.Height != block.Height {
		u.since = now
	}
	if u.block != block {
		u.block, u.silent = block, make(map[string]bool)
	}
}

// found: no filter is missing that somebody may not deliver.
func (u *unserved) found() { u.since = time.Time{} }

// inVain notes a peer that was asked for the filter in vain.
func (u *unserved) inVain(addr string) { u.silent[addr] = true }

// excuse has time that we were away count for nothing.
func (u *unserved) excuse(away time.Duration) {
	if !u.since.IsZero() {
		u.since = u.since.Add(away)
	}
}

// giveUp avoids the block from now on. Peers that were asked for it an earlier time stay
// noted.
func (u *unserved) giveUp(now time.Time) {
	u.found()
	if u.avoided == nil {
		u.avoided = make(map[chainhash.Hash]avoided)
	}
	hash, silent := u.block.Hash, maps.Clone(u.silent)
	maps.Copy(silent, u.avoided[hash].silent)
	delete(u.avoided, hash)
	if len(u.avoided) >= maxAvoided {
		delete(u.avoided, slices.MinFunc(slices.Collect(maps.Keys(u.avoided)), func(a, b chainhash.Hash) int {
			return u.avoided[a].until.Compare(u.avoided[b].until)
		}))
	}
	u.avoided[hash] = avoided{now.Add(avoidTime), silent}
}

// taken returns the headers that a peer has delivered before the first that is avoided.
// One that others have brought since is not.
func (u *unserved) taken(b chain.Batch, addr string, best *chain.Chain, now time.Time) chain.Batch {
	for i, hash := range b.Hashes {
		switch a, ok := u.avoided[hash]; {
		case !ok:
		case !now.Before(a.until):
			delete(u.avoided, hash)
		case a.silent[addr] && !best.Known(hash, b.Headers[i].Height()):
			return chain.Batch{Headers: b.Headers[:i], Hashes: b.Hashes[:i]}
		}
	}
	return b
}

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
		// One that rests has told of the branch, and was silent about another part.
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

// abandonBranch gives up a block and what follows it. The best of the other branches
// counts from now on, and everybody is asked for headers once more.
func (e *engine) abandonBranch(block chain.BlockID) {
	tip := e.chain.Tip()
	update, err := e.chain.Abandon(block)
	if err != nil || !update.Best {
		return // run sees what could not be read
	}
	e.logs.filters.Warnf("Giving up block %d (%v) and what follows: nobody serves their filters", block.Height, block.Hash)
	e.unserved.giveUp(e.now)
	e.reorganize(update.Fork, update.Reorged)
	e.headers.waitFor(tip.Height, e.now.Add(settleTime)) // until they have answered
	for addr, s := range e.sessions {
		e.registry.ClaimFailed(addr, e.now)
		s.chain.forget()
		s.following.forget()
		e.recheckNow(s)
	}
}

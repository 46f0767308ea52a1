package spv

import (
	"maps"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// A branch of valid headers whose filters nobody serves can't be followed,
// however much work it has: whoever made it withholds the blocks, or they are
// not valid in what headers don't show. So that it can't keep us from the chain
// that the other peers serve, it is given up after a while.
type withheld struct {
	height  uint32          // the lowest block that nobody delivers the filter of
	since   time.Time       // since when; zero if somebody may
	block   chainhash.Hash  // its hash, on the present branch
	by      map[string]bool // the peers that were asked for it in vain
	givenUp map[chainhash.Hash]givenUp
}

// givenUp is a block that is not looked at for a while if it comes from a peer
// that was asked for it in vain. Whoever else delivers its header may serve more
// than that.
type givenUp struct {
	until time.Time
	by    map[string]bool
}

const (
	// withholdPatience is how long a filter is waited for that nobody delivers
	// while there are peers whose chain ends below it.
	withholdPatience = 15 * time.Second

	// withholdTime is how long a branch that was given up is not looked at.
	withholdTime = 10 * time.Minute

	// maxWithheld bounds the branches remembered.
	maxWithheld = 64
)

// giveUpWithheld looks at the lowest missing filter. If nobody is left to ask for
// the batch it belongs to, the part that some peer's chain reaches is asked for
// by itself. If it is asked for in vain, the branch is given up in the end.
func (e *engine) giveUpWithheld() {
	w := &e.withheld
	u := e.filters.lowest()
	if u == nil || e.filters.set.exists && u.from() <= e.filters.set.last {
		w.since = time.Time{}
		return
	}
	if !u.Asked() {
		return
	}
	if height, ok := e.reachInto(u); ok && (u.Unserved() || u.Overdue()) {
		e.splitUnit(u, height)
		return
	}
	if w.since.IsZero() || w.height != u.from() {
		w.height, w.since = u.from(), e.now
	}
	if w.block != u.hashes[0] {
		// Another branch, of which nobody delivers the filter either.
		w.block, w.by = u.hashes[0], make(map[string]bool)
	}
	waited := e.now.Sub(w.since)
	if e.othersKnow(w.height) && !e.untried(u) && waited >= withholdPatience {
		e.abandonBranch(w.height)
	}
}

func (w *withheld) excuse(away time.Duration) {
	if !w.since.IsZero() {
		w.since = w.since.Add(away)
	}
}

// untried notes who was asked in vain for a unit, and reports whether somebody is
// left to ask.
func (e *engine) untried(u *unit) bool {
	w := &e.withheld
	able := e.able(u.Request, false)
	for addr := range e.sessions {
		// One that rests has told of the branch, and was silent about another part.
		rests := e.registry.Proved(addr) >= w.height && !slices.Contains(able, addr)
		if u.Failed(addr) || u.At(addr) || rests {
			w.by[addr] = true
		}
	}
	return slices.ContainsFunc(able, func(addr string) bool { return !w.by[addr] })
}

// reachInto returns the highest block of a unit, but not its last, that a
// connected peer says it has.
func (e *engine) reachInto(u *unit) (height uint32, ok bool) {
	for addr, s := range e.sessions {
		h := e.registry.Height(addr)
		if s.chain.onSideBranch {
			h = min(h, s.chain.fork)
		}
		if h >= u.from() && h < u.to() && h >= height {
			height, ok = h, true
		}
	}
	return height, ok
}

// splitUnit puts two units in the place of one: up to a height, and above it.
func (e *engine) splitUnit(u *unit, height uint32) {
	low, err := e.filterUnit(chain.Range{From: u.from(), To: height})
	if err != nil {
		e.fail(err)
		return
	}
	high, err := e.filterUnit(chain.Range{From: height + 1, To: u.to()})
	if err != nil {
		e.fail(err)
		return
	}
	e.finish(u)
	i := slices.Index(e.filters.units, u)
	e.filters.units = slices.Replace(e.filters.units, i, i+1, low, high)
}

// lowest returns the lowest missing filters.
func (f *filterStage) lowest() *unit {
	for _, u := range f.units {
		if !u.Done() {
			return u
		}
	}
	return nil
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

// abandonBranch has the stored chain cut off below a height.
func (e *engine) abandonBranch(height uint32) {
	hash, ok := e.chain.Hash(height)
	if !ok || e.store.busy {
		return // the next step comes soon enough
	}
	work := e.chain.Work()
	for h := e.chain.Tip().Height; h >= height; h-- {
		header, _ := e.chain.Header(h)
		w := chain.Work(header.Bits())
		work.Sub(&w)
	}
	below, ok := e.chain.Hash(height - 1)
	if !ok || e.chain.Failed() != nil {
		return
	}
	tip, depth := chain.BlockID{Height: height - 1, Hash: below}, e.chain.Tip().Height-height+1
	e.withheld.since = time.Time{}
	e.withheld.remember(hash, e.now.Add(withholdTime))
	e.logs.filters.Warnf("Giving up block %d (%v) and what follows: nobody serves their filters", height, hash)
	e.write(func(db *chaindb.DB) event {
		return branchAbandoned{tip, db.ReplaceHeaders(tip.Height, nil, work)}
	})
	// From now on nothing above is read: the disk may not have it any more. The
	// best chain starts again from here, with what the peers say now.
	e.chain = chain.New(e.rules, e.db, tip, work)
	e.network.tip.Store(tip.Height)
	e.reorganize(tip, int(depth))
	e.headers.pending, e.headers.pendingUntil = tip.Height+depth, e.now.Add(settleTime) // until they have answered
	e.askAgain()
}

// branchAbandoned: the stored chain ends below the branch that was given up.
type branchAbandoned struct {
	tip chain.BlockID
	err error
}

func (ev branchAbandoned) apply(e *engine) {
	if e.writeDone(ev.err) {
		e.store.disk = ev.tip
		e.rejoinDisk(e.store.fork)
	}
}

// askAgain asks every peer for headers once more.
func (e *engine) askAgain() {
	for addr, s := range e.sessions {
		e.registry.ClaimFailed(addr, e.now)
		s.chain.forget()
		s.following.requested = time.Time{}
		e.recheckNow(s)
	}
}

// remember adds a block to those that were given up. Peers that were asked for it
// an earlier time stay noted.
func (w *withheld) remember(hash chainhash.Hash, until time.Time) {
	if w.givenUp == nil {
		w.givenUp = make(map[chainhash.Hash]givenUp)
	}
	by := maps.Clone(w.by)
	maps.Copy(by, w.givenUp[hash].by)
	delete(w.givenUp, hash)
	if len(w.givenUp) >= maxWithheld {
		soonest := hash
		for other, o := range w.givenUp {
			if soonest == hash || o.until.Before(w.givenUp[soonest].until) {
				soonest = other
			}
		}
		delete(w.givenUp, soonest)
	}
	w.givenUp[hash] = givenUp{until, by}
}

// withoutWithheld returns the headers that a peer has delivered before the first
// that was given up. One that is known again is of no matter.
func (e *engine) withoutWithheld(b chain.Batch, addr string) chain.Batch {
	for i, hash := range b.Hashes {
		g, ok := e.withheld.givenUp[hash]
		switch {
		case !ok:
		case !e.now.Before(g.until):
			delete(e.withheld.givenUp, hash)
		case g.by[addr] && !e.chain.Known(hash, b.Headers[i].Height()):
			return chain.Batch{Headers: b.Headers[:i], Hashes: b.Hashes[:i]}
		}
	}
	return b
}

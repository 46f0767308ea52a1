package spv

import (
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/chaindb"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// A branch of valid headers whose filters nobody serves can't be followed,
// however much work it has: whoever made it withholds the blocks, or they are
// not valid in what headers don't show. So that it can't keep us from the chain
// that the other peers serve, it is given up after a while.
type withheld struct {
	height  uint32          // the lowest block that nobody delivers the filter of
	since   time.Time       // since when; zero if somebody may
	by      map[string]bool // the peers that knew the branch since then
	givenUp map[chainhash.Hash]givenUp
}

// givenUp is a block that is not looked at for a while if it comes from a peer
// that had it when it was given up, and did not serve it. Whoever else delivers
// its header may serve more than that.
type givenUp struct {
	until time.Time
	by    map[string]bool
}

const (
	// withholdPatience is how long a filter is waited for that nobody delivers
	// while there are peers whose chain ends below it.
	withholdPatience = time.Minute

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
	if u == nil || !u.asked() || e.filters.set.exists && u.from() <= e.filters.set.last {
		w.since = time.Time{}
		return
	}
	if height, ok := e.reachInto(u); ok && u.stuck {
		e.splitUnit(u, height)
		return
	}
	if w.since.IsZero() || w.height != u.from() {
		w.height, w.since, w.by = u.from(), e.now, make(map[string]bool)
	}
	below := e.peersBelow(w.height)
	for addr := range e.sessions {
		if !below[addr] {
			w.by[addr] = true
		}
	}
	if len(below) > 0 && e.now.Sub(w.since) >= withholdPatience {
		e.abandonBranch(w.height)
	}
}

// reachInto returns the highest block of a unit, but not its last, that a
// connected peer says it has.
func (e *engine) reachInto(u *unit) (height uint32, ok bool) {
	for addr := range e.sessions {
		if h := e.registry.Height(addr); h >= u.from() && h < u.to() && h >= height {
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
	u.finish()
	i := slices.Index(e.filters.units, u)
	e.filters.units = slices.Replace(e.filters.units, i, i+1, low, high)
}

// lowest returns the lowest missing filters.
func (f *filterStage) lowest() *unit {
	for _, u := range f.units {
		if !u.done {
			return u
		}
	}
	return nil
}

// peersBelow returns the connected peers that know another chain than the branch
// in question: theirs ends below its height, or they have delivered headers that
// are not of it.
func (e *engine) peersBelow(height uint32) map[string]bool {
	below := make(map[string]bool)
	for addr, s := range e.sessions {
		if e.registry.Height(addr) < height || s.last.Height > 0 && !e.chain.Contains(s.last) {
			below[addr] = true
		}
	}
	return below
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
	e.withheld.since = time.Time{}
	e.withheld.remember(hash, givenUp{e.now.Add(withholdTime), e.withheld.by})
	e.logs.filters.Warnf("Giving up block %d (%v) and what follows: nobody serves their filters", height, hash)
	e.write(func(db *chaindb.DB) event {
		return branchAbandoned{db.ReplaceHeaders(height-1, nil, work)}
	})
}

// branchAbandoned: the stored chain ends below the branch that was given up. The
// best chain starts again from there, with what the peers say now.
type branchAbandoned struct{ err error }

func (ev branchAbandoned) apply(e *engine) {
	if !e.writeDone(ev.err) {
		return
	}
	old := e.chain.Tip().Height
	tip, work := e.db.Tip()
	e.chain = chain.New(e.rules, e.db, tip, work)
	e.network.tip.Store(tip.Height)
	e.store.disk = tip
	e.reorganize(tip, int(old)-int(min(old, tip.Height)))
	e.askAgain()
}

// askAgain asks every peer for headers once more.
func (e *engine) askAgain() {
	for addr, s := range e.sessions {
		e.registry.ClaimFailed(addr, e.now)
		s.last, s.asked, s.doubtedAt = chain.BlockID{}, time.Time{}, time.Time{}
	}
	e.doubtView()
}

func (w *withheld) remember(hash chainhash.Hash, g givenUp) {
	if w.givenUp == nil {
		w.givenUp = make(map[chainhash.Hash]givenUp)
	}
	if len(w.givenUp) >= maxWithheld {
		soonest := hash
		for other, o := range w.givenUp {
			if soonest == hash || o.until.Before(w.givenUp[soonest].until) {
				soonest = other
			}
		}
		delete(w.givenUp, soonest)
	}
	w.givenUp[hash] = g
}

// without returns the headers that a peer has delivered before the first that
// was given up.
func (w *withheld) without(b chain.Batch, addr string, now time.Time) chain.Batch {
	for i, hash := range b.Hashes {
		g, ok := w.givenUp[hash]
		switch {
		case !ok:
		case !g.by[addr], !now.Before(g.until):
			delete(w.givenUp, hash)
		default:
			return chain.Batch{Headers: b.Headers[:i], Hashes: b.Hashes[:i]}
		}
	}
	return b
}

package spv

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/v3"
)

// Peers may hold all slots and be of no use for what is needed next: they serve
// headers and no blocks, say, or all have the same wrong copy. Each of them is
// asked, pauses, and stays. So when nothing moves although something is missing,
// those that can't be asked for it make room for peers that were not tried yet.

// stuck is how far the sync was when it last moved.
type stuck struct {
	at    milestone
	since time.Time

	newest  chain.BlockID // the tip, and since when
	stale   time.Time
	rotated time.Time // when peers were last replaced because of that
}

// milestone changes with every bit of progress.
type milestone struct {
	tip     chain.BlockID
	filters uint32
	ready   int // requests done
	scanned Span
}

const (
	// stuckTime is how long nothing has to move. For filters it is more than
	// it takes to find out that a branch has to be given up (withheld.go).
	stuckTime        = 20 * time.Second
	stuckFiltersTime = withholdPatience + 30*time.Second

	// A tip is stale when this many times the network's block interval has
	// gone by, and at least staleMin, without a new block. On mainnet that
	// happens by chance once in 400 blocks. Then a quarter of the peers is
	// replaced every rotateTime.
	staleIntervals = 6
	staleMin       = 5 * time.Minute
	rotateTime     = 20 * time.Second
	rotatePart     = 4
)

// milestone is where the sync is.
func (e *engine) milestone() milestone {
	m := milestone{tip: e.chain.Tip(), scanned: e.scannedAll()}
	m.filters, _ = e.filters.through()
	count := func(units []*unit) {
		for _, u := range units {
			if u.done {
				m.ready++
			}
		}
	}
	count(e.filters.units)
	for _, w := range e.wallets {
		count(w.units())
	}
	return m
}

// replaceUseless cuts peers off that can't give what is missing, as many as there
// are others to try. It leaves peers alone that the user has chosen.
func (e *engine) replaceUseless() {
	st := &e.stuck
	kind, height, missing := e.missing()
	if at := e.milestone(); !missing || at != st.at {
		st.at, st.since = at, e.now
		return
	}
	patience := stuckTime
	if kind == registry.Filters {
		patience = stuckFiltersTime
	}
	if !e.network.discover || e.now.Sub(st.since) < patience {
		return
	}
	st.since = e.now
	useful := make(map[string]bool)
	for _, addr := range e.registry.Serving(kind, height, e.now) {
		useful[addr] = true
	}
	if kind == registry.Headers {
		clear(useful) // all that could be asked have been
	}
	spares := e.spares()
	for addr, s := range e.sessions {
		if !useful[addr] && spares > 0 {
			spares--
			e.cut(s, fmt.Errorf("%w: it has no %s that we need", registry.ErrUseless, kind))
		}
	}
}

// rotateStale replaces peers bit by bit while no new block comes, although
// nothing is missing that we know of: all that are connected may keep the newest
// blocks from us. Those that have been connected the longest go first.
func (e *engine) rotateStale() {
	st := &e.stuck
	if tip := e.chain.Tip(); tip != st.newest || !e.following {
		st.newest, st.stale = tip, e.now
	}
	if !e.network.discover || e.now.Sub(st.stale) < staleAfter(e.cfg.Params) || e.now.Sub(st.rotated) < rotateTime {
		return
	}
	st.rotated = e.now
	if len(e.sessions) < e.cfg.MaxPeers {
		return // there is room
	}
	oldest := slices.SortedFunc(maps.Values(e.sessions), func(a, b *session) int { return a.since.Compare(b.since) })
	for _, s := range oldest[:min(max(e.cfg.MaxPeers/rotatePart, 1), e.spares())] {
		e.cut(s, fmt.Errorf("%w: no new block for %v", registry.ErrUseless, e.now.Sub(st.stale).Round(time.Second)))
	}
}

// staleAfter is how long no new block has to come until something may be wrong.
func staleAfter(params *chaincfg.Params) time.Duration {
	return max(staleIntervals*params.TargetTimePerBlock, staleMin)
}

// missing is what nobody is left to ask for, and up to which height.
func (e *engine) missing() (kind registry.Kind, height uint32, ok bool) {
	if len(e.sessions) == 0 {
		return 0, 0, false
	}
	for _, w := range e.wallets {
		for _, u := range w.units() {
			if u.stuck && !u.done {
				return registry.Blocks, u.to(), true
			}
		}
	}
	if u := e.filters.lowest(); u != nil && u.stuck {
		return registry.Filters, u.to(), true
	}
	tip := e.chain.Tip().Height
	unsure := !e.chain.Proven() || !e.heard(tip)
	if unsure && len(e.headers.flights) == 0 && len(e.registry.Ahead(tip, e.now)) == 0 {
		return registry.Headers, tip, true
	}
	return 0, 0, false
}

// spares is how many others could be tried; the address book helps out.
func (e *engine) spares() int {
	for range e.cfg.MaxPeers {
		if e.registry.Spares(e.now) >= e.cfg.MaxPeers || !e.draw() {
			break
		}
	}
	return e.registry.Spares(e.now)
}

// stuckTime is when to look whether anything has moved.
func (e *engine) stuckTime() time.Time {
	st := &e.stuck
	switch {
	case !e.network.discover:
		return time.Time{}
	case e.following && e.progress.synced:
		stale, again := st.stale.Add(staleAfter(e.cfg.Params)), st.rotated.Add(rotateTime)
		if again.After(stale) {
			return again
		}
		return stale
	case e.now.Sub(st.since) < stuckTime:
		return st.since.Add(stuckTime)
	}
	return st.since.Add(stuckFiltersTime)
}

// lacking deals with a peer that did not answer a filter request, or said that it
// has not found a block. dcrd says nothing when the filters are not of its best
// chain (server.go OnGetCFsV2), and has not seen the blocks of every branch, so
// that is what it may mean: it is a fault only of a peer that has shown to have
// them, or that does so again.
func (e *engine) lacking(s *session, u *unit, err error) {
	if !s.lacks(u.to()) && (e.registry.Proved(s.addr) >= u.to() || s.lacked > 0) {
		e.blame(s, u.kind, err)
		return
	}
	s.lacked++
	e.registry.Pause(s.addr, u.kind, e.now)
	switch {
	case !errors.Is(err, peer.ErrNotFound):
		e.doubtView()
	case s.greeted: // what the others have is not in question, it has said so
		e.doubt(s)
	}
}

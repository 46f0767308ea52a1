package spv

import (
	"fmt"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/v3"
)

// Peers may hold all slots and be unable to give what is needed next: they serve
// headers and no blocks, say, or all have the same wrong copy. Each of them is
// asked, pauses, and stays. So when nothing moves although something is missing,
// who can't be asked for it makes room for a peer that was not tried yet.

// stall is how far the sync was when it last moved.
type stall struct {
	at    milestone
	since time.Time

	newest chain.BlockID // the tip, and since when
	stale  time.Time
	tried  time.Time // when a stranger was last let in because of that
}

// milestone changes with every bit of progress.
type milestone struct {
	tip     chain.BlockID
	filters uint32
	ready   int // requests done
	scanned Span
}

const (
	// stallPatience is how long nothing has to move. For filters it is more than
	// it takes to find out that a branch has to be given up (unserved.go).
	stallPatience       = 20 * time.Second
	stallFilterPatience = unservedPatience + 30*time.Second

	// A tip is stale when this many times the network's block interval has
	// gone by, and at least staleMin, without a new block. On mainnet that
	// happens by chance once in 400 blocks. Then strangers are let in, one after
	// the other, for so long each.
	staleIntervals = 6
	staleMin       = 5 * time.Minute
	strangerTime   = 20 * time.Second
)

// milestone is where the sync is.
func (e *engine) milestone() milestone {
	m := milestone{tip: e.chain.Tip(), scanned: e.scannedAll()}
	m.filters, _ = e.filters.through()
	count := func(all []*request) {
		for _, r := range all {
			if r.Done() {
				m.ready++
			}
		}
	}
	count(e.filters.requests)
	count(e.blocks.requests)
	return m
}

// replaceUseless cuts peers off that can't give what is missing, as many as there
// are others to try. It leaves peers alone that the user has chosen.
func (e *engine) replaceUseless() {
	st := &e.stall
	kind, height, missing := e.missing()
	if at := e.milestone(); !missing || at != st.at {
		st.at, st.since = at, e.now
		return
	}
	patience := stallPatience
	if kind == registry.Filters {
		patience = stallFilterPatience
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
	if spares == 0 && e.registry.Relent(e.now) {
		spares = e.spares()
	}
	for addr, s := range e.sessions {
		if !useful[addr] && spares > 0 {
			spares--
			e.disconnect(s, fmt.Errorf("%w: it has no %s that we need", registry.ErrUseless, kind))
		}
	}
}

// tryStrangers makes room for one peer more while no new block comes, although
// nothing is missing that we know of: all that are connected may keep the newest
// blocks from us. A stranger that has nothing new makes room for the next; those
// that have served stay, and so does one that has served much better than the worst of
// them, in an earlier run perhaps.
func (e *engine) tryStrangers() {
	st := &e.stall
	if tip := e.chain.Tip(); tip != st.newest || !e.following.on {
		st.newest, st.stale = tip, e.now
	}
	if !e.network.discover || e.now.Sub(st.stale) < staleAfter(e.cfg.Params) || e.now.Sub(st.tried) < strangerTime {
		return
	}
	st.tried = e.now
	if len(e.sessions) > e.cfg.MaxPeers {
		newest := e.sessions.newest()
		if worst, ok := e.registry.WorseThan(newest.addr, e.now); ok {
			e.disconnect(e.sessions[worst], errReplaced)
		} else {
			e.disconnect(newest, fmt.Errorf("%w: no new block for %v", registry.ErrUseless, e.now.Sub(st.stale).Round(time.Second)))
		}
	}
	e.registry.ProbeNow(e.now)
}

// staleAfter is how long no new block has to come until something may be wrong.
func staleAfter(params *chaincfg.Params) time.Duration {
	return max(staleIntervals*params.TargetTimePerBlock, staleMin)
}

// missing is what only resting peers are left to ask for, and up to which height.
func (e *engine) missing() (kind registry.Kind, height uint32, ok bool) {
	if len(e.sessions) == 0 {
		return 0, 0, false
	}
	for _, u := range e.blocks.requests {
		if u.LastResort() {
			return registry.Blocks, u.to(), true
		}
	}
	if u := e.filters.lowest(); u != nil && u.LastResort() {
		return registry.Filters, u.to(), true
	}
	tip := e.chain.Tip().Height
	unsure := !e.chain.Proven() || !e.heard(tip)
	if unsure && len(e.headers.requests.atTip()) == 0 && len(e.registry.Ahead(tip, e.now)) == 0 {
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

// stallTime is when to look whether anything has moved.
func (e *engine) stallTime() time.Time {
	st := &e.stall
	switch {
	case !e.network.discover:
		return time.Time{}
	case e.following.on && e.progress.synced:
		stale, again := st.stale.Add(staleAfter(e.cfg.Params)), st.tried.Add(strangerTime)
		if again.After(stale) {
			return again
		}
		return stale
	case e.now.Sub(st.since) < stallPatience:
		return st.since.Add(stallPatience)
	}
	return st.since.Add(stallFilterPatience)
}

package wallet

import (
	"slices"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
)

const (
	// maxScan bounds the blocks of one scan. Each ends in a write that waits for
	// the disk, so a scan is to take a second or so if nothing matches; one with
	// many matches is cut short by the Syncer.
	maxScan = 50_000

	// maxTests bounds the tests of one scan, a script against a block, and so
	// the work that an interruption can lose: a second takes about 100 million.
	maxTests = 100_000_000

	// minScan is the length that a scan of any number of scripts, anywhere, may
	// have.
	minScan = 500
)

// scanLength is how many blocks to test for some groups at a time.
func (w *Wallet) scanLength(groups []*group) uint32 {
	scripts := 0
	for _, g := range groups {
		scripts += len(g.scripts)
	}
	return min(uint32(max(maxTests/max(scripts, 1), minScan)), w.maxScan)
}

// NextScan is a stretch of blocks up to limit that some script still has to be
// tested on, for all the scripts that have to be on all of it. It is as long as
// that set of scripts stays the same, and at most 50,000 blocks.
//
// First come the blocks that accounts have to be tested on, and those above the
// wallet's tip, the lowest first; then those below the tip that only other
// scripts have to be tested on, the highest first: at most 500 blocks at the tip,
// and twice as far with each scan.
//
// Only one scan at a time counts: the same debt is given out again until Apply.
func (w *Wallet) NextScan(limit uint32) (spv.Scan, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return spv.Scan{}, false, w.explain(w.broken)
	}
	groups := w.sortedGroups()
	at, upwards, ok := w.nextHeight(groups, limit)
	if !ok {
		return spv.Scan{}, false, nil
	}
	r := chain.Range{To: at}
	if upwards {
		r = chain.Range{From: at, To: limit}
	}
	owing := owingAt(groups, at, &r)
	length := w.scanLength(owing)
	var contested [][]byte
	if upwards {
		r.To = uint32(min(uint64(r.To), uint64(r.From)+uint64(length)-1))
		contested = w.contestedIn(&r)
	} else { // short at the tip: the blocks of one scan come from the lowest up
		tip, _ := w.tip()
		length = min(length, max(minScan, tip.Height-r.To))
		r.From = max(r.From, r.To-min(r.To, length-1))
	}
	scan := spv.Scan{Range: r, Groups: make([]uint64, len(owing))}
	for i, g := range owing {
		g.given = true
		scan.Groups[i] = g.label
	}
	scan.Query = w.prepare(owing, scan.Groups, contested)
	return scan, true, nil
}

// nextHeight is the height from which on to scan, upwards or downwards.
func (w *Wallet) nextHeight(groups []*group, limit uint32) (at uint32, upwards, ok bool) {
	tip, started := w.tip()
	for _, g := range groups {
		debt := g.debt(chain.Range{To: limit})
		if len(debt) == 0 {
			continue
		}
		if started && debt[0].From <= tip.Height && !g.ordered() {
			if newest := debt[len(debt)-1].To; !upwards && (!ok || newest > at) {
				at, ok = newest, true
			}
			if debt = g.debt(chain.Range{From: tip.Height + 1, To: limit}); len(debt) == 0 {
				continue
			}
		}
		if lowest := debt[0].From; !upwards || lowest < at {
			at, upwards, ok = lowest, true, true
		}
	}
	return at, upwards, ok
}

// owingAt are the groups that have to be tested at a height. The stretch around it
// is trimmed to where it is these and no others.
func owingAt(groups []*group, at uint32, r *chain.Range) (owing []*group) {
	for _, g := range groups {
		if g.watched == 0 {
			continue
		}
		alike := g.covered
		if !g.covered.Contains(at) {
			alike = g.covered.Missing(*r)
			owing = append(owing, g)
		}
		for _, s := range alike {
			if s.From <= at && at <= s.To {
				r.From, r.To = max(r.From, s.From), min(r.To, s.To)
			}
		}
	}
	return owing
}

// prepare makes the query of some groups, and of further scripts. The last one
// is kept: over a long scan the groups stay the same.
func (w *Wallet) prepare(groups []*group, labels []uint64, further [][]byte) *filters.Query {
	if w.query != nil && len(further) == 0 && slices.Equal(labels, w.queryLabels) {
		return w.query
	}
	n := len(further)
	for _, g := range groups {
		n += len(g.scripts)
	}
	raw := append(make([][]byte, 0, n), further...)
	for _, g := range groups {
		for _, s := range g.scripts {
			raw = append(raw, []byte(s.raw))
		}
	}
	query := filters.NewQuery(raw)
	if len(further) == 0 {
		w.query, w.queryLabels = query, slices.Clone(labels)
	}
	return query
}

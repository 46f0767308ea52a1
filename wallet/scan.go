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

	// minScan is the length that a scan of any number of scripts may have.
	minScan = 500

	// nearTip is how many blocks below the tip are as urgent as those above it. What
	// is watched while a scan at the tip is under way owes some of them.
	nearTip = 500
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
// Scans go upwards. Blocks around the wallet's tip and above come first, for the
// scripts that were tested as far as there: what is new does not wait for what was
// added late and has long ago to catch up with. Then come the lowest blocks that are
// owed.
//
// Only one scan at a time counts: the same debt is given out again until Apply.
func (w *Wallet) NextScan(limit uint32) (spv.Scan, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return spv.Scan{}, false, w.explain(w.broken)
	}
	groups, r, ok := w.turn(limit)
	if !ok {
		return spv.Scan{}, false, nil
	}
	owing := owingFrom(groups, &r)
	r.To = uint32(min(uint64(r.To), uint64(r.From)+uint64(w.scanLength(owing))-1))
	contested := w.contestedIn(&r)
	scan := spv.Scan{Range: r, Groups: make([]uint64, len(owing))}
	for i, g := range owing {
		g.given = true
		scan.Groups[i] = g.label
	}
	scan.Query = w.prepare(owing, scan.Groups, contested)
	return scan, true, nil
}

// turn is whose turn it is to be tested, and the blocks from the first one that any
// of them owes.
func (w *Wallet) turn(limit uint32) (groups []*group, r chain.Range, ok bool) {
	var all, ready []*group
	tip, started := w.tip()
	near := tip.Height - min(tip.Height, w.nearTip)
	for _, g := range w.sortedGroups() {
		if g.watched == 0 {
			continue
		}
		all = append(all, g)
		if started && g.covered.Contains(near) {
			ready = append(ready, g)
		}
	}
	if started && near < limit {
		if r, ok = firstOwed(ready, chain.Range{From: near + 1, To: limit}); ok {
			return ready, r, true
		}
	}
	r, ok = firstOwed(all, chain.Range{To: limit})
	return all, r, ok
}

// firstOwed is what is left of a stretch from the first block that some group owes.
func firstOwed(groups []*group, of chain.Range) (r chain.Range, ok bool) {
	r = of
	for _, g := range groups {
		if debt := g.debt(of); len(debt) > 0 && (!ok || debt[0].From < r.From) {
			r.From, ok = debt[0].From, true
		}
	}
	return r, ok
}

// owingFrom are the groups that have to be tested on the first block of a stretch,
// which is cut short where it is no longer these and no others.
func owingFrom(groups []*group, r *chain.Range) (owing []*group) {
	for _, g := range groups {
		debt := g.debt(*r)
		switch {
		case len(debt) == 0:
		case debt[0].From == r.From:
			owing = append(owing, g)
			r.To = debt[0].To
		default:
			r.To = debt[0].From - 1
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

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
)

// scanLength is how many blocks to test for a number of scripts at a time.
func scanLength(scripts int) uint32 {
	return uint32(min(max(maxTests/max(scripts, 1), minScan), maxScan))
}

// NextScan is the lowest stretch of blocks up to limit that some script still
// has to be tested on, for all the scripts that have to be. It is as long as
// that set of scripts stays the same, and at most 50,000 blocks.
//
// Only one scan at a time counts: the same debt is given out again until Apply.
func (w *Wallet) NextScan(limit uint32) (spv.Scan, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return spv.Scan{}, false, w.explain(w.broken)
	}
	groups := w.sortedGroups()
	debts := make([]chain.Ranges, len(groups))
	var r chain.Range
	found := false
	for i, g := range groups {
		debts[i] = g.debt(limit)
		if len(debts[i]) > 0 && (!found || debts[i][0].From < r.From) {
			r.From, found = debts[i][0].From, true
		}
	}
	if !found {
		return spv.Scan{}, false, nil
	}
	r.To = limit
	var owing []*group
	scripts := 0
	for i, debt := range debts {
		switch {
		case len(debt) == 0:
		case debt[0].From == r.From:
			owing = append(owing, groups[i])
			scripts += len(groups[i].scripts)
			r.To = min(r.To, debt[0].To)
		default:
			r.To = min(r.To, debt[0].From-1)
		}
	}
	if length := scanLength(scripts); r.To-r.From >= length {
		r.To = r.From + length - 1
	}
	contested := w.contestedIn(&r)
	scan := spv.Scan{Range: r, Groups: make([]uint64, len(owing))}
	for i, g := range owing {
		g.given = true
		scan.Groups[i] = g.label
	}
	scan.Query = w.prepare(owing, scan.Groups, contested)
	return scan, true, nil
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

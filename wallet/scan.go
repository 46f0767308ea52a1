package wallet

import (
	"slices"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
)

// maxScan bounds the blocks of one scan, and so the work that an interruption
// can lose.
const maxScan = 2000

// NextScan is the lowest stretch of blocks up to limit that some script still
// has to be tested on, for all the scripts that have to be. It is as long as
// that set of scripts stays the same, and at most 2000 blocks.
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
	r.To = min(limit, r.From+maxScan-1)
	if r.To < r.From { // the heights end here
		r.To = limit
	}
	var owing []*group
	for i, debt := range debts {
		switch {
		case len(debt) == 0:
		case debt[0].From == r.From:
			owing = append(owing, groups[i])
			r.To = min(r.To, debt[0].To)
		default:
			r.To = min(r.To, debt[0].From-1)
		}
	}
	scan := spv.Scan{Range: r, Groups: make([]uint64, len(owing))}
	for i, g := range owing {
		g.given = true
		scan.Groups[i] = g.label
	}
	scan.Query = w.prepare(owing, scan.Groups)
	return scan, true, nil
}

// prepare makes the query of some groups. The last one is kept: over a long
// scan the groups stay the same.
func (w *Wallet) prepare(groups []*group, labels []uint64) *filters.Query {
	if w.query != nil && slices.Equal(labels, w.queryLabels) {
		return w.query
	}
	n := 0
	for _, g := range groups {
		n += len(g.scripts)
	}
	raw := make([][]byte, 0, n)
	for _, g := range groups {
		for _, s := range g.scripts {
			raw = append(raw, []byte(s.raw))
		}
	}
	w.query, w.queryLabels = filters.NewQuery(raw), slices.Clone(labels)
	return w.query
}

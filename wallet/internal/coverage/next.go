package coverage

import "dcrspv/spv/chain"

// Next is what to test next up to limit: a range of blocks, and all groups that have to be
// tested on all of it. It is as long as the set of these groups stays the same; !ok if
// nothing is missing.
//
// Tests go upwards. Groups that were tested at height near come first, with the blocks
// above it: what is new does not wait for what was added late and has long to catch up.
// Then comes the lowest block that is missing. A near of limit or above is none.
func (l *Ledger[S]) Next(near, limit uint32) (r chain.Range, groups []*Group[S], ok bool) {
	var all, ready []*Group[S]
	for _, g := range l.Groups() {
		if g.watched == 0 {
			continue
		}
		all = append(all, g)
		if near < limit && g.covered.Contains(near) {
			ready = append(ready, g)
		}
	}
	if near < limit {
		if r, ok = fromFirstMissing(ready, chain.Range{From: near + 1, To: limit}); ok {
			r, groups = cutToSame(ready, r)
			return r, groups, true
		}
	}
	if r, ok = fromFirstMissing(all, chain.Range{To: limit}); !ok {
		return chain.Range{}, nil, false
	}
	r, groups = cutToSame(all, r)
	return r, groups, true
}

// fromFirstMissing is what is left of a range from the first block that some group is
// missing.
func fromFirstMissing[S Script](groups []*Group[S], of chain.Range) (r chain.Range, ok bool) {
	r = of
	for _, g := range groups {
		if missing := g.missing(of); len(missing) > 0 && (!ok || missing[0].From < r.From) {
			r.From, ok = missing[0].From, true
		}
	}
	return r, ok
}

// cutToSame are the groups that are missing the first block of a range, which ends where
// it is no longer these and no others.
func cutToSame[S Script](groups []*Group[S], r chain.Range) (chain.Range, []*Group[S]) {
	var same []*Group[S]
	for _, g := range groups {
		missing := g.missing(r)
		switch {
		case len(missing) == 0:
		case missing[0].From == r.From:
			same = append(same, g)
			r.To = missing[0].To
		default:
			r.To = missing[0].From - 1
		}
	}
	return r, same
}

// Give notes that a scan of groups is under way, and returns their versions.
func (l *Ledger[S]) Give(groups []*Group[S]) (versions []uint64) {
	versions = make([]uint64, len(groups))
	for i, g := range groups {
		g.setGiven(true)
		versions[i] = g.version
	}
	return versions
}

// TakeBack notes that no scan is under way.
func (l *Ledger[S]) TakeBack() {
	for _, g := range l.groups {
		g.setGiven(false)
	}
}

// Unchanged are the groups of these versions that are still as they were then.
func (l *Ledger[S]) Unchanged(versions []uint64) (same []*Group[S]) {
	scanned := make(map[uint64]bool, len(versions))
	for _, v := range versions {
		scanned[v] = true
	}
	for _, g := range l.Groups() {
		if scanned[g.version] {
			same = append(same, g)
		}
	}
	return same
}

package wallet

import (
	"context"
	"math"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/wallet/internal/coverage"
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

// NextScan is a range of blocks up to limit that some script still has to be
// tested on, for all the scripts that have to be tested on all of it. It is as long as
// this set of scripts stays the same, and at most 50,000 blocks.
//
// Scans go upwards. Blocks around the wallet's tip and above come first, for the
// scripts that were tested as far as there: what is new does not wait for what was
// added late and has long ago to catch up with. Then come the lowest blocks that are
// missing.
//
// Only one scan at a time counts: the same blocks are given out again until Apply.
func (w *Wallet) NextScan(ctx context.Context, limit uint32) (scan spv.Scan, ok bool, err error) {
	err = w.fromMemory(ctx, func() error {
		near := uint32(math.MaxUint32)
		if tip, ok := w.tip(); ok {
			near = tip.Height - min(tip.Height, w.nearTip)
		}
		r, groups, found := w.ledger.Next(near, limit)
		if !found {
			return nil
		}
		scripts := 0
		for _, g := range groups {
			scripts += len(g.Scripts())
		}
		r.To = uint32(min(uint64(r.To), uint64(r.From)+uint64(w.scanLength(scripts))-1))
		further := w.contestedIn(&r)
		versions := w.ledger.Give(groups)
		scan, ok = spv.Scan{Range: r, Groups: versions, Query: w.queries.prepare(groups, versions, further)}, true
		return nil
	})
	return scan, ok, err
}

// scanLength is how many blocks to test for so many scripts at a time.
func (w *Wallet) scanLength(scripts int) uint32 {
	return min(uint32(max(maxTests/max(scripts, 1), minScan)), w.maxScan)
}

// queryCache keeps the last query: over a long scan the groups stay the same.
type queryCache struct {
	query    *filters.Query
	versions []uint64 // of the groups that it is for
}

// prepare makes the query of some groups, and of further scripts.
func (q *queryCache) prepare(groups []*coverage.Group[*script], versions []uint64, further [][]byte) *filters.Query {
	if q.query != nil && len(further) == 0 && slices.Equal(versions, q.versions) {
		return q.query
	}
	raw := slices.Clone(further)
	for _, g := range groups {
		raw = slices.Grow(raw, len(g.Scripts()))
		for _, s := range g.Scripts() {
			raw = append(raw, []byte(s.raw))
		}
	}
	query := filters.NewQuery(raw)
	if len(further) == 0 {
		q.query, q.versions = query, slices.Clone(versions)
	}
	return query
}

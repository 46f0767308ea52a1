package spv

import (
	"context"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/chaindb"
)

// maxMatches bounds the blocks of one batch, and with it the memory: a
// block has at most 393,216 bytes (chaincfg MaximumBlockSizes).
const maxMatches = 64

// match asks the wallet what to test next and tests it against the stored
// filters.
func (e *engine) match(w *walletState, limit uint32) {
	branch, changes, from := e.branch, w.changes, e.filters.from
	w.work(func() event {
		ev := walletMatched{limit: limit, branch: branch, changes: changes}
		scan, ok, err := w.wallet.NextScan(limit)
		switch {
		case err != nil || !ok:
		case scan.Range.From < from:
			ev.early = true
		default:
			ev.found, err = matchStored(e.ctx, e.db, scan)
			ev.ok = true
			if err != nil {
				ev.stored, err = err, nil
			}
		}
		ev.report = reportOf(w, limit, err)
		return ev
	})
}

// found is what matching a scan against the stored filters gave.
type found struct {
	batch   Batch
	headers []chain.Header // of batch.Blocks
}

// matchStored tests the blocks of a scan. It may cut the scan short. With many
// scripts it takes long enough to look at ctx for each block.
func matchStored(ctx context.Context, db *chaindb.DB, scan Scan) (found, error) {
	f := found{batch: Batch{Scan: scan}}
	var matcher filters.Matcher
	var bad error
	err := db.Blocks(scan.Range, func(height uint32, h *chain.Header, filter []byte) bool {
		if height > 1 && h.VoteBits()&1 == 0 {
			f.batch.Disapproved = append(f.batch.Disapproved, height-1)
		}
		if bad = ctx.Err(); bad != nil {
			return false
		}
		match, err := matcher.Match(scan.Query, h.FilterKey(), filter)
		if err != nil {
			match = true // the header commits to bytes that make no sense: look at the block
		}
		if match && height > 0 { // nobody can spend what the genesis block pays
			f.headers = append(f.headers, *h)
		}
		f.batch.Scan.Range.To = height
		if height == scan.Range.To || len(f.headers) == maxMatches {
			f.batch.End = chain.BlockID{Height: height, Hash: h.Hash()}
			return false
		}
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return found{}, err
	}
	last := f.batch.Scan.Range.To
	for _, h := range f.headers {
		b := Block{ID: chain.BlockID{Height: h.Height(), Hash: h.Hash()}, Time: h.Time()}
		b.Disapproved = slices.Contains(f.batch.Disapproved, h.Height())
		if h.Height() == last {
			next, err := db.Header(last + 1)
			b.Disapproved = err == nil && next.PrevBlock() == b.ID.Hash && next.VoteBits()&1 == 0
		}
		f.batch.Blocks = append(f.batch.Blocks, b)
	}
	return f, nil
}

// walletMatched: a scan was matched against the stored filters.
type walletMatched struct {
	report
	found   found
	ok      bool  // there was debt
	early   bool  // but from below the filters: the birthday has moved down
	stored  error // the stored data could not be read
	limit   uint32
	branch  int
	changes int
}

func (ev walletMatched) apply(e *engine) {
	if !e.reply(ev.report) || ev.branch != e.branch {
		return // what was read may be of the old branch
	}
	w := ev.w
	switch {
	case ev.early:
		w.reconsider()
	case !ev.ok:
		w.quiet, w.isQuiet = ev.limit, ev.changes == w.changes
	case ev.stored != nil:
		e.fail(ev.stored)
	default:
		w.scan = &scan{found: ev.found}
		e.blockUnits(w.scan)
	}
}

package spv

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"

	"golang.org/x/sync/errgroup"
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

// matchStored tests the blocks of a scan, on all processors. It may cut the scan
// short.
func matchStored(ctx context.Context, db *chaindb.DB, scan Scan) (found, error) {
	f := found{batch: Batch{Scan: scan}}
	processors := uint32(runtime.GOMAXPROCS(0))
	for from := scan.Range.From; from <= scan.Range.To && len(f.headers) < maxMatches; {
		parts := make([]part, 0, processors)
		for from <= scan.Range.To && uint32(len(parts)) < processors {
			to := min(from+partBlocks-1, scan.Range.To)
			parts = append(parts, part{Range: chain.Range{From: from, To: to}})
			from = to + 1
		}
		g, ctx := errgroup.WithContext(ctx)
		for i := range parts {
			g.Go(func() error { return parts[i].match(ctx, db, scan.Query) })
		}
		if err := g.Wait(); err != nil {
			return found{}, err
		}
		for i := 0; i < len(parts) && len(f.headers) < maxMatches; i++ {
			f.add(&parts[i])
		}
	}
	for _, h := range f.headers {
		b := Block{ID: chain.BlockID{Height: h.Height(), Hash: h.Hash()}, Time: h.Time()}
		b.Disapproved = slices.Contains(f.batch.Disapproved, h.Height())
		if b.ID.Height == f.batch.End.Height {
			next, err := db.Header(b.ID.Height + 1)
			if err != nil && !errors.Is(err, chaindb.ErrNotFound) {
				return found{}, err
			}
			b.Disapproved = err == nil && next.PrevBlock() == b.ID.Hash && next.VoteBits()&1 == 0
		}
		f.batch.Blocks = append(f.batch.Blocks, b)
	}
	return f, nil
}

// partBlocks is how many blocks a processor tests at a time.
const partBlocks = 1000

// part is a stretch of a scan, tested by one processor.
type part struct {
	chain.Range
	matches     []chain.Header
	disapproved []uint32 // heights
	end         chain.BlockID
	price       int64 // in the header of end
}

// match tests the blocks of a part. With many scripts it takes long enough to
// look at ctx for each block. It stops at maxMatches.
func (p *part) match(ctx context.Context, db *chaindb.DB, query *filters.Query) error {
	var matcher filters.Matcher
	var bad error
	err := db.Blocks(p.Range, func(height uint32, h *chain.Header, filter []byte) bool {
		if height > 1 && h.VoteBits()&1 == 0 {
			p.disapproved = append(p.disapproved, height-1)
		}
		if bad = ctx.Err(); bad != nil {
			return false
		}
		match, err := matcher.Match(query, h.FilterKey(), filter)
		if err != nil {
			match = true // the header commits to bytes that make no sense: look at the block
		}
		if match && height > 0 { // nobody can spend what the genesis block pays
			p.matches = append(p.matches, *h)
		}
		if height == p.To || len(p.matches) == maxMatches {
			p.end, p.price = chain.BlockID{Height: height, Hash: h.Hash()}, h.SBits()
			return false
		}
		return true
	})
	return cmp.Or(err, bad)
}

// add appends a part, as far as there is room for its matches.
func (f *found) add(p *part) {
	end, price := p.end, p.price
	if room := maxMatches - len(f.headers); len(p.matches) >= room {
		p.matches = p.matches[:room]
		last := &p.matches[room-1]
		end, price = chain.BlockID{Height: last.Height(), Hash: last.Hash()}, last.SBits()
	}
	f.headers = append(f.headers, p.matches...)
	for _, height := range p.disapproved {
		if height < end.Height {
			f.batch.Disapproved = append(f.batch.Disapproved, height)
		}
	}
	f.batch.End, f.batch.Price, f.batch.Scan.Range.To = end, price, end.Height
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

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

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
	"golang.org/x/sync/errgroup"
)

// maxMatches bounds the blocks of one batch, and with it the memory: a
// block has at most 393,216 bytes (chaincfg MaximumBlockSizes).
const maxMatches = 64

// found is what matching a scan against the stored filters gave.
type found struct {
	scan        Scan
	headers     []chain.Header // of the blocks that match
	hashes      []chainhash.Hash
	end         chain.BlockID // the last block tested
	price       int64         // in its header
	disapproved []uint32      // heights below the end
	endBad      bool          // the end is disapproved, if it matches
}

// batch is what the wallet gets when all blocks are there, which stand as the headers do.
func (f *found) batch(msgs []*wire.MsgBlock) Batch {
	var blocks []Block
	for i, h := range f.headers {
		blocks = append(blocks, Block{
			ID: chain.BlockID{Height: h.Height(), Hash: f.hashes[i]}, Time: h.Time(), Msg: msgs[i],
			Disapproved: slices.Contains(f.disapproved, h.Height()) || h.Height() == f.end.Height && f.endBad,
		})
	}
	return Batch{Scan: f.scan, Blocks: blocks, End: f.end, Price: f.price, Disapproved: f.disapproved}
}

// matchStored tests the blocks of a scan, on all processors. It may cut the scan
// short.
func matchStored(ctx context.Context, db *chaindb.DB, scan Scan) (found, error) {
	f := found{scan: scan}
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
	for i := range f.headers {
		f.hashes = append(f.hashes, f.headers[i].Hash())
	}
	f.scan = Scan{Range: chain.Range{From: scan.Range.From, To: f.end.Height}, Query: scan.Query, Groups: scan.Groups}
	if n := len(f.headers); n > 0 && f.headers[n-1].Height() == f.end.Height {
		next, err := db.Header(f.end.Height + 1)
		if err != nil && !errors.Is(err, chaindb.ErrNotFound) {
			return found{}, err
		}
		f.endBad = err == nil && next.PrevBlock() == f.end.Hash && next.VoteBits()&1 == 0
	}
	return f, nil
}

// partBlocks is how many blocks a processor tests at a time.
const partBlocks = 1000

// part is a range of a scan, tested by one processor.
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
			f.disapproved = append(f.disapproved, height)
		}
	}
	f.end, f.price = end, price
}

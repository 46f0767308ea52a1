package spv

import (
	"errors"
	"slices"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// prefetch holds ranges of headers above our tip, in height order.
//
// Headers come one request after the other, because the next one starts where
// the last one ended: 2000 for each round trip. But where a checkpoint lies
// ahead, the headers behind it can be requested at once. So while one peer
// serves the tip, others fetch the ranges between the checkpoints above it
// (chain.Rules.KnownBlocks). They wait here, in memory, until the chain has got
// there, and are then checked in their context as all others are.
type prefetch struct {
	ranges []*headerRange
	next   uint32 // the height from which no range has been made yet
}

// maxPrefetched bounds the headers that wait: 16 MB.
const maxPrefetched = 40 * wire.MaxBlockHeadersPerMsg

// headerRange is the headers above one checkpoint, up to the next.
type headerRange struct {
	from, to chain.BlockID
	last     chain.BlockID // of what has come
	batches  []prefetched
	request  *headerRequest // under way
	dead     bool           // what came does not fit together: the chain gets there by itself
}

type prefetched struct {
	s     *session
	batch chain.Batch
}

// errUnlinked: headers do not continue what has come before.
var errUnlinked = errors.New("headers of another chain")

// add takes the headers that continue a range. chain.ErrAnchor is that they contradict
// its end, errUnlinked that they, or those before, are of another chain.
func (r *headerRange) add(s *session, b chain.Batch) error {
	n := len(b.Headers)
	if n == 0 || b.Headers[0].PrevBlock() != r.last.Hash {
		if n > 0 && r.last != r.from {
			r.giveUp()
		}
		return errUnlinked
	}
	last := chain.BlockID{Height: b.Headers[n-1].Height(), Hash: b.Hashes[n-1]}
	if last.Height > r.to.Height || last.Height == r.to.Height && last != r.to {
		r.giveUp()
		return chain.ErrAnchor
	}
	r.last = last
	r.batches = append(r.batches, prefetched{s, b})
	return nil
}

// begin notes which request is under way; nil is none.
func (r *headerRange) begin(request *headerRequest) { r.request = request }

func (r *headerRange) complete() bool { return r.last == r.to }

// giveUp leaves the range to the requests at the tip.
func (r *headerRange) giveUp() { r.dead, r.batches = true, nil }

// follows reports whether what waits of a range continues a block.
func (r *headerRange) follows(tip chain.BlockID) bool {
	return len(r.batches) > 0 && r.batches[0].batch.Headers[0].PrevBlock() == tip.Hash
}

// held is how many headers wait or are on their way.
func (r *headerRange) held() (n int) {
	for _, b := range r.batches {
		n += len(b.batch.Headers)
	}
	if r.request != nil {
		n += wire.MaxBlockHeadersPerMsg
	}
	return n
}

// plan makes ranges between the checkpoints above the tip, and forgets the ones that
// the chain has passed.
func (p *prefetch) plan(rules *chain.Rules, tip uint32) {
	for _, r := range p.ranges {
		if r.last.Height < tip {
			r.giveUp() // the tip has overtaken it
		}
	}
	p.ranges = slices.DeleteFunc(p.ranges, func(r *headerRange) bool { return r.to.Height <= tip && r.request == nil })
	for p.next = max(p.next, tip); ; {
		from, ok := rules.KnownBlock(p.next)
		if !ok {
			return
		}
		p.next = from.Height + 1
		if to, ok := rules.KnownBlock(p.next); ok {
			p.ranges = append(p.ranges, &headerRange{from: from, to: to, last: from})
		}
	}
}

// wanted is the first range of which somebody who claims a height may be asked for more;
// nil if there is none, or if enough waits.
func (p *prefetch) wanted(tip, claim uint32) *headerRange {
	held := 0
	var first *headerRange
	for _, r := range p.ranges {
		held += r.held()
		if first == nil && r.from.Height > tip && r.request == nil && !r.dead && !r.complete() && r.to.Height <= claim {
			first = r
		}
	}
	if held+wire.MaxBlockHeadersPerMsg > maxPrefetched {
		return nil
	}
	return first
}

// stop is where the tip's own requests end: at the first checkpoint above, if
// the range behind it is being fetched already. It is zero otherwise.
func (p *prefetch) stop(tip uint32) chainhash.Hash {
	for _, r := range p.ranges {
		if r.from.Height > tip {
			if !r.dead && r.held() > 0 {
				return r.from.Hash
			}
			break
		}
	}
	return chainhash.Hash{}
}

// waiting reports whether headers that continue the tip are in memory or on
// their way.
func (p *prefetch) waiting(tip chain.BlockID) bool {
	return slices.ContainsFunc(p.ranges, func(r *headerRange) bool {
		if r.dead || len(r.batches) > 0 {
			return r.follows(tip)
		}
		return r.request != nil && !r.request.late && r.last == tip
	})
}

// take removes the headers that continue the tip.
func (p *prefetch) take(tip chain.BlockID) (r *headerRange, next prefetched, ok bool) {
	i := slices.IndexFunc(p.ranges, func(r *headerRange) bool { return r.follows(tip) })
	if i < 0 {
		return nil, prefetched{}, false
	}
	r = p.ranges[i]
	next, r.batches = r.batches[0], r.batches[1:]
	return r, next, true
}

package spv

import (
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
// (chain.Rules.NextCheckpoint). They wait here, in memory, until the chain has got
// there, and are then checked in their context as all others are.
type prefetch struct {
	ranges []*headerRange
	next   uint32 // the height from which no range has been made yet
}

// maxPrefetched bounds the headers that wait: 16 MB.
const maxPrefetched = 40 * wire.MaxBlockHeadersPerMsg

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
		from, ok := rules.NextCheckpoint(p.next)
		if !ok {
			return
		}
		p.next = from.Height + 1
		if to, ok := rules.NextCheckpoint(p.next); ok {
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
	return p.ranges[i], p.ranges[i].take(), true
}

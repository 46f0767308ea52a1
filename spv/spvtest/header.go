package spvtest

import (
	"slices"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// medianBlocks is the number of blocks whose median time a block must be after
// (dcrd: medianTimeBlocks).
const medianBlocks = 11

// fairPrice is the ticket price, in atoms, at which the made-up market is calm.
const fairPrice = 2e8

// fillHeader sets everything in a header that follows from the chain before it.
func (c *Chain) fillHeader(w *wire.BlockHeader, prev *chain.Header, t Template) {
	p := c.config.params
	w.Version = headerVersion
	w.PrevBlock = c.tip.Hash
	w.Height = prev.Height() + 1
	w.Timestamp = c.blockTime(prev, t)
	w.Bits = c.config.rules.NextBits(prev, uint32(w.Timestamp.Unix()), c.header)
	w.SBits = c.config.rules.NextStakeDiff(prev, c.header)
	w.PoolSize = c.poolSize(prev)
	w.FreshStake = c.ticketsSold(prev, w)

	// Voting starts at the stake validation height. Before it a header has no
	// votes, no lottery state, and vote bits that approve.
	w.VoteBits = 1
	if int64(w.Height) >= p.StakeValidationHeight {
		w.Voters = p.TicketsPerBlock
		copy(w.FinalState[:], c.tip.Hash[:])
	}
	// The version of the votes is that of a whole interval of them before.
	if int64(w.Height) >= p.StakeValidationHeight+p.StakeVersionInterval {
		w.StakeVersion = headerVersion
	}
	if t.Disapprove {
		w.VoteBits = 0
	}
}

// blockTime is the time of the block after prev.
func (c *Chain) blockTime(prev *chain.Header, t Template) time.Time {
	switch {
	case !t.Time.IsZero():
		return t.Time
	case prev.Height() == 0:
		return time.Unix(int64(c.config.start), 0)
	case c.spacing == 0:
		return time.Unix(int64(c.medianTime(prev.Height()))+1, 0)
	}
	return time.Unix(int64(prev.Timestamp()+c.spacing), 0)
}

// medianTime is the median time of the blocks up to height. Of an even number
// it is the later of the two in the middle (dcrd: CalcPastMedianTime).
func (c *Chain) medianTime(height uint32) uint32 {
	times := make([]uint32, 0, medianBlocks)
	for i := range min(height+1, medianBlocks) {
		times = append(times, c.header(height-i).Timestamp())
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// poolSize is the number of live tickets when the block after prev is found:
// what prev found, less those that voted in it, plus those that matured in it.
func (c *Chain) poolSize(prev *chain.Header) uint32 {
	size := prev.PoolSize() - uint32(prev.Voters())
	maturity := uint32(c.config.params.TicketMaturity)
	if prev.Height() >= maturity {
		size += uint32(c.header(prev.Height() - maturity).FreshStake())
	}
	return size
}

// ticketsSold is the number of tickets bought in the block after prev. Buyers
// keep the pool near its target, buy more when tickets are cheap, fewer when
// they are dear, and are a little moody, so that the price moves as a price does.
func (c *Chain) ticketsSold(prev *chain.Header, w *wire.BlockHeader) uint8 {
	p := c.config.params
	height := int64(w.Height)
	if height < p.StakeEnabledHeight {
		return 0
	}
	tickets := int(w.PoolSize)
	for i := range uint32(p.TicketMaturity) {
		tickets += int(c.header(prev.Height() - i).FreshStake())
	}
	perBlock := int(p.TicketsPerBlock)
	aim := perBlock * (int(p.TicketPoolSize) + int(p.TicketMaturity))
	sold := min(max((aim-tickets)/int(p.TicketMaturity), -perBlock), perBlock)
	if height < p.StakeValidationHeight {
		return uint8(max(sold, 0))
	}
	sold += perBlock
	switch {
	case w.SBits > 2*fairPrice:
		sold--
	case w.SBits < fairPrice/2:
		sold++
	}
	mood := mix(uint64(height/p.StakeDiffWindowSize)) % 3
	return uint8(max(sold+int(mood)-1, 0))
}

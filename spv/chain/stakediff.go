package chain

import (
	"fmt"
	"math/big"
)

// NextStakeDiff is the ticket price, in atoms, of the block after prev by the
// rule of DCP0001. A header must have it where that rule is active, on mainnet from
// height 149248 on. The result is -1 if an ancestor that it depends on is not known.
func (r *Rules) NextStakeDiff(prev *Header, anc Ancestor) int64 {
	p := r.params
	next := int64(prev.Height()) + 1
	if next < int64(p.CoinbaseMaturity)+1 {
		return p.MinimumStakeDiff // nobody has coins for a ticket yet
	}
	if next%p.StakeDiffWindowSize != 0 {
		return prev.SBits()
	}

	// Tickets live or immature at the end of the previous window and now.
	var before int64
	if h := next - p.StakeDiffWindowSize - 1; h >= 0 {
		end := anc.from(prev, uint32(h))
		if end == nil {
			return -1
		}
		fresh, ok := ticketsBought(end, int(p.TicketMaturity), anc)
		if !ok {
			return -1
		}
		before = int64(end.PoolSize()) + fresh
	}
	if before == 0 {
		return prev.SBits()
	}
	fresh, ok := ticketsBought(prev, int(p.TicketMaturity), anc)
	if !ok {
		return -1
	}
	return r.stakeDiff(next, prev.SBits(), before, int64(prev.PoolSize())+fresh)
}

// ticketsBought is the number of tickets bought in the n blocks that end with h.
func ticketsBought(h *Header, n int, anc Ancestor) (sum int64, ok bool) {
	for range n {
		sum += int64(h.FreshStake())
		height := h.Height()
		if height == 0 {
			break
		}
		if h = anc(height - 1); h == nil {
			return 0, false
		}
	}
	return sum, true
}

// stakeDiff scales the price by how the ticket pool has grown and by how far
// it is from its target size (calcNextStakeDiffV2).
func (r *Rules) stakeDiff(height, price, before, now int64) int64 {
	p := r.params
	target := int64(p.TicketsPerBlock) * (int64(p.TicketPoolSize) + int64(p.TicketMaturity))
	scaled := big.NewInt(price)
	scaled.Mul(scaled, big.NewInt(now)).Mul(scaled, big.NewInt(now))
	scaled.Div(scaled, big.NewInt(before)).Div(scaled, big.NewInt(target))

	highest := r.supply.estimate(height) / int64(p.TicketPoolSize)
	return max(min(scaled.Int64(), highest), p.MinimumStakeDiff)
}

// StakeDiffAt reports whether the header of that height has the ticket price of
// NextStakeDiff (DCP0001). Before, its price is not recomputed.
func (r *Rules) StakeDiffAt(height uint32) bool { return height >= r.stakeDiffV2 }

// checkStakeDiff checks the ticket price of h.
func (r *Rules) checkStakeDiff(h, prev *Header, anc Ancestor) error {
	if !r.StakeDiffAt(h.Height()) {
		return r.checkStakeDiffV1(h, prev)
	}
	if got, want := h.SBits(), r.NextStakeDiff(prev, anc); got != want {
		return fmt.Errorf("%w: %d atoms, want %d", ErrStakeDiff, got, want)
	}
	return nil
}

// checkStakeDiffV1 checks a part of the rule for the price before DCP0001:
// it starts at the minimum, changes only at the ends of windows, and never falls
// below the minimum (calcNextRequiredStakeDifficultyV1). How it changes is not
// recomputed: on mainnet the checkpoints vouch for those blocks.
func (r *Rules) checkStakeDiffV1(h, prev *Header) error {
	p := r.params
	height, got, want := int64(h.Height()), h.SBits(), prev.SBits()
	switch {
	case height <= int64(p.CoinbaseMaturity)+1:
		want = p.MinimumStakeDiff
	case height%p.StakeDiffWindowSize == 0:
		want = max(got, p.MinimumStakeDiff)
	}
	if got != want {
		return fmt.Errorf("%w: %d atoms, want %d", ErrStakeDiff, got, want)
	}
	return nil
}

package chain

import "fmt"

// checkVotes checks the stake fields that need no context: nothing is voted on
// before the stake validation height, a majority of the five votes is in every
// block after, and sales are limited (checkBlockHeaderSanity).
func (r *Rules) checkVotes(h *Header) error {
	p := r.params
	if n := h.FreshStake(); n > p.MaxFreshStakePerBlock {
		return fmt.Errorf("%w: %d, at most %d", ErrFreshStake, n, p.MaxFreshStakePerBlock)
	}
	voters := h.Voters()
	if int64(h.Height()) >= p.StakeValidationHeight {
		majority := p.TicketsPerBlock/2 + 1
		if voters < majority || voters > p.TicketsPerBlock {
			return fmt.Errorf("%w: %d voters, want %d to %d", ErrVotes, voters, majority, p.TicketsPerBlock)
		}
		return nil
	}
	switch {
	case voters != 0:
		return fmt.Errorf("%w: %d voters before the stake validation height", ErrVotes, voters)
	case h.Revocations() != 0:
		return fmt.Errorf("%w: %d revocations before the stake validation height", ErrVotes, h.Revocations())
	case h.VoteBits() != 1:
		return fmt.Errorf("%w: vote bits %04x before the stake validation height", ErrVotes, h.VoteBits())
	case h.FinalState() != [6]byte{}:
		return fmt.Errorf("%w: lottery state %x before the stake validation height", ErrVotes, h.FinalState())
	}
	return nil
}

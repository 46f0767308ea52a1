package chain

import "fmt"

// earlyVoteBits are the vote bits of every block before there are votes: the
// parent is approved (earlyVoteBitsValue).
const earlyVoteBits = 1

// checkVotes checks the stake fields that need no context: nothing is voted on
// before the stake validation height, a majority of the five votes is in every
// block after, and sales are limited (checkBlockHeaderSanity). A block may have
// 255 revocations, and the field cannot hold more.
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
	const early = "before the stake validation height"
	switch {
	case voters != 0:
		return fmt.Errorf("%w: %d voters %s", ErrVotes, voters, early)
	case h.Revocations() != 0:
		return fmt.Errorf("%w: %d %s", ErrRevocations, h.Revocations(), early)
	case h.VoteBits() != earlyVoteBits:
		return fmt.Errorf("%w: %04x %s", ErrVoteBits, h.VoteBits(), early)
	case h.FinalState() != [6]byte{}:
		return fmt.Errorf("%w: %x %s", ErrFinalState, h.FinalState(), early)
	}
	return nil
}

// checkSize checks that a block can be as large as the header says. CheckBlock
// checks that it is.
func (r *Rules) checkSize(h *Header) error {
	if n := h.Size(); n <= HeaderSize || n > uint32(r.maxBlockSize) {
		return fmt.Errorf("%w: %d bytes, want more than the header's %d and at most %d",
			ErrBlockSize, n, HeaderSize, r.maxBlockSize)
	}
	return nil
}

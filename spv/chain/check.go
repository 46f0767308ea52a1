package chain

import (
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// Batch is a run of headers, each the child of the one before it, that passed
// every check which needs no context, with their block hashes.
type Batch struct {
	Headers []Header
	Hashes  []chainhash.Hash
}

// Check makes a Batch of headers: it hashes them, and checks links, heights,
// proof of work, size and stake fields. It has no state, so that several goroutines
// can each check a message.
//
// The batch shares the memory of headers. On an error it holds the headers
// before the bad one. Errors: ErrLink, ErrHeight, ErrProofOfWork, ErrBlockSize,
// ErrFreshStake, ErrVotes, ErrRevocations, ErrVoteBits, ErrFinalState.
func (r *Rules) Check(headers []Header) (Batch, error) {
	hashes := make([]chainhash.Hash, len(headers))
	for i := range headers {
		h := &headers[i]
		hashes[i] = h.Hash()
		var prev *BlockID
		if i > 0 {
			prev = &BlockID{Height: headers[i-1].Height(), Hash: hashes[i-1]}
		}
		if err := r.checkHeader(h, &hashes[i], prev); err != nil {
			return Batch{headers[:i:i], hashes[:i:i]}, fmt.Errorf("header %d of %d, block %v: %w",
				i+1, len(headers), BlockID{h.Height(), hashes[i]}, err)
		}
	}
	return Batch{headers, hashes}, nil
}

// checkHeader checks one header; prev is nil for the first of a batch.
func (r *Rules) checkHeader(h *Header, hash *chainhash.Hash, prev *BlockID) error {
	height := h.Height()
	if prev != nil && h.PrevBlock() != prev.Hash {
		return fmt.Errorf("%w: its parent is %v, not %v", ErrLink, h.PrevBlock(), prev.Hash)
	}
	if prev != nil && height != prev.Height+1 {
		return fmt.Errorf("%w: %d after %d", ErrHeight, height, prev.Height)
	}
	if height == 0 {
		return fmt.Errorf("%w: only the genesis block has height 0", ErrHeight)
	}
	powHash := *hash
	if r.Blake3At(height) {
		powHash = r.PowHash(h)
	}
	if err := r.checkWork(&powHash, h.Bits()); err != nil {
		return err
	}
	if err := r.checkSize(h); err != nil {
		return err
	}
	return r.checkVotes(h)
}

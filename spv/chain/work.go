package chain

import (
	"fmt"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// Work is the expected number of hashes for a block with this target:
// 2^256 / (target+1), zero for a target that no block can have
// (standalone.CalcWork).
func Work(bits uint32) uint256.Uint256 {
	target, ok := expand(bits)
	if !ok {
		return uint256.Uint256{}
	}
	// 2^256 does not fit, but 2^256/(t+1) = (2^256-1-t)/(t+1) + 1.
	var w uint256.Uint256
	w.Set(&target).Not()
	target.AddUint64(1)
	w.Div(&target).AddUint64(1)
	return w
}

// checkWork checks that bits are a target that the network allows and that the
// work hash reaches it.
func (r *Rules) checkWork(hash *chainhash.Hash, bits uint32) error {
	target, ok := expand(bits)
	if !ok || target.Gt(&r.powLimit) {
		return fmt.Errorf("%w: target %08x out of range", ErrProofOfWork, bits)
	}
	var n uint256.Uint256
	if n.SetBytesLE((*[32]byte)(hash)); n.Gt(&target) {
		return fmt.Errorf("%w: work hash %v above target %08x", ErrProofOfWork, *hash, bits)
	}
	return nil
}

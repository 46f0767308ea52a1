package chain

import (
	"math/big"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
)

// emaBits is the target of the block after prev under the rules of the blake256
// era: it changes only once in a window of blocks, and then by an exponentially
// weighted average of how long the last windows took (calcNextBlake256Diff).
func (r *Rules) emaBits(prev *Header, timestamp uint32, anc Ancestor) uint32 {
	next := int64(prev.Height()) + 1
	if next%r.params.WorkDiffWindowSize != 0 {
		return r.bitsInWindow(prev, timestamp, anc)
	}
	factor := r.windowAverage(prev, anc)
	if factor == nil {
		return 0
	}
	old := standalone.CompactToBig(prev.Bits())
	target := new(big.Int).Mul(factor, old)
	target.Rsh(target, 32)

	limit := big.NewInt(r.params.RetargetAdjustmentFactor)
	highest := new(big.Int).Mul(old, limit)
	lowest := new(big.Int).Div(old, limit)
	switch {
	case target.Sign() == 0:
		target.Set(r.params.PowLimit)
	case target.Cmp(highest) > 0:
		target.Set(highest)
	case target.Cmp(lowest) < 0:
		target.Set(lowest)
	}
	if target.Cmp(r.params.PowLimit) > 0 {
		target.Set(r.params.PowLimit)
	}
	if r.cap.at(uint32(next)) {
		if lowest := r.cap.target.ToBig(); target.Cmp(lowest) < 0 {
			target = lowest
		}
	}
	return standalone.BigToCompact(target)
}

// windowAverage is the weighted average, in 32-bit fixed point, of the windows
// that end with prev, each measured against its ideal duration. The newest
// weighs most. nil if an ancestor is not known.
func (r *Rules) windowAverage(prev *Header, anc Ancestor) *big.Int {
	p := r.params
	span := int64(p.TargetTimespan / time.Second)
	sum, weights := new(big.Int), new(big.Int)
	end := int64(prev.Timestamp())
	for i := range p.WorkDiffWindows {
		// A window that reaches back to the genesis block, whose time is not a
		// miner's, counts as on schedule.
		took := span
		if h := int64(prev.Height()) - (i+1)*p.WorkDiffWindowSize; h > 0 {
			first := anc.from(prev, uint32(h))
			if first == nil {
				return nil
			}
			start := int64(first.Timestamp())
			took, end = end-start, start
		}
		change := big.NewInt(took)
		change.Lsh(change, 32).Div(change, big.NewInt(span))
		shift := uint((p.WorkDiffWindows - i) * p.WorkDiffAlpha)
		sum.Add(sum, change.Lsh(change, shift))
		weights.Add(weights, new(big.Int).Lsh(big.NewInt(1), shift))
	}
	return sum.Div(sum, weights)
}

package chain

import (
	"math/bits"
	"time"

	"github.com/decred/dcrd/math/uint256"
)

// asertBits is the target of the block after prev under DCP0011: the start
// target times 2^(delay/halflife), where delay is how far prev is behind an
// ideal schedule that begins at the anchor block.
func (r *Rules) asertBits(prev *Header, anc Ancestor) uint32 {
	p := r.params
	if prev.Height() < r.asertAnchor {
		// Where the rule is forced from the start, block 1 has the start target
		// and is the anchor of all others (calcNextBlake3Diff).
		return p.WorkDiffV2Blake3StartBits
	}
	anchor := anc.from(prev, r.asertAnchor)
	if anchor == nil {
		return 0
	}
	elapsed := int64(prev.Timestamp()) - int64(anchor.Timestamp())
	blocks := int64(prev.Height()) - int64(anchor.Height())
	delay := elapsed - blocks*int64(p.TargetTimePerBlock/time.Second)
	next := scaleTarget(p.WorkDiffV2Blake3StartBits, delay, p.WorkDiffV2HalfLifeSecs, &r.powLimit)
	if r.cap.bits != 0 && next < r.cap.bits {
		// The compact forms are compared, as dcrd does.
		return r.cap.bits
	}
	return next
}

// scaleTarget is the compact form of start * 2^(delay/halfLife), limited to 1
// and limit. It gives the same as standalone.CalcASERTDiff bit for bit (DCP0011
// fixes the arithmetic), but without big integers: those grow with the delay.
func scaleTarget(start uint32, delay, halfLife int64, limit *uint256.Uint256) uint32 {
	// The exponent in 16-bit fixed point; its division truncates, the split into
	// whole and fraction does not.
	exponent := delay << 16 / halfLife
	whole, f := exponent>>16, uint64(exponent&0xffff)

	// 2^(16+fraction) by the cubic polynomial of DCP0011, in 48-bit fixed point.
	factor := 1<<16 + (195766423245049*f+971821376*f*f+5127*f*f*f+1<<47)>>48

	// start is mantissa * 2^s, so only the small product needs to be shifted.
	mantissa, length := uint64(start&0x007fffff), int64(start>>24)
	product := mantissa * factor
	shift := 8*(length-3) + whole - 16

	var target uint256.Uint256
	switch {
	case shift < 0:
		if shift > -64 {
			target.SetUint64(product >> -shift)
		}
	case int64(bits.Len64(product))+shift > 256:
		target.Set(limit)
	default:
		target.SetUint64(product).Lsh(uint32(shift))
	}
	if target.IsZero() {
		target.SetUint64(1)
	}
	if target.Gt(limit) {
		target.Set(limit)
	}
	return compact(&target)
}

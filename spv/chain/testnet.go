package chain

import (
	"fmt"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/math/uint256"
)

// testnet3 has rules of its own, so that it can be mined without dedicated
// hardware. Until height 962928 a block that took long may have the lowest difficulty.
// Since then there is a highest difficulty, and blocks with it have to be a minute
// apart.

// testNet3MinSpacing is the distance at the highest difficulty, in seconds.
const testNet3MinSpacing = 60

// difficultyCap is the highest difficulty of a network; zero is none.
type difficultyCap struct {
	target uint256.Uint256
	bits   uint32 // the same in compact form
	from   uint32 // height of the first block with this cap and the minute's distance
}

func newDifficultyCap(powLimit *uint256.Uint256) (c difficultyCap) {
	// A difficulty of 2^6 (dcrd: maxTestDiffShift).
	c.target.RshVal(powLimit, 6)
	c.bits = standalone.BigToCompact(c.target.ToBig())
	c.from = 962928 // dcrd: testNet3MaxDiffActivationHeight
	return c
}

// at reports whether the cap is in force at height.
func (c *difficultyCap) at(height uint32) bool { return c.bits != 0 && height >= c.from }

// bitsInWindow is the target of a block inside a retarget window: the target of its
// parent, unless the easing rule of testnet3 changes it.
func (r *Rules) bitsInWindow(prev *Header, timestamp uint32, anc Ancestor) uint32 {
	p := r.params
	//lint:ignore SA1019 no other parameter says that a network had this rule
	eases, after := p.ReduceMinDifficulty, p.MinDiffReductionTime
	if !eases || r.cap.at(prev.Height()+1) {
		return prev.Bits()
	}
	if int64(timestamp) > int64(prev.Timestamp())+int64(after/time.Second) {
		return p.PowLimitBits
	}
	// The last target that was not eased, looked for no further than the last
	// multiple of the whole averaging span (findPrevTestNetDifficulty).
	span := uint32(p.WorkDiffWindowSize * p.WorkDiffWindows)
	h := prev
	for h.Height()%span != 0 && h.Bits() == p.PowLimitBits {
		if h = anc(h.Height() - 1); h == nil {
			return 0
		}
	}
	return h.Bits()
}

// checkSpacing checks the distance at the highest difficulty.
func (r *Rules) checkSpacing(h, prev *Header) error {
	if !r.cap.at(h.Height()) || h.Bits() > r.cap.bits {
		return nil
	}
	if int64(h.Timestamp()) < int64(prev.Timestamp())+testNet3MinSpacing {
		return fmt.Errorf("%w: %d s after it, at least %d", ErrSpacing,
			int64(h.Timestamp())-int64(prev.Timestamp()), testNet3MinSpacing)
	}
	return nil
}

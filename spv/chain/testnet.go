package chain

import (
	"fmt"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
)

// testnet3 has rules of its own, so that it can be mined without dedicated
// hardware: a block that took long may have the lowest difficulty (until height
// 962928), and since then there is a highest difficulty, at which blocks keep a
// minute's distance.

// testNet3MinSpacing is the distance at the highest difficulty, in seconds.
const testNet3MinSpacing = 60

func (r *Rules) setTestNet3Cap() {
	// A difficulty of 2^6 (dcrd: maxTestDiffShift).
	r.capTarget.RshVal(&r.powLimit, 6)
	r.capBits = standalone.BigToCompact(r.capTarget.ToBig())
	r.capHeight = 962928 // dcrd: testNet3MaxDiffActivationHeight
}

// cappedAt reports whether a highest difficulty is in force at height.
func (r *Rules) cappedAt(height uint32) bool { return r.capBits != 0 && height >= r.capHeight }

// bitsInWindow is the target of a block inside a retarget window: the one of
// its parent, or what the easing rule of testnet3 makes of it.
func (r *Rules) bitsInWindow(prev *Header, timestamp uint32, anc Ancestor) uint32 {
	p := r.params
	//lint:ignore SA1019 no other parameter says that a network had this rule
	eases, after := p.ReduceMinDifficulty, p.MinDiffReductionTime
	if !eases || r.cappedAt(prev.Height()+1) {
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
	if !r.cappedAt(h.Height()) || h.Bits() > r.capBits {
		return nil
	}
	if int64(h.Timestamp()) < int64(prev.Timestamp())+testNet3MinSpacing {
		return fmt.Errorf("%w: %d s after it, at least %d", ErrSpacing,
			int64(h.Timestamp())-int64(prev.Timestamp()), testNet3MinSpacing)
	}
	return nil
}

package spv

import (
	"fmt"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// A tip that is from long before the clock's time, though no peer has more, has one of
// two reasons: the clock is ahead, or all peers keep the newest blocks from us. Nothing
// that we can see tells which. So it is said, and changes nothing else: whoever is at an
// old tip has all that anybody serves.

const (
	// oldIntervals is how many times the network's block interval have to go by, on
	// mainnet three hours. Of blocks that come by chance one in 10^15 takes as long.
	oldIntervals = 36

	// oldTestTip is that for networks which few mine, and not always.
	oldTestTip = 24 * time.Hour
)

// oldAfter is how old a tip has to be; 0 is that it never is: whoever has a network of
// his own mines when he likes.
func oldAfter(params *chaincfg.Params) time.Duration {
	switch params.Net {
	case wire.SimNet, wire.RegNet:
		return 0
	case wire.MainNet:
		return oldIntervals * params.TargetTimePerBlock
	}
	return oldTestTip
}

// oldTip says that a tip is old; the zero value is that it is not. It goes by the clock
// on the wall.
func oldTip(params *chaincfg.Params, tip, now time.Time) Trouble {
	age, after := now.Round(0).Sub(tip), oldAfter(params)
	if after == 0 || age < after {
		return Trouble{}
	}
	return Trouble{
		Cause:  fmt.Sprintf("the tip is %s old by this computer's clock, and no peer has a newer one", roughly(age)),
		Remedy: "check the clock; if it is right check the network, or connect to another node: the peers may keep newer blocks from you",
		Since:  now.Round(0),
	}
}

// saidOldTip is what was last said of an old tip.
type saidOldTip struct{ Trouble }

// look takes note of what there is to say now, and returns that with when it was said first.
func (s *saidOldTip) look(t Trouble) (said Trouble, first bool) {
	if first = s.IsZero(); !first && !t.IsZero() {
		t = Trouble{Cause: t.Cause, Remedy: t.Remedy, Since: s.Since}
	}
	s.Trouble = t
	return t, first && !t.IsZero()
}

// findOldTip says that the tip is old, once no peer is ahead.
func (e *engine) findOldTip(phase Phase, tip time.Time) Trouble {
	old := Trouble{}
	if phase != Connecting && phase != Headers {
		old = oldTip(e.cfg.Params, tip, e.now)
	}
	t, first := e.oldTip.look(old)
	if t.IsZero() {
		return t
	}
	cause := t.Cause + e.peersClock()
	if first {
		e.logs.sync.Infof("%s", cause)
	}
	return Trouble{Cause: cause, Remedy: t.Remedy, Since: t.Since}
}

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

// findOldTip has the status say that the tip is old, once no peer is ahead.
func (e *engine) findOldTip(st *Status) {
	said := &e.clock.oldTip
	before := *said
	*said = Trouble{}
	if st.Phase != Connecting && st.Phase != Headers {
		*said = oldTip(e.cfg.Params, st.Tip.Time, e.now)
	}
	switch {
	case said.IsZero():
		return
	case before.IsZero():
		e.logs.sync.Infof("%s%s", said.Cause, e.peersClock())
	default:
		said.Since = before.Since
	}
	st.OldTip = *said
	st.OldTip.Cause += e.peersClock()
}

// roughly is a time in words, as exact as it matters.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.Round(time.Second).String()
}

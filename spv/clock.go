package spv

import (
	"fmt"
	"time"

	"dcrspv/spv/chain"
)

// A header more than two hours ahead of the clock is not accepted (dcrd
// blockchain: checkBlockHeaderSanity), though nothing else may be wrong with it. Then
// either whoever mined it is wrong about the time or this computer is. That is decided
// by work, not by what peers say: as long as a chain whose next header only our clock
// speaks against has more work than ours, we are not in sync. Honest miners overtake one
// who is wrong within a block or two.

// clock is what is known of blocks that are ahead of our clock. The zero value is that
// there are none.
type clock struct {
	ahead  chain.Future // of all that were brought the one with the most work
	asked  time.Time    // when everybody was asked again
	tries  int          // how often, since that one is not too early any more
	logged bool         // that there is one
}

const (
	// futurePause is at least between two times that everybody is asked again.
	futurePause = 10 * time.Second

	// futureTries is how often, until it is given up: nobody has it any more.
	futureTries = 3
)

// noteFuture notes a header that only our clock speaks against.
func (e *engine) noteFuture(f *chain.Future) {
	if f == nil || f.Work.Lt(&e.clock.ahead.Work) {
		return
	}
	if f.BlockID != e.clock.ahead.BlockID {
		e.clock.tries = 0
	}
	e.clock.ahead = *f
	if why := e.clockBehind(); why != "" && !e.clock.logged {
		e.clock.logged = true
		e.logs.sync.Warnf("Not in sync: %s", why)
	}
}

// clockBehind says how far the blocks that follow ours are ahead of this computer's
// clock; "" if none are known.
func (e *engine) clockBehind() string {
	f, work := &e.clock.ahead, e.chain.Work()
	if !f.Work.Gt(&work) {
		return ""
	}
	return fmt.Sprintf("blocks are %s ahead of this computer's clock: number %d is of %s UTC, and the clock says %s%s",
		roughly(f.Time.Sub(e.now.Round(0))), f.Height, f.Time.UTC().Format(time.DateTime), e.now.UTC().Format(time.DateTime), e.peersClock())
}

// futureTime is when the block that was too early is not any more; zero if there is
// none.
func (e *engine) futureTime() time.Time {
	if e.clockBehind() == "" {
		return time.Time{}
	}
	due := e.now.Add(e.clock.ahead.Time.Add(-chain.MaxFuture).Sub(e.now.Round(0)))
	if next := e.clock.asked.Add(futurePause); next.After(due) {
		return next
	}
	return due
}

// askFuture has everybody asked again once the clock has come to what was too early:
// by going on, or by being set. Until it is there we are not in sync.
func (e *engine) askFuture() {
	if due := e.futureTime(); due.IsZero() || due.After(e.now) {
		return
	}
	if e.clock.tries == futureTries {
		e.clock.ahead, e.clock.tries = chain.Future{}, 0
		return
	}
	e.clock.tries++
	e.clock.asked = e.now
	for _, s := range e.sessions {
		e.recheckNow(s)
	}
}

package spv

import (
	"slices"
	"testing"
	"time"
)

// Those that are to ask for a transaction have their time, and the listener after them,
// unless it has announced the transaction; whoever asks has time to get it.
func TestPublishCallWaitsForEachInTurn(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	asker, listener := &session{addr: "asker"}, &session{addr: "listener"}
	for name, tt := range map[string]struct {
		asks, arrives, hears bool
		tells, ends          time.Duration // after the call
	}{
		"nobody asks":                 {false, false, false, publishTime, 2 * publishTime},
		"one asks and has it":         {true, true, false, publishTime, 2 * publishTime},
		"one asks, and it has spread": {true, true, true, 0, 0},
		"one asks and never has it":   {true, false, false, publishTime, 2*publishTime + deliverTime},
		"it has spread, nobody asks":  {false, false, true, publishTime, publishTime},
	} {
		c := newPublishCall(nil, listener, now)
		announcedTo := map[string]bool{"asker": true}
		var requested []string
		if tt.asks {
			requested = []string{"asker"}
			c.sent(asker)
		}
		if tt.arrives {
			c.arrived(asker, true)
		}
		if tt.hears {
			c.heard("listener")
		}
		var tells, ends time.Duration = -1, -1
		for after := time.Duration(0); after < time.Minute && ends < 0; after += time.Second {
			at := now.Add(after)
			if c.listener != nil {
				s, ok := c.tell(c.complete(announcedTo, requested), at)
				if !ok {
					continue
				}
				if s != listener {
					t.Errorf("%s: announced to %v", name, s)
				}
				tells, announcedTo["listener"] = after, true
			}
			if c.over(c.complete(announcedTo, requested), at) {
				ends = after
			}
		}
		if tells != tt.tells || ends != tt.ends {
			t.Errorf("%s: the listener is told after %v, the call ends after %v; want %v and %v", name, tells, ends, tt.tells, tt.ends)
		}
		if tt.arrives != slices.Contains(c.delivered, "asker") {
			t.Errorf("%s: delivered to %v", name, c.delivered)
		}
	}
}

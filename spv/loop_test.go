package spv

import (
	"testing"
	"time"
)

// The engine looks again at the soonest time that is still to come: what has passed was
// seen to.
// Rule 9.
func TestAlarm(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	a := alarm{now: now}
	for _, tt := range []struct {
		at   time.Time
		want time.Duration
	}{{now.Add(time.Minute), time.Minute}, {time.Time{}, time.Minute}, {now, time.Minute}, {now.Add(-time.Hour), time.Minute},
		{now.Add(time.Hour), time.Minute}, {now.Add(1), 1}} {
		if a.at(tt.at); a.next.Sub(now) != tt.want {
			t.Errorf("after %v it is in %v, want %v", tt.at, a.next.Sub(now), tt.want)
		}
	}
}

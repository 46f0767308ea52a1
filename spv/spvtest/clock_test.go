package spvtest

import (
	"testing"
	"time"
)

// The wall's time is moved, and what is measured between two times is as it was.
func TestSetBy(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, d := range []time.Duration{0, time.Second, -time.Second, 2 * time.Hour, -year, 10 * year} {
		now := time.Now()
		set := SetBy(now, d)
		if got := set.Round(0).Sub(now.Round(0)); got != d {
			t.Errorf("set by %v instead of %v", got, d)
		}
		if got := set.Add(time.Minute).Sub(now); got != time.Minute {
			t.Errorf("set by %v a minute takes %v", d, got)
		}
	}
}

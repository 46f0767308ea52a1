package spvtest

import (
	"testing"
	"testing/synctest"
	"time"
)

// The wall's time is moved, and what is measured between two times is as it was, in
// virtual time too.
func TestSetBy(t *testing.T) {
	const year = 365 * 24 * time.Hour
	try := func(t *testing.T) {
		for _, d := range []time.Duration{0, time.Second, -time.Second, 2 * time.Hour, -year, 10 * year} {
			now := time.Now()
			before, set := SetBy(now, 0), SetBy(now, d)
			if !before.Round(0).Equal(now.Round(0)) {
				t.Errorf("%v became %v", now, before)
			}
			if got := set.Round(0).Sub(now.Round(0)); got != d {
				t.Errorf("set by %v instead of %v", got, d)
			}
			if got := set.Add(time.Minute).Sub(before); got != time.Minute {
				t.Errorf("set by %v a minute takes %v", d, got)
			}
			time.Sleep(time.Millisecond)
			if took, want := SetBy(time.Now(), d).Sub(before), time.Since(now); took < time.Millisecond || took > want {
				t.Errorf("set by %v, %v take %v", d, want, took)
			}
		}
	}
	try(t)
	synctest.Test(t, try)
}

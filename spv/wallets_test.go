package spv

import (
	"testing"
	"time"
)

// What was tested reaches a wallet although nothing was found, once it has changed or some
// time has passed: so little is tested again after a restart.
//
// Rule 17.
func TestOutdated(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	w := walletState{reported: true}
	w.wants(Scan{}, began)
	for after, want := range map[time.Duration]bool{0: false, flushEvery - 1: false, flushEvery: true, time.Hour: true} {
		if got := w.outdated(began.Add(after)); got != want {
			t.Errorf("after %v: %v", after, got)
		}
	}
	if w.reconsider(); !w.outdated(began) {
		t.Error("it has changed, and is not outdated")
	}
}

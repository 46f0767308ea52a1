package registry

import (
	"testing"
	"time"
)

// Rule 14.
func TestEveryReasonCosts(t *testing.T) {
	for reason := range numReasons {
		if p := reason.points(); p < 1 || p > banThreshold || reason.String() == "" {
			t.Errorf("reason %d: %d points, %q", reason, p, reason)
		}
	}
}

// One point fades a minute, however the strikes are spread: 90 of them 50 s
// apart keep what one calculation at the end gives.
func TestPointsFade(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	for _, reason := range []Reason{Protocol, Protocol, OrphanHeader} { // 50 points
		r.Strike(addrA, reason, errFault, t0)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{
		{0, 50}, {time.Minute - 1, 50}, {time.Minute, 49}, {49 * time.Minute, 1},
		{50 * time.Minute, 0}, {500 * time.Minute, 0}, {-time.Hour, 50},
	} {
		if got := r.bans.of("192.0.2.1", t0.Add(c.after)).points; got != c.want {
			t.Errorf("%d points after %v, want %d", got, c.after, c.want)
		}
	}

	c := misbehavior{points: 1000, asOf: t0}
	for i := range 90 {
		c.settle(t0.Add(time.Duration(i+1) * 50 * time.Second))
	}
	if c.points != 1000-75 {
		t.Errorf("%d points after 75 minutes in steps of 50 s", c.points)
	}
}

func TestReasonsAreBoundedAndMisbehaviorIsForgotten(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	now := t0
	for range 100 {
		r.Strike(addrA, OrphanHeader, errFault, now)
		now = now.Add(9 * time.Minute)
	}
	if n := len(r.List(now)[0].BanReasons); n > maxHistory {
		t.Errorf("%d reasons are kept", n)
	}
	now = now.Add(48 * time.Hour)
	r.Strike(addrB, OrphanHeader, errFault, now)
	if len(r.bans) != 1 {
		t.Errorf("%d records of misbehavior are kept", len(r.bans))
	}
	if loaded := reload(t, r, now.Add(time.Hour)); len(loaded.bans) != 0 {
		t.Errorf("%d records of misbehavior are loaded", len(loaded.bans))
	}
}

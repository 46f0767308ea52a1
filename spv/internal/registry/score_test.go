package registry

import (
	"math"
	"testing"
	"time"
)

var t0 = time.Unix(1_700_000_000, 0)

func TestSpeedFactor(t *testing.T) {
	for _, c := range []struct{ ms, want float64 }{
		{0, 1.0}, {0.1, 1.2}, {199, 1.2}, {200, 1.1}, {499, 1.1}, {500, 1.0}, {1999, 1.0},
		{2000, 0.9}, {4999, 0.9}, {5000, 0.8}, {9999, 0.8}, {10000, 0.7}, {29999, 0.7},
		{30000, 0.6}, {1e9, 0.6},
	} {
		if got := speedFactor(c.ms); got != c.want {
			t.Errorf("%v ms: %v, want %v", c.ms, got, c.want)
		}
	}
}

// Rule 14.
func TestScore(t *testing.T) {
	now, old := t0, t0.Add(-2*time.Hour)
	edge, inside := t0.Add(-time.Hour), t0.Add(-time.Hour+1)
	for _, c := range []struct {
		name string
		r    record
		want float64
	}{
		{"nothing tried", record{}, 50},
		{"nothing tried, latency known", record{latency: 10}, 50},
		{"all good, recent", record{successes: 7, lastSuccess: now}, 90},
		{"all good, old", record{successes: 7, lastSuccess: old}, 80},
		{"all good, an hour ago", record{successes: 7, lastSuccess: edge}, 80},
		{"all good, just within the hour", record{successes: 7, lastSuccess: inside}, 90},
		{"all good, fast: clamped", record{successes: 7, lastSuccess: now, latency: 10}, 100},
		{"all good, slow", record{successes: 7, lastSuccess: now, latency: 36000}, 54},
		{"all good, old, fast", record{successes: 1, lastSuccess: old, latency: 300}, 88},
		{"all bad, recent", record{failures: 3, lastFailure: now}, 5},
		{"all bad, old", record{failures: 3, lastFailure: old}, 20},
		{"half, both recent", record{successes: 2, failures: 2, lastSuccess: now, lastFailure: now}, 45},
		{"half, failure recent", record{successes: 2, failures: 2, lastSuccess: old, lastFailure: now}, 35},
		{"half, success recent", record{successes: 2, failures: 2, lastSuccess: now, lastFailure: old}, 60},
		{"malicious", record{successes: 1000, lastSuccess: now, malicious: true}, 5},
	} {
		if got := c.r.earned(now); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The penalty for a recent failure fades without any further event.
// Rule 23.
func TestScoreFadesByItself(t *testing.T) {
	var r record
	r.success(0, t0)
	r.failure(t0)
	if got := r.score(t0.Add(time.Hour-1), true); got != 45 {
		t.Errorf("within the hour: %v", got)
	}
	if got := r.score(t0.Add(time.Hour), true); got != 50 {
		t.Errorf("after the hour: %v", got)
	}
}

func TestLatencyIsAMovingAverage(t *testing.T) {
	var r record
	for _, c := range []struct {
		d    time.Duration
		want float64
	}{
		{0, 0}, {100 * time.Millisecond, 100}, {200 * time.Millisecond, 120}, {0, 120},
		{20 * time.Millisecond, 100},
	} {
		if r.success(c.d, t0); math.Abs(r.latency-c.want) > 1e-9 {
			t.Errorf("after %v: %v, want %v", c.d, r.latency, c.want)
		}
	}
}

// Below the floor a peer gets another chance after 5 minutes, then 15, 45 ...
// Rule 23.
func TestScoreRecovers(t *testing.T) {
	var r record
	now := t0
	pause := 5 * time.Minute
	for range maxRelapses + 2 {
		r.failure(now)
		if got := r.earned(now); got >= scoreFloor {
			t.Fatalf("score %v after a failure", got)
		}
		wait := min(pause, time.Hour) // after an hour the failure weighs less anyway
		if got := r.score(now.Add(wait-1), true); got >= scoreFloor {
			t.Errorf("%v before the end of %v", got, pause)
		}
		if got := r.score(now.Add(wait), false); got >= scoreFloor && pause < time.Hour {
			t.Errorf("%v while bad conduct is held against it", got)
		}
		if got := r.score(now.Add(wait), true); got < scoreFloor {
			t.Errorf("%v after %v", got, pause)
		}
		if pause >= time.Hour {
			return
		}
		now = now.Add(pause)
		pause *= 3
	}
}

func TestRecoveryPauseIsBounded(t *testing.T) {
	r := record{malicious: true, lastFailure: t0}
	now := t0
	for range 100 {
		now = now.Add(1000 * time.Hour)
		r.condemn(now)
	}
	if got := r.recovery().Sub(now); got != 5*time.Minute*243 {
		t.Errorf("pause is %v", got)
	}
	for range 20 {
		r.success(0, now)
	}
	if r.earned(now) != scoreMalicious {
		t.Error("good deeds undo proved malice")
	}
}

func TestRelapsesAreForgivenByGoodService(t *testing.T) {
	r := record{relapses: 3}
	r.success(0, t0)
	if r.relapses != 0 {
		t.Error("not forgiven")
	}
}

// Only the time of a single request that was answered is a sample: no other
// event, and no answer without a time, moves the average. Nor does how long a
// whole sync took: nothing reports that.
func TestOnlyAnsweredRequestsMakeLatency(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	r.Success(addrA, Headers, 300*time.Millisecond, t0)
	for name, event := range map[string]func(now time.Time){
		"failure":         func(now time.Time) { r.Failure(addrA, Filters, 0, errFault, now) },
		"lack of data":    func(now time.Time) { r.Incomplete(addrA, Filters, errFault, now) },
		"false claim":     func(now time.Time) { r.ClaimFailed(addrA, now) },
		"proof":           func(now time.Time) { r.Validated(addrA, 50, now) },
		"strike":          func(now time.Time) { r.Strike(addrA, OrphanHeader, errFault, now) },
		"unmeasured":      func(now time.Time) { r.Success(addrA, Filters, 0, now) },
		"unmeasured body": func(now time.Time) { r.Delivered(addrA, Filters, 10, 0, now) },
		"another peer's":  func(now time.Time) { r.Success(addrB, Headers, time.Minute, now) },
		"reconnection": func(now time.Time) {
			r.Disconnected(addrA, nil, now)
			redial(r, addrA, 100, now)
		},
		"waiting": func(now time.Time) { r.List(now.Add(40 * time.Minute)) },
	} {
		event(t0.Add(36 * time.Second))
		if got := r.peers[addrA].record.latency; got != 300 {
			t.Errorf("%s: %v ms", name, got)
		}
	}
}

// A peer that only failed, or lied, is given another chance at score 30: after 5
// minutes, then 15, 45 ... The events that follow don't take it back at once;
// the next failure does.
func TestRehabilitation(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	score := func(at time.Time) float64 { return r.score(r.peers[addrA], at) }
	now := t0
	for _, pause := range []time.Duration{5, 15, 45, 135, 405, 1215, 1215} {
		pause *= time.Minute
		r.peers[addrA].record.condemn(now)
		for _, at := range []time.Duration{0, pause - 1} {
			if got := score(now.Add(at)); got != scoreMalicious {
				t.Errorf("score %v, %v of %v after a lie", got, at, pause)
			}
		}
		now = now.Add(pause)
		for range 3 {
			if got := score(now); got != scoreRecovered {
				t.Errorf("score %v, %v after a lie", got, pause)
			}
			r.Success(addrA, Filters, time.Second, now)
			r.Strike(addrB, OrphanHeader, errFault, now)
			now = now.Add(time.Second)
		}
	}
	// Not while anything is held against the machine: not for points, not for a
	// ban, by whatever port it was earned.
	now = now.Add(100 * time.Hour)
	r.Strike("192.0.2.1:77", OrphanHeader, errFault, now)
	if got := score(now); got != scoreMalicious {
		t.Errorf("score %v with points outstanding", got)
	}
	if got := score(now.Add(10 * time.Minute)); got != scoreRecovered {
		t.Errorf("score %v when the points have faded", got)
	}
	r.Ban("192.0.2.1", now.Add(10*time.Minute))
	if got := score(now.Add(20 * time.Minute)); got != scoreMalicious {
		t.Errorf("score %v while banned", got)
	}
}

// Persistence is a flag. No service is so good that it makes a peer persistent,
// none so bad that it ends it.
func TestNoScoreMakesAPeerPersistent(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	r.Add(addrB, true, t0)
	for range 100_000 {
		r.Success(addrA, Blocks, time.Millisecond, t0)
		r.Failure(addrB, Blocks, 0, errFault, t0)
	}
	for _, p := range r.List(t0) {
		if p.Persistent != (p.Addr == addrB) || p.Addr == addrA && p.Score != 100 || p.Addr == addrB && p.Score > 5 {
			t.Errorf("%+v", p)
		}
	}
	if addr, _ := r.NextDial(t0); addr != addrB {
		t.Errorf("dials %q before the persistent peer", addr)
	}
}

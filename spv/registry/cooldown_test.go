package registry

import (
	"math"
	"testing"
	"time"
)

func TestCooldownDoubles(t *testing.T) {
	var c cooldown
	if !c.over(t0) {
		t.Error("cooling down from the start")
	}
	for _, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
		c.failed(t0)
		want *= time.Second
		if c.over(t0.Add(want-1)) || !c.over(t0.Add(want)) {
			t.Errorf("failure %d: until %v, want %v", c.failures, c.until.Sub(t0), want)
		}
	}
	c.failures = math.MaxInt - 1
	c.failed(t0)
	if got := c.until.Sub(t0); got != 5*time.Minute {
		t.Errorf("after very many failures: %v", got)
	}
	c.succeeded()
	if !c.over(t0) {
		t.Error("still cooling down after a success")
	}
	c.failed(t0)
	if got := c.until.Sub(t0); got != 30*time.Second {
		t.Errorf("after a success and a failure: %v", got)
	}
}

func TestIncompleteOutlastsSuccess(t *testing.T) {
	var c cooldown
	c.lacks(t0)
	c.succeeded()
	if c.over(t0.Add(24*time.Hour-1)) || !c.over(t0.Add(24*time.Hour)) {
		t.Errorf("until %v", c.incomplete.Sub(t0))
	}
}

func TestCooldownsAreSeparate(t *testing.T) {
	r := fixture(t, Options{}, "192.0.2.1:1", "192.0.2.2:1")
	connectAll(t, r, 100)
	r.Success("192.0.2.1:1", Headers, 0, t0)
	r.Failure("192.0.2.1:1", Filters, errFault, t0) // score 45
	r.Incomplete("192.0.2.2:1", Blocks, errFault, t0)
	wantAddrs(t, r.Serving(Headers, 50, t0), "192.0.2.2:1", "192.0.2.1:1")
	wantAddrs(t, r.Serving(Filters, 50, t0), "192.0.2.2:1")
	wantAddrs(t, r.Serving(Blocks, 50, t0), "192.0.2.1:1")
	r.Success("192.0.2.2:1", Filters, 0, t0) // another peer's success
	wantAddrs(t, r.Serving(Filters, 50, t0), "192.0.2.2:1")
}

// A success ends the pause after failures of this peer for this kind, and no
// other: not another kind's, not another peer's, not that of missing data.
func TestSuccessClearsOnlyItsOwnCooldown(t *testing.T) {
	peers := []string{far(1), far(2), far(3)}
	for _, lucky := range peers {
		for kind := range numKinds {
			r := fixture(t, Options{}, peers...)
			connectAll(t, r, 100)
			for _, addr := range peers {
				for range 50 {
					r.peers[addr].record.success(0, t0) // so that failures don't exclude it
				}
				for k := range numKinds {
					r.Failure(addr, k, errFault, t0)
				}
			}
			r.Incomplete(far(3), Blocks, errFault, t0)
			r.Success(lucky, kind, 0, t0)
			for k := range numKinds {
				var want []string
				if k == kind && !(lucky == far(3) && k == Blocks) {
					want = []string{lucky}
				}
				wantAddrs(t, append([]string(nil), r.Serving(k, 100, t0)...), want...)
			}
		}
	}
}

func TestCooldownAfterAThousandFailures(t *testing.T) {
	var c cooldown
	for range 1000 {
		c.failed(t0)
	}
	if got := c.until.Sub(t0); got != 5*time.Minute {
		t.Errorf("pauses %v", got)
	}
	if got := doubling(time.Nanosecond, math.MaxInt, math.MaxInt64); got < 0 {
		t.Errorf("doubled to %v", got)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := range numKinds {
		if seen[k.String()] = true; k.String() == "" || len(seen) != int(k)+1 {
			t.Errorf("kind %d is %q", k, k)
		}
	}
}

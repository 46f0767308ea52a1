package registry

import (
	"math"
	"testing"
	"time"
)

// Rule 14.
func TestCooldownDoubles(t *testing.T) {
	var c cooldown
	if !c.over(t0) {
		t.Error("cooling down from the start")
	}
	for _, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
		c.failed(0, t0)
		want *= time.Second
		if c.over(t0.Add(want-1)) || !c.over(t0.Add(want)) {
			t.Errorf("failure %d: until %v, want %v", c.failures, c.until.Sub(t0), want)
		}
	}
	c.failures = math.MaxInt - 1
	c.failed(0, t0)
	if got := c.until.Sub(t0); got != 5*time.Minute {
		t.Errorf("after very many failures: %v", got)
	}
	c.succeeded()
	if !c.over(t0) {
		t.Error("still cooling down after a success")
	}
	c.failed(0, t0)
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
	r.Failure("192.0.2.1:1", Filters, 0, errFault, t0) // score 45
	r.Incomplete("192.0.2.2:1", Blocks, errFault, t0)
	wantAddrs(t, r.Serving(Headers, 50, t0), "192.0.2.2:1", "192.0.2.1:1")
	wantAddrs(t, r.Serving(Filters, 50, t0), "192.0.2.2:1")
	wantAddrs(t, r.Serving(Blocks, 50, t0), "192.0.2.1:1")
	r.Success("192.0.2.2:1", Filters, 0, t0) // another peer's success
	wantAddrs(t, r.Serving(Filters, 50, t0), "192.0.2.2:1")
}

// A success ends the pause after failures of this peer for this kind, and no
// other: not another kind's, not another peer's, not that of missing data.
// Rule 23.
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
					r.Failure(addr, k, 0, errFault, t0)
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
		c.failed(0, t0)
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

// A pause because of blocks ends when all that it was about leave the best chain.
// Rule 23.
func TestPauseEndsWithTheBranch(t *testing.T) {
	for name, tc := range map[string]struct {
		heights []uint32
		fork    uint32
		ends    bool
	}{
		"above":                 {[]uint32{700}, 699, true},
		"at the fork":           {[]uint32{700}, 700, false},
		"below":                 {[]uint32{600}, 700, false},
		"several, all above":    {[]uint32{800, 701}, 700, true},
		"several, one below":    {[]uint32{800, 600, 900}, 700, false},
		"headers have no place": {[]uint32{0}, 0, false},
	} {
		r := fixture(t, Options{}, addrA)
		connectOne(t, r, addrA, 1000)
		kind := Blocks
		if tc.heights[0] == 0 {
			kind = Headers
		}
		for _, height := range tc.heights {
			r.Failure(addrA, kind, height, errFault, t0)
		}
		now := t0.Add(time.Second)
		r.Reorganized(tc.fork, now)
		if got := r.peers[addrA].cool[kind].over(now); got != tc.ends || tc.ends != r.List(now)[0].History[0].Until.Equal(now) {
			t.Errorf("%s: over %v, %+v", name, got, r.List(now)[0].History)
		}
	}
}

// What an earlier row of failures was about is forgotten with it.
func TestRowOfFailuresStartsOver(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1000)
	r.Failure(addrA, Filters, 10, errFault, t0)
	r.Success(addrA, Filters, 0, t0)
	r.Failure(addrA, Filters, 900, errFault, t0)
	r.Reorganized(800, t0)
	if !r.peers[addrA].cool[Filters].over(t0) {
		t.Error("pauses because of a failure that a success has ended")
	}
}

// New valid headers end a pause for headers however they came, in a later
// connection too; they are no answer that makes a score.
// Rule 23.
func TestNewHeadersEndThePauseForHeaders(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1000)
	r.Failure(addrA, Headers, 0, errFault, t0)
	r.Failure(addrA, Filters, 0, errFault, t0)
	r.Disconnected(addrA, errFault, t0)
	if err := redial(r, addrA, 1000, t0); err != nil {
		t.Fatal(err)
	}
	if r.peers[addrA].cool[Headers].over(t0) {
		t.Error("a new connection has ended the pause")
	}
	before := r.score(r.peers[addrA], t0)
	r.Brought(addrA, t0)
	cool := &r.peers[addrA].cool
	if !cool[Headers].over(t0) || cool[Filters].over(t0) || r.score(r.peers[addrA], t0) != before {
		t.Errorf("%+v", *cool)
	}
}

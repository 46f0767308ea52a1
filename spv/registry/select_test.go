package registry

import (
	"math"
	"testing"
	"time"
)

func TestBestFirst(t *testing.T) {
	const c, d = "192.0.2.3:1", "192.0.2.4:1"
	r := fixture(t, Options{}, addrA, addrB, c, d)
	connectAll(t, r, 100)
	r.Validated(d, 10, t0)                      // proved progress before all
	r.Success(c, Filters, 0, t0)                // then score: 90
	r.Success(addrB, Blocks, 6*time.Second, t0) // 72
	wantAddrs(t, r.Serving(Headers, 100, t0), d, c, addrB, addrA)
	wantAddrs(t, r.Ahead(99, t0), d, c, addrB, addrA)
	wantAddrs(t, r.Ahead(100, t0))
	wantAddrs(t, r.Serving(Headers, 101, t0))
	// With equal scores the faster one, and a measured one before another.
	r.Reset("192.0.2.3")
	r.Reset("192.0.2.2")
	r.peers[c].record.latency = 20
	r.peers[addrB].record.latency = 10
	wantAddrs(t, r.Serving(Headers, 100, t0), d, addrB, c, addrA)
}

func TestOnlyEligiblePeersAreAsked(t *testing.T) {
	const persistent = "192.0.2.3:1"
	r := fixture(t, Options{}, addrA, addrB, "192.0.2.4:1")
	if err := r.Add(persistent, true, t0); err != nil {
		t.Fatal(err)
	}
	wantAddrs(t, r.Serving(Filters, 0, t0)) // nobody is connected
	for _, addr := range []string{addrA, addrB, persistent} {
		connectOne(t, r, addr, 100)
	}
	r.Failure(addrA, Headers, t0) // score 5
	r.Failure(persistent, Headers, t0)
	wantAddrs(t, r.Serving(Filters, 100, t0), addrB, persistent)
	if got := r.Target(t0); got != 100 {
		t.Errorf("target %d", got)
	}
	r.Ban(persistent, t0)
	r.Ban(addrB, t0)
	wantAddrs(t, r.Serving(Filters, 100, t0))
	if got := r.Target(t0); got != 0 {
		t.Errorf("banned peers make a target of %d", got)
	}
	wantAddrs(t, r.Serving(Filters, 100, t0.Add(5*time.Minute)), addrA)
}

// One validated answer of any kind raises the score.
func TestEveryKindOfServiceCounts(t *testing.T) {
	for kind := range numKinds {
		r := fixture(t, Options{}, addrA)
		connectAll(t, r, 1)
		r.Success(addrA, kind, 40*time.Second, t0)
		if got := r.List(t0)[0].Score; got <= scoreNeutral {
			t.Errorf("%v: score %v", kind, got)
		}
	}
}

// Among equals everybody comes first about as often.
func TestEqualsAreInRandomOrder(t *testing.T) {
	addrs := []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1"}
	r := fixture(t, Options{}, addrs...)
	dialed := make(map[string]int)
	for range 4000 {
		addr, _ := r.NextDial(t0)
		dialed[addr]++
	}
	connectAll(t, r, 100)
	asked := make(map[string]int)
	for range 4000 {
		asked[r.Serving(Filters, 100, t0)[0]]++
	}
	for _, addr := range addrs {
		for what, n := range map[string]int{"dialed": dialed[addr], "asked": asked[addr]} {
			if math.Abs(float64(n)-1000) > 150 {
				t.Errorf("%s is %s first %d times of 4000", addr, what, n)
			}
		}
	}
}

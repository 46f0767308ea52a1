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
	r.Failure(addrA, Headers, 0, errFault, t0) // score 5
	r.Failure(persistent, Headers, 0, errFault, t0)
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

// Who is asked, over all that may speak against it. One that may not be asked,
// however good it is, doesn't keep the others from being asked.
// Rule 2.
func TestWhoIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(r *Registry, addr string)
		headers bool // still asked for headers
		filters bool
	}{
		"nothing":             {func(r *Registry, addr string) {}, true, true},
		"banned":              {func(r *Registry, addr string) { r.Ban(addr, t0) }, false, false},
		"lied":                {func(r *Registry, addr string) { r.Strike(addr, BadFilter, errFault, t0); r.Unban(addr) }, false, false},
		"not connected":       {func(r *Registry, addr string) { r.Disconnected(addr, nil, t0) }, false, false},
		"cooling for headers": {func(r *Registry, addr string) { r.Failure(addr, Headers, 0, errFault, t0) }, false, true},
		"lacks filters":       {func(r *Registry, addr string) { r.Incomplete(addr, Filters, errFault, t0) }, true, false},
		"slow with filters":   {func(r *Registry, addr string) { r.Delivered(addr, Filters, 1, time.Minute, t0) }, true, false},
		"claim failed":        {func(r *Registry, addr string) { r.ClaimFailed(addr, t0) }, false, true},
		"low score": {func(r *Registry, addr string) {
			r.peers[addr].record = record{failures: 9, lastFailure: t0}
		}, false, false},
		"points only": {func(r *Registry, addr string) { r.Strike(addr, Protocol, errFault, t0) }, true, true},
	} {
		r := fixture(t, Options{}, addrA, addrB, far(3))
		connectOne(t, r, addrA, 1000) // the best in every respect
		connectOne(t, r, addrB, 100)
		connectOne(t, r, far(3), 50) // behind
		r.Validated(addrA, 60, t0)
		for range 20 {
			r.Success(addrA, Blocks, time.Millisecond, t0)
		}
		c.spoil(r, addrA)
		for _, q := range []struct {
			got   []string
			asked bool
		}{{r.Ahead(99, t0), c.headers}, {r.Serving(Filters, 100, t0), c.filters}} {
			want := []string{addrB}
			if q.asked {
				want = []string{addrA, addrB}
			}
			wantAddrs(t, q.got, want...)
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// A peer that connected at our height serves what was mined since, once it has
// shown that it has it.
// Rule 2.
func TestServingFollowsProof(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	wantAddrs(t, r.Serving(Filters, 107, t0))
	r.Validated(addrA, 107, t0)
	wantAddrs(t, r.Serving(Filters, 107, t0), addrA)
	wantAddrs(t, r.Ahead(106, t0), addrA)
}

// A claim without end gets one chance, then the peers that delivered are asked.
// Rules 2 and 22.
func TestALiarGetsOneProbe(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectOne(t, r, addrA, math.MaxInt32)
	connectOne(t, r, addrB, 101)
	r.Validated(addrB, 90, t0)
	wantAddrs(t, r.Ahead(100, t0), addrB, addrA) // who has proved more goes first
	r.ClaimFailed(addrA, t0)
	wantAddrs(t, r.Ahead(100, t0), addrB)
	if got := r.Target(t0); got != 101 {
		t.Errorf("target %d", got)
	}
	r.Validated(addrB, 101, t0)
	wantAddrs(t, r.Ahead(101, t0.Add(time.Hour)))
}

// A chain may become lower in a reorganization: that is no fault.
// Rule 14.
func TestALowerHeightIsNoFault(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	r.Disconnected(addrA, nil, t0)
	if err := redial(r, addrA, 98, t0); err != nil {
		t.Fatal(err)
	}
	if p := r.List(t0)[0]; p.AdvertisedHeight != 98 || p.Score != 50 || p.BanScore != 0 || r.Target(t0) != 98 {
		t.Errorf("%+v, target %d", p, r.Target(t0))
	}
}

// Who rests is named for the case that nobody else is left, for whatever reason it
// rests; who is banned never.
// Rule 23.
func TestThoseWhoRestAreLeft(t *testing.T) {
	for name, rest := range map[string]func(r *Registry, kind Kind){
		"failed": func(r *Registry, kind Kind) {
			r.Failure(far(1), kind, 0, errFault, t0)
			r.Success(far(1), kind+1, 0, t0)
		},
		"low score":  func(r *Registry, kind Kind) { r.Failure(far(1), kind+1, 0, errFault, t0) },
		"lacks it":   func(r *Registry, kind Kind) { r.Incomplete(far(1), kind, errFault, t0) },
		"was banned": func(r *Registry, kind Kind) { r.Strike(far(1), BadBlock, errFault, t0); r.Unban(far(1)) },
		"is slow":    func(r *Registry, kind Kind) { r.peers[far(1)].cool[kind].crawls(1, t0) },
	} {
		r := fixture(t, Options{}, far(1), far(2))
		connectAll(t, r, 100)
		rest(r, Headers)
		t.Run(name, func(t *testing.T) {
			wantAddrs(t, r.Ahead(50, t0), far(2))
			wantAddrs(t, r.Serving(Headers, 50, t0), far(2))
			wantAddrs(t, r.RestingAhead(50, t0), far(1))
			wantAddrs(t, r.RestingAhead(100, t0))
			wantAddrs(t, r.Resting(Headers, 100, t0), far(1))
			wantAddrs(t, r.Resting(Headers, 101, t0))
			r.Ban(far(1), t0)
			wantAddrs(t, r.RestingAhead(50, t0))
			wantAddrs(t, r.Resting(Headers, 100, t0))
		})
	}
}

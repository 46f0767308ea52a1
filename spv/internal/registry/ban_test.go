package registry

import (
	"testing"
	"time"
)

const addrA, addrB = "192.0.2.1:9108", "192.0.2.2:9108"

// Rule 14.
func TestEveryReasonCosts(t *testing.T) {
	for reason := range numReasons {
		if p := reason.Points(); p < 1 || p > banThreshold || reason.String() == "" {
			t.Errorf("reason %d: %d points, %q", reason, p, reason)
		}
	}
}

// Rule 14.
func TestStrikesAddUpToABan(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	for i := range 4 {
		if r.Strike(addrA, Protocol, errFault, t0) || r.Banned(addrA, t0) {
			t.Fatalf("banned at strike %d", i+1)
		}
	}
	if !r.Strike(addrA, Protocol, errFault, t0) || !r.Banned(addrA, t0) {
		t.Fatal("100 points are no ban")
	}
	if r.Strike(addrA, BadHeaders, errFault, t0) {
		t.Error("banned anew while banned")
	}
	end := t0.Add(24 * time.Hour)
	if !r.Banned(addrA, end.Add(-1)) || r.Banned(addrA, end) {
		t.Error("the ban does not last 24 hours")
	}
}

// Every way to look at a ban sees its end, and its points are gone with it.
// Rule 14.
func TestBanExpiresForAllReaders(t *testing.T) {
	before, after := t0.Add(24*time.Hour-1), t0.Add(24*time.Hour)
	setup := func() *Registry {
		r := fixture(t, Options{}, addrA)
		r.Strike(addrA, BadFilter, errFault, t0)
		return r
	}
	r := setup()
	if p := r.List(before)[0]; p.BannedUntil.IsZero() || p.BanScore != 0 && p.BanScore > 100 {
		t.Errorf("listed as %+v", p)
	}
	if p := r.List(after)[0]; !p.BannedUntil.IsZero() || p.BanScore != 0 || p.BanReasons != nil {
		t.Errorf("listed as %+v", p)
	}
	if _, ok := r.NextDial(before); ok {
		t.Error("a banned peer is dialed")
	}
	if when, ok := r.NextDialTime(before); !ok || !when.Equal(after) {
		t.Errorf("next dial at %v", when)
	}
	if addr, ok := r.NextDial(after); !ok || addr != addrA {
		t.Error("not dialed when the ban is over")
	}
	if r.Strike(addrA, Protocol, errFault, after); r.List(after)[0].BanScore != 20 {
		t.Errorf("first strike after a ban makes %d points", r.List(after)[0].BanScore)
	}
	if r = setup(); !r.Strike(addrA, BadBlock, errFault, after) {
		t.Error("a second ban is not new")
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
		if got := r.held("192.0.2.1", t0.Add(c.after)).points; got != c.want {
			t.Errorf("%d points after %v, want %d", got, c.after, c.want)
		}
	}

	c := conduct{points: 1000, asOf: t0}
	for i := range 90 {
		c.settle(t0.Add(time.Duration(i+1) * 50 * time.Second))
	}
	if c.points != 1000-75 {
		t.Errorf("%d points after 75 minutes in steps of 50 s", c.points)
	}
}

func TestBansGoByAddress(t *testing.T) {
	r := fixture(t, Options{}, addrA, "192.0.2.1:7000", addrB, "127.0.0.1:1", "127.0.0.1:2",
		"node.example:1", "node.example:2")
	r.Strike(addrA, BadFilter, errFault, t0)
	r.Strike("127.0.0.1:1", BadFilter, errFault, t0)
	r.Strike("node.example:1", BadFilter, errFault, t0)
	for addr, want := range map[string]bool{
		addrA: true, "192.0.2.1:7000": true, "192.0.2.1": true, "[::ffff:192.0.2.1]:5": true, addrB: false,
		"127.0.0.1:1": true, "127.0.0.1:2": false, "127.0.0.1": false,
		"node.example:1": true, "NODE.example:1": true, "node.example:2": false,
	} {
		if got := r.Banned(addr, t0); got != want {
			t.Errorf("%s banned: %v", addr, got)
		}
	}

	// A bare host is all its ports.
	r.Ban("127.0.0.1", t0)
	r.Ban("node.example", t0)
	if !r.Banned("127.0.0.1:2", t0) || !r.Banned("node.example:2", t0) {
		t.Error("a ban of a host leaves out its ports")
	}
	for _, addr := range []string{"127.0.0.1", "node.example", "192.0.2.1:7000"} {
		r.Unban(addr)
	}
	for _, p := range r.List(t0) {
		if !p.BannedUntil.IsZero() || r.Banned(p.Addr, t0) {
			t.Errorf("%s is still banned", p.Addr)
		}
	}
}

func TestBanByHand(t *testing.T) {
	r := fixture(t, Options{})
	r.Ban("203.0.113.9", t0)
	if err := r.Add("203.0.113.9:9108", true, t0); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.NextDial(t0); ok || !r.FirstRound() {
		t.Error("a banned persistent peer is dialed or waited for")
	}
	r.Unban("203.0.113.9:1")
	if addr, _ := r.NextDial(t0); addr != "203.0.113.9:9108" {
		t.Errorf("next dial is %q", addr)
	}
}

func TestMaliceEndsService(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	for range 50 {
		r.Success(addrA, Filters, time.Millisecond, t0)
	}
	r.Strike(addrA, BadFilter, errFault, t0)
	wantAddrs(t, r.Serving(Filters, 100, t0), addrB)
	r.Unban(addrA)
	wantAddrs(t, r.Serving(Filters, 100, t0), addrB) // still pinned to 5
	if got := r.List(t0)[0].Score; got != scoreMalicious {
		t.Errorf("score %v", got)
	}
	r.Reset(addrA)
	if got := len(r.Serving(Filters, 100, t0)); got != 2 {
		t.Errorf("%d peers serve after a reset", got)
	}
}

func TestReasonsAreBoundedAndConductIsForgotten(t *testing.T) {
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
	if len(r.conducts) != 1 {
		t.Errorf("%d records of conduct are kept", len(r.conducts))
	}
	if loaded := reload(t, r, now.Add(time.Hour)); len(loaded.conducts) != 0 {
		t.Errorf("%d records of conduct are loaded", len(loaded.conducts))
	}
}

// Each way to look at a ban sees it until its last nanosecond, and not after.
func TestEveryReaderSeesTheEndOfABan(t *testing.T) {
	const second = "192.0.2.1:2" // another port of the same machine
	end := t0.Add(24 * time.Hour)
	for name, free := range map[string]func(r *Registry, now time.Time) bool{
		"Banned":     func(r *Registry, now time.Time) bool { return !r.Banned(addrA, now) },
		"List until": func(r *Registry, now time.Time) bool { return r.List(now)[0].BannedUntil.IsZero() },
		"List points": func(r *Registry, now time.Time) bool {
			return r.List(now)[0].BanScore == 0 && r.List(now)[0].BanReasons == nil
		},
		"Ahead":   func(r *Registry, now time.Time) bool { return len(r.Ahead(0, now)) == 1 },
		"Serving": func(r *Registry, now time.Time) bool { return len(r.Serving(Blocks, 0, now)) == 1 },
		"Target":  func(r *Registry, now time.Time) bool { return r.Target(now) == 100 },
		"NextDial": func(r *Registry, now time.Time) bool {
			r.Disconnected(addrA, nil, t0)
			_, ok := r.NextDial(now)
			return ok
		},
		"NextDialTime": func(r *Registry, now time.Time) bool {
			r.Disconnected(addrA, nil, t0)
			when, _ := r.NextDialTime(now)
			return when.Equal(now)
		},
		"Connected": func(r *Registry, now time.Time) bool {
			r.Dialing(second, now)
			return r.Connected(second, Info{}, now) == nil
		},
		"Strike":    func(r *Registry, now time.Time) bool { return r.Strike(addrA, BadBlock, errFault, now) },
		"score":     func(r *Registry, now time.Time) bool { return r.score(r.peers[addrA], now) == scoreRecovered },
		"Unmarshal": func(r *Registry, now time.Time) bool { return !reload(t, r, now).Banned(addrA, now) },
	} {
		for _, c := range []struct {
			at   time.Time
			want bool
		}{{t0, false}, {end.Add(-1), false}, {end, true}, {end.Add(1), true}} {
			r := fixture(t, Options{}, addrA, second)
			connectOne(t, r, addrA, 100)
			r.Strike(addrA, BadHeaders, errFault, t0)
			for _, e := range r.order {
				e.lastSeen = c.at
			}
			if got := free(r, c.at); got != c.want {
				t.Errorf("%s, %v before the end: free %v", name, end.Sub(c.at), got)
			}
		}
	}
}

// Asking before does not make a ban count later.
func TestABanCountsAtOnce(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectAll(t, r, 100)
	for range 3 {
		if len(r.Serving(Filters, 100, t0)) != 1 || r.Banned(addrA, t0) {
			t.Fatal("not served before the ban")
		}
	}
	r.Strike(addrA, BadFilter, errFault, t0)
	if len(r.Serving(Filters, 100, t0)) != 0 || len(r.Ahead(0, t0)) != 0 || !r.Banned(addrA, t0) {
		t.Error("a banned peer is asked")
	}
}

// Neither being forgotten, nor coming back, nor another port, nor a restart
// clears what is held against a machine.
// Rule 14.
func TestWhatIsHeldAgainstAPeerOutlivesIt(t *testing.T) {
	r := fixture(t, Options{MaxPeers: 1}, addrA)
	for range 4 {
		r.Strike(addrA, Protocol, errFault, t0)
	}
	if err := r.Add(addrB, false, t0); err != nil || r.peers[addrA] != nil {
		t.Fatalf("%v; A is not forgotten", err)
	}
	r.Strike(addrB, BadHeaders, errFault, t0)
	r = reload(t, r, t0)
	r.opts.MaxPeers = 10
	for _, addr := range []string{addrA, addrB, "192.0.2.2:5"} {
		if err := r.Add(addr, true, t0); err != nil {
			t.Fatal(err)
		}
	}
	if !r.Banned(addrB, t0) || !r.Banned("192.0.2.2:5", t0) {
		t.Error("the ban is lost")
	}
	if addr, _ := r.NextDial(t0); addr != addrA {
		t.Errorf("dials %q", addr)
	}
	if !r.Strike(addrA, Protocol, errFault, t0) {
		t.Error("the points are lost")
	}
}

// Good answers in between don't save a peer that misbehaves again and again.
func TestGoodServiceDoesNotBuyOffStrikes(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectAll(t, r, 100)
	now, banned := t0, 0
	for range 20 {
		for range 10 {
			now = now.Add(time.Second)
			r.Success(addrA, Headers, time.Millisecond, now)
		}
		if r.Strike(addrA, Protocol, errFault, now) {
			banned++
		}
	}
	if banned != 1 || len(r.Ahead(0, now)) != 0 {
		t.Errorf("banned %d times, asked: %v", banned, r.Ahead(0, now))
	}
}

// That all are banned is said with the first who will not be any more, and why it is.
// Rule 23.
func TestAllBanned(t *testing.T) {
	r := fixture(t, Options{})
	if _, _, ok := r.AllBanned(t0); ok {
		t.Error("all of nobody")
	}
	r = fixture(t, Options{}, addrA, addrB)
	r.Ban(addrA, t0.Add(time.Minute))
	if addr, _, ok := r.AllBanned(t0); ok {
		t.Errorf("%s is, the other is not", addr)
	}
	r.Strike(addrB, BadBlock, errFault, t0)
	want := Event{Kind: Ban, Time: t0, Until: t0.Add(banTime), Reason: "a fault"}
	if addr, ban, ok := r.AllBanned(t0.Add(time.Minute)); !ok || addr != addrB || ban != want {
		t.Errorf("%s, %+v, %v", addr, ban, ok)
	}
	if _, _, ok := r.AllBanned(t0.Add(banTime)); ok {
		t.Error("all, after one ban has ended")
	}
	r.Add("192.0.2.9:1", false, t0)
	r.Ban("192.0.2.9", t0)
	r.opts.OnlyPersistent = true
	if _, _, ok := r.AllBanned(t0); ok {
		t.Error("all of nobody that may be dialed")
	}
}

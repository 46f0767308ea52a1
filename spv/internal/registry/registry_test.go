package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// fixture makes a registry that knows these addresses.
func fixture(t *testing.T, opts Options, addrs ...string) *Registry {
	t.Helper()
	r := New(opts, rand.New(rand.NewPCG(1, 2)))
	for _, addr := range addrs {
		if err := r.Add(addr, false, t0); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func connectOne(t *testing.T, r *Registry, addr string, height uint32) {
	t.Helper()
	if r.connected(addr) != nil {
		return
	}
	if err := redial(r, addr, height, t0); err != nil {
		t.Fatal(err)
	}
}

func redial(r *Registry, addr string, height uint32, now time.Time) error {
	if err := r.Dialing(addr, now); err != nil {
		return err
	}
	return r.Connected(addr, Info{Height: height, UserAgent: "/dcrd/", PVer: 11, Services: 1}, now)
}

func connectAll(t *testing.T, r *Registry, height uint32) {
	t.Helper()
	for _, e := range r.order {
		connectOne(t, r, e.addr, height)
	}
}

// wantAddrs compares lists; the order counts only as far as it is not random.
func wantAddrs(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAddKeepsOnePeerOnce(t *testing.T) {
	r := fixture(t, Options{}, "192.0.2.1:9108", "[::ffff:192.0.2.1]:9108", " 192.0.2.1:09108", "192.0.2.1:9109")
	if r.Len() != 2 {
		t.Errorf("%d peers", r.Len())
	}
	if err := r.Add("192.0.2.1", false, t0); !errors.Is(err, ErrAddress) {
		t.Errorf("no port: %v", err)
	}
	connectOne(t, r, addrA, 5)
	if err := r.Add(addrA, true, t0); err != nil {
		t.Fatal(err)
	}
	if p := r.List(t0)[0]; !p.Connected || !p.Persistent || !r.FirstRound() {
		t.Errorf("%+v, first round over: %v", p, r.FirstRound())
	}
}

// Rule 20.
func TestNoRoom(t *testing.T) {
	r := New(Options{MaxPeers: 6, MaxConnected: 100}, rand.New(rand.NewPCG(1, 2)))
	add := func(addr string, persistent bool) error { return r.Add(addr, persistent, t0) }
	for i := range 6 {
		if err := add(fmt.Sprintf("192.0.2.%d:1", i+1), i == 0); err != nil {
			t.Fatal(err)
		}
	}
	connectOne(t, r, "192.0.2.2:1", 1)
	r.Ban("192.0.2.3:1", t0)
	if err := r.Dialing("192.0.2.4:1", t0); err != nil {
		t.Fatal(err)
	}
	// Of the last two, the one that could not be reached goes first.
	if err := r.Dialing("192.0.2.6:1", t0); err != nil {
		t.Fatal(err)
	}
	r.DialFailed("192.0.2.6:1", errors.New("refused"), t0)
	if err := add("198.51.100.1:1", false); err != nil || r.peers["192.0.2.6:1"] != nil {
		t.Errorf("%v; the unreachable peer is still there", err)
	}
	// Then the one that served worse.
	r.Failure("192.0.2.5:1", Headers, 0, errFault, t0)
	if err := add("198.51.100.2:1", false); err != nil || r.peers["192.0.2.5:1"] != nil {
		t.Errorf("%v; the bad peer is still there", err)
	}
	for _, addr := range []string{"198.51.100.1:1", "198.51.100.2:1"} {
		connectOne(t, r, addr, 1)
	}
	if err := add("198.51.100.3:1", false); !errors.Is(err, ErrFull) {
		t.Errorf("added without room: %v", err)
	}
	if err := add("198.51.100.4:1", true); err != nil || r.Len() != 7 {
		t.Errorf("a persistent peer: %v, %d peers", err, r.Len())
	}
}

func TestResetLeavesBansAlone(t *testing.T) {
	r := fixture(t, Options{}, addrA, "192.0.2.1:2", addrB)
	for _, e := range r.order {
		r.Failure(e.addr, Filters, 0, errFault, t0)
	}
	r.Strike(addrA, Protocol, errFault, t0)
	r.Reset("192.0.2.1")
	for _, p := range r.List(t0) {
		wantScore, wantPoints := 50.0, 20
		if p.Addr == addrB {
			wantScore, wantPoints = 5, 0
		}
		if p.Score != wantScore || p.BanScore != wantPoints {
			t.Errorf("%s: score %v, %d points", p.Addr, p.Score, p.BanScore)
		}
	}
}

// After a reset a liar is believed again at once. The peer still counts as tried in this
// run.
func TestResetForgetsWhatWasClaimed(t *testing.T) {
	r := fixture(t, Options{})
	r.Add(addrA, true, t0)
	connectOne(t, r, addrA, 1000)
	r.ClaimFailed(addrA, t0)
	r.Reset(addrA)
	if !r.FirstRound() {
		t.Error("the first round has begun again")
	}
	r.Disconnected(addrA, nil, t0)
	if err := redial(r, addrA, 1000, t0); err != nil {
		t.Fatal(err)
	}
	if got := r.Claim(addrA, t0); got != 1000 {
		t.Errorf("credited with %d after a reset", got)
	}
	r.ClaimFailed(addrA, t0)
	if got := r.doubts[r.peers[addrA].key].until.Sub(t0); got != doubtMin {
		t.Errorf("doubted for %v after a reset, as if it had failed before", got)
	}
}

// sendheaders counts for one connection.
// Rule 4.
func TestSentHeadersEndsWithTheConnection(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1)
	r.SentHeaders(addrA)
	r.Disconnected(addrA, nil, t0)
	if r.List(t0)[0].SendHeaders {
		t.Error("a peer that has left has been sent sendheaders")
	}
	if err := redial(r, addrA, 1, t0); err != nil {
		t.Fatal(err)
	}
	if r.List(t0)[0].SendHeaders {
		t.Error("the new connection has been sent sendheaders")
	}
}

func TestListOrder(t *testing.T) {
	r := fixture(t, Options{}, "192.0.2.9:1", "192.0.2.1:1", "192.0.2.5:1")
	connectOne(t, r, "192.0.2.5:1", 77)
	r.SentHeaders("192.0.2.5:1")
	r.Ban("203.0.113.1", t0)
	list := r.List(t0)
	var addrs []string
	for _, p := range list {
		addrs = append(addrs, p.Addr)
	}
	wantAddrs(t, addrs, "192.0.2.5:1", "192.0.2.1:1", "192.0.2.9:1", "203.0.113.1")
	if p := list[0]; p.AdvertisedHeight != 77 || p.ValidatedHeight != 0 || p.UserAgent != "/dcrd/" ||
		p.PVer != 11 || p.Services != 1 || !p.SendHeaders || p.Score != 50 {
		t.Errorf("%+v", p)
	}
	if list[3].BannedUntil.IsZero() {
		t.Error("a ban without a peer is not listed")
	}
}

// Adding a peer again changes nothing else.
func TestAddingAgainChangesNothing(t *testing.T) {
	r := crowded(t)
	before := picture(r)
	for _, addr := range []string{addrA, addrB, far(3), far(4)} {
		if err := r.Add(addr, false, t0.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if after := picture(r); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	r.Add(addrB, true, t0)
	r.Add(addrB, false, t0)
	was := crowded(t).List(t0)
	for i, p := range r.List(t0) {
		if was[i].Persistent = p.Addr == addrB; fmt.Sprint(p) != fmt.Sprint(was[i]) {
			t.Errorf("was %+v, is %+v", was[i], p)
		}
	}
}

func TestKnown(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	r.Ban(addrB, t0)
	if !r.Known(addrA) || r.Known(addrB) {
		t.Errorf("known: %v, %v", r.Known(addrA), r.Known(addrB))
	}
}

// Every option has an effect, and its zero value a default.
func TestEveryOptionMatters(t *testing.T) {
	addrs := make([]string, 20)
	for i := range addrs {
		addrs[i] = far(i)
	}
	dials := func(opts Options) (n int) {
		r := fixture(t, opts, addrs...)
		for addr, ok := r.NextDial(t0); ok; addr, ok = r.NextDial(t0) {
			r.Dialing(addr, t0)
			n++
		}
		return n
	}
	tests := map[string]func() bool{
		"MaxConnected":   func() bool { return dials(Options{}) == 8 && dials(Options{MaxConnected: 3}) == 3 },
		"OnlyPersistent": func() bool { return dials(Options{OnlyPersistent: true}) == 0 },
		"MaxPeers": func() bool {
			many := New(Options{}, rand.New(rand.NewPCG(1, 2)))
			for i := range 1100 {
				many.Add(fmt.Sprintf("198.0.%d.%d:1", i/200, i%200), false, t0)
			}
			return many.Len() == 1000 && fixture(t, Options{MaxPeers: 4}, addrs...).Len() == 4
		},
	}
	typ := reflect.TypeFor[Options]()
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		if test := tests[name]; test == nil || !test() {
			t.Errorf("%s has no effect", name)
		}
	}
}

// Those that are chosen are the only ones to dial, at once and whatever became of them, until
// others are, or all may be dialed again.
func TestChoose(t *testing.T) {
	a, b, c, d := far(1), far(2), far(3), far(4)
	r := fixture(t, Options{MaxConnected: 3}, a, b)
	dials := func(want ...string) {
		t.Helper()
		var got []string
		for {
			addr, ok := r.NextDial(t0)
			if !ok {
				break
			}
			got = append(got, addr)
			if err := r.Dialing(addr, t0); err != nil {
				t.Fatal(err)
			}
		}
		for _, addr := range got {
			r.DialCalledOff(addr)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("dials %v, want %v", got, want)
		}
	}
	choose := func(most int, addrs ...string) {
		t.Helper()
		if err := r.Choose(addrs, most, t0); err != nil {
			t.Fatal(err)
		}
	}
	dials(a, b)
	r.Dialing(b, t0)
	r.DialFailed(b, errFault, t0)
	dials(a)
	choose(3, b, c, d)
	dials(b, c, d)
	if r.FirstRound() || r.LastError() != nil {
		t.Errorf("all of them had their chance, or failed: %v", r.LastError())
	}
	choose(1, a, b)
	dials(a) // there is one slot, and the other one is no better
	choose(4)
	dials(a, b, c, d)
	if err := r.Choose([]string{"no port"}, 1, t0); !errors.Is(err, ErrAddress) {
		t.Errorf("no address: %v", err)
	}
}

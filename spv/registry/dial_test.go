package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// middle is a source whose jitter is zero.
type middle struct{}

func (middle) Uint64() uint64 { return 1 << 63 }

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		persistent bool
		want       []float64 // seconds
		last       float64
	}{
		{false, []float64{5, 9.75, 14.2625, 18.549375}, 90},
		{true, []float64{1, 1.95, 2.8525, 3.709875}, 18},
	} {
		r := New(Options{}, rand.New(middle{}))
		if err := r.Add(addrA, c.persistent, t0); err != nil {
			t.Fatal(err)
		}
		now := t0
		for i := range 100 {
			if addr, ok := r.NextDial(now); !ok || addr != addrA {
				t.Fatalf("not dialed at %v", now)
			}
			if err := r.Dialing(addrA, now); err != nil {
				t.Fatal(err)
			}
			r.DialFailed(addrA, errors.New("refused"), now)
			want := c.last
			if i < len(c.want) {
				want = c.want[i]
			}
			next, ok := r.NextDialTime(now)
			if got := next.Sub(now).Seconds(); !ok || (i < 4 || i > 50) && diff(got, want) > 1e-6 || got > c.last {
				t.Errorf("persistent %v, dial %d: %v, want %v", c.persistent, i, got, want)
			}
			if _, ok := r.NextDial(next.Add(-1)); ok {
				t.Error("dialed before its time")
			}
			now = next
		}
		// A connection starts it over.
		if err := redial(r, addrA, 1, now); err != nil {
			t.Fatal(err)
		}
		r.Disconnected(addrA, nil, now)
		if next, _ := r.NextDialTime(now); diff(next.Sub(now).Seconds(), c.want[0]) > 1e-6 {
			t.Errorf("after a connection: %v", next.Sub(now))
		}
	}
}

func diff(a, b float64) float64 { return max(a-b, b-a) }

func TestJitterIsSmall(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	e := r.peers[addrA]
	lowest, highest := time.Hour, time.Duration(0)
	for range 1000 {
		e.dial = dialState{}
		r.back(e, t0)
		wait := e.dial.next.Sub(t0)
		lowest, highest = min(lowest, wait), max(highest, wait)
	}
	if lowest < 4800*time.Millisecond || lowest > 4850*time.Millisecond ||
		highest > 5200*time.Millisecond || highest < 5150*time.Millisecond {
		t.Errorf("between %v and %v", lowest, highest)
	}
}

// Every event in every state: what it leads to.
func TestLifeCycle(t *testing.T) {
	events := map[string]func(r *Registry) error{
		"dialing":      func(r *Registry) error { return r.Dialing(addrA, t0) },
		"failed":       func(r *Registry) error { r.DialFailed(addrA, nil, t0); return nil },
		"connected":    func(r *Registry) error { return r.Connected(addrA, Info{}, t0) },
		"disconnected": func(r *Registry) error { r.Disconnected(addrA, nil, t0); return nil },
	}
	for _, c := range []struct {
		from  state
		event string
		to    state
		err   error
	}{
		{stateIdle, "dialing", stateDialing, nil},
		{stateIdle, "failed", stateIdle, nil},
		{stateIdle, "connected", stateIdle, ErrState},
		{stateIdle, "disconnected", stateIdle, nil},
		{stateDialing, "dialing", stateDialing, ErrState},
		{stateDialing, "failed", stateIdle, nil},
		{stateDialing, "connected", stateConnected, nil},
		{stateDialing, "disconnected", stateDialing, nil},
		{stateConnected, "dialing", stateConnected, ErrState},
		{stateConnected, "failed", stateConnected, nil},
		{stateConnected, "connected", stateConnected, ErrState},
		{stateConnected, "disconnected", stateIdle, nil},
	} {
		r := fixture(t, Options{}, addrA)
		r.peers[addrA].state = c.from
		err := events[c.event](r)
		if !errors.Is(err, c.err) || r.peers[addrA].state != c.to {
			t.Errorf("%s in state %d: %v, state %d", c.event, c.from, err, r.peers[addrA].state)
		}
	}
	r := fixture(t, Options{})
	if err := r.Dialing(addrA, t0); !errors.Is(err, ErrState) {
		t.Errorf("dialing a stranger: %v", err)
	}
	if err := r.Connected(addrA, Info{}, t0); !errors.Is(err, ErrState) {
		t.Errorf("connected to a stranger: %v", err)
	}
}

func TestSlots(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 2}, addrA, addrB, "192.0.2.3:1")
	for range 2 {
		addr, ok := r.NextDial(t0)
		if !ok || r.Dialing(addr, t0) != nil {
			t.Fatal("no dial")
		}
	}
	if addr, ok := r.NextDial(t0); ok {
		t.Errorf("%s is dialed beyond the limit", addr)
	}
	if _, ok := r.NextDialTime(t0); ok {
		t.Error("a time without a slot")
	}
	for _, e := range r.order {
		if e.state == stateDialing {
			r.DialFailed(e.addr, errors.New("refused"), t0)
			break
		}
	}
	if when, ok := r.NextDialTime(t0); !ok || !when.Equal(t0) {
		t.Errorf("next dial at %v, %v", when, ok)
	}
}

func TestDialOrder(t *testing.T) {
	const good, bad, unreachable, persistent = "192.0.2.3:1", "192.0.2.4:1", "192.0.2.5:1", "192.0.2.6:1"
	r := fixture(t, Options{}, addrA, good, bad, unreachable)
	if err := r.Add(persistent, true, t0); err != nil {
		t.Fatal(err)
	}
	if err := r.Dialing(unreachable, t0); err != nil {
		t.Fatal(err)
	}
	r.DialFailed(unreachable, errors.New("refused"), t0)
	r.Success(good, Headers, 0, t0)
	r.Failure(bad, Headers, t0)
	r.Failure(persistent, Headers, t0)
	now := t0.Add(10 * time.Second)
	for _, want := range []string{persistent, good, addrA, unreachable, ""} {
		addr, ok := r.NextDial(now)
		if addr != want || ok != (want != "") {
			t.Fatalf("dials %q, want %q", addr, want)
		}
		if ok && r.Dialing(addr, now) != nil {
			t.Fatal("not dialed")
		}
	}
	// The bad one has its next chance 5 minutes after its failure.
	if when, ok := r.NextDialTime(now); !ok || !when.Equal(t0.Add(5*time.Minute)) {
		t.Errorf("next dial at %v, %v", when, ok)
	}
	if addr, _ := r.NextDial(t0.Add(5 * time.Minute)); addr != bad {
		t.Errorf("dials %q", addr)
	}
}

func TestOnlyPersistent(t *testing.T) {
	r := fixture(t, Options{OnlyPersistent: true}, addrA)
	if _, ok := r.NextDial(t0); ok {
		t.Error("dials a peer nobody named")
	}
	if err := r.Add(addrB, true, t0); err != nil {
		t.Fatal(err)
	}
	if addr, _ := r.NextDial(t0); addr != addrB {
		t.Errorf("dials %q", addr)
	}
}

func TestIncompatiblePeersAreLeftAlone(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	if err := r.Add(addrB, true, t0); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{addrA, addrB} {
		if err := r.Dialing(addr, t0); err != nil {
			t.Fatal(err)
		}
		r.DialFailed(addr, fmt.Errorf("%w: wrong network", ErrIncompatible), t0)
	}
	if got := r.peers[addrA].dial.next.Sub(t0); got != 24*time.Hour {
		t.Errorf("dialed again after %v", got)
	}
	if got := r.peers[addrB].dial.next.Sub(t0); got > 2*time.Second {
		t.Errorf("persistent peer dialed again after %v", got)
	}
}

func TestBannedWhileDialing(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	if err := r.Dialing(addrA, t0); err != nil {
		t.Fatal(err)
	}
	r.Ban(addrA, t0)
	err := r.Connected(addrA, Info{}, t0)
	if !errors.Is(err, ErrBanned) {
		t.Errorf("connected to a banned peer: %v", err)
	}
	r.DialFailed(addrA, err, t0)
	if r.peers[addrA].state != stateIdle {
		t.Error("still dialing")
	}
}

func TestFirstRound(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	if !r.FirstRound() {
		t.Error("waits for peers that are not persistent")
	}
	for _, addr := range []string{addrB, "192.0.2.3:1", "192.0.2.4:1"} {
		if err := r.Add(addr, true, t0); err != nil || r.FirstRound() {
			t.Errorf("%v; or does not wait for %s", err, addr)
		}
	}
	connectOne(t, r, addrB, 1)
	r.Dialing("192.0.2.3:1", t0)
	r.DialFailed("192.0.2.3:1", errors.New("refused"), t0)
	if r.FirstRound() {
		t.Error("one has not been tried")
	}
	r.Ban("192.0.2.4", t0)
	if !r.FirstRound() {
		t.Error("waits for a banned peer")
	}
	r.Disconnected(addrB, nil, t0)
	if !r.FirstRound() {
		t.Error("a first round can't begin again")
	}
}

func TestLastError(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	refused, gone := errors.New("refused"), errors.New("gone")
	r.Dialing(addrA, t0)
	if r.DialFailed(addrA, refused, t0); r.LastError() != refused {
		t.Errorf("last error is %v", r.LastError())
	}
	if connectOne(t, r, addrA, 1); r.LastError() != nil {
		t.Errorf("last error is %v", r.LastError())
	}
	if r.Disconnected(addrA, gone, t0); r.LastError() != gone {
		t.Errorf("last error is %v", r.LastError())
	}
}

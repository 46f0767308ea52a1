package registry

import (
	"errors"
	"testing"
	"time"
)

// The result of every event in every state. An impossible event is an error, or does
// nothing if it may be a late message about a peer that is gone.
func TestLifecycle(t *testing.T) {
	const unknown = state(99)
	states := []state{unknown, stateIdle, stateDialing, stateConnected}
	events := []struct {
		name string
		do   func(r *Registry) error
		to   map[state]state // where the state changes
		err  map[state]error
	}{
		{"dialing", func(r *Registry) error { return r.Dialing(addrA, t0) },
			map[state]state{stateIdle: stateDialing},
			map[state]error{unknown: ErrState, stateDialing: ErrState, stateConnected: ErrState}},
		{"dial failed", func(r *Registry) error { r.DialFailed(addrA, nil, t0); return nil },
			map[state]state{stateDialing: stateIdle}, nil},
		{"dial called off", func(r *Registry) error { r.DialCalledOff(addrA); return nil },
			map[state]state{stateDialing: stateIdle}, nil},
		{"connected", func(r *Registry) error { return r.Connected(addrA, Info{}, t0) },
			map[state]state{stateDialing: stateConnected},
			map[state]error{unknown: ErrState, stateIdle: ErrState, stateConnected: ErrState}},
		{"disconnected", func(r *Registry) error { r.Disconnected(addrA, nil, t0); return nil },
			map[state]state{stateConnected: stateIdle}, nil},
		{"added", func(r *Registry) error { return r.Add(addrA, false, t0) },
			map[state]state{unknown: stateIdle}, nil},
		{"added as persistent", func(r *Registry) error { return r.Add(addrA, true, t0) },
			map[state]state{unknown: stateIdle}, nil},
		{"chosen", func(r *Registry) error { return r.Choose([]string{addrA}, 1, t0) },
			map[state]state{unknown: stateIdle}, nil},
		{"reset", func(r *Registry) error { r.Reset(addrA); return nil }, nil, nil},
		{"banned", func(r *Registry) error { r.Ban(addrA, t0); return nil }, nil, nil},
		{"struck", func(r *Registry) error { r.Strike(addrA, BadBlock, errFault, t0); return nil }, nil, nil},
		{"unbanned", func(r *Registry) error { r.Unban(addrA); return nil }, nil, nil},
		{"succeeded", func(r *Registry) error { r.Success(addrA, Filters, 1, t0); return nil }, nil, nil},
		{"failed", func(r *Registry) error { r.Failure(addrA, Filters, 0, errFault, t0); return nil }, nil, nil},
		{"time passed", func(r *Registry) error { r.List(t0.Add(time.Hour)); return nil }, nil, nil},
	}
	for _, from := range states {
		for _, event := range events {
			r := fixture(t, Options{})
			if from != unknown {
				r.Add(addrA, false, t0)
				r.peers[addrA].conn.state = from
			}
			want, changes := event.to[from]
			if !changes {
				want = from
			}
			err, got := event.do(r), unknown
			if e := r.peers[addrA]; e != nil {
				got = e.conn.state
			}
			if !errors.Is(err, event.err[from]) || got != want {
				t.Errorf("%s in state %d: %v, state %d, want %v, state %d",
					event.name, from, err, got, event.err[from], want)
			}
		}
	}
}

// There are never two dials of one address, or two connections to it: the next NextDial
// names another peer, or nobody.
// Rule 1.
func TestNoParallelDialsOfOneAddress(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	for _, step := range []func() error{
		func() error { return r.Dialing(addrA, t0) },
		func() error { return r.Connected(addrA, Info{}, t0) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if addr, ok := r.NextDial(t0); ok {
			t.Errorf("%s is to be dialed again", addr)
		}
		if err := r.Dialing(addrA, t0); !errors.Is(err, ErrState) {
			t.Errorf("dialed again: %v", err)
		}
	}
	// A dial that failed is not in the way of the next.
	r.Disconnected(addrA, nil, t0)
	now := t0.Add(time.Hour)
	for range 3 {
		if err := r.Dialing(addrA, now); err != nil {
			t.Fatal(err)
		}
		r.DialFailed(addrA, errors.New("refused"), now)
	}
	if err := redial(r, addrA, 1, now); err != nil {
		t.Error(err)
	}
}

// A peer is listed as soon as it is known, and as connected at once.
func TestANewPeerIsSeenAtOnce(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	if list := r.List(t0); len(list) != 1 || list[0].Score != 50 || !list[0].LastSeen.Equal(t0) {
		t.Errorf("%+v", list)
	}
	now := t0.Add(time.Hour)
	if err := redial(r, addrA, 9, now); err != nil {
		t.Fatal(err)
	}
	if p := r.List(now)[0]; !p.Connected || p.AdvertisedHeight != 9 || !p.LastSeen.Equal(now) {
		t.Errorf("%+v", p)
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
	if r.peers[addrA].conn.state != stateIdle {
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
	if r.DialFailed(addrA, refused, t0); !errors.Is(r.LastError(), refused) {
		t.Errorf("last error is %v", r.LastError())
	}
	if connectOne(t, r, addrA, 1); r.LastError() != nil {
		t.Errorf("last error is %v", r.LastError())
	}
	if r.Disconnected(addrA, gone, t0); !errors.Is(r.LastError(), gone) {
		t.Errorf("last error is %v", r.LastError())
	}
}

package registry

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func wantChanges(t *testing.T, s *Subscription, want ...Change) {
	t.Helper()
	if got := s.Take(); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func woken(s *Subscription) bool {
	select {
	case <-s.Changed():
		return true
	default:
		return false
	}
}

func TestSubscriberIsToldWhoIsConnected(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectOne(t, r, addrA, 1)
	s := r.Subscribe()
	if !woken(s) {
		t.Error("not told that somebody is connected already")
	}
	wantChanges(t, s, Change{addrA, true})
	wantChanges(t, s)
	if woken(s) {
		t.Error("woken for nothing")
	}
	r.Dialing(addrB, t0)
	wantChanges(t, s) // up only when the handshake is over
	r.Connected(addrB, Info{}, t0)
	r.Disconnected(addrA, nil, t0)
	if !woken(s) || woken(s) {
		t.Error("not woken once for two changes")
	}
	wantChanges(t, s, Change{addrB, true}, Change{addrA, false})
}

// Rule 18.
func TestSlowSubscriberGetsWhatMatters(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectOne(t, r, addrA, 1)
	s := r.Subscribe()
	s.Take()
	for range 100 { // A is lost and made again, B comes and goes
		r.Disconnected(addrA, nil, t0)
		redial(r, addrB, 1, t0)
		redial(r, addrA, 1, t0)
		r.Disconnected(addrB, nil, t0)
	}
	wantChanges(t, s, Change{addrA, false}, Change{addrA, true})
}

// A dial that ends in a refusal was never up.
func TestRefusedPeerIsNeverUp(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	s := r.Subscribe()
	r.Dialing(addrA, t0)
	r.Ban(addrA, t0)
	r.DialFailed(addrA, r.Connected(addrA, Info{}, t0), t0)
	wantChanges(t, s)
}

func TestEndOfASubscription(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	left, stays := r.Subscribe(), r.Subscribe()
	left.Close()
	left.Close()
	connectOne(t, r, addrA, 1)
	wantChanges(t, left)
	if len(r.subs) != 1 {
		t.Errorf("%d subscriptions are kept", len(r.subs))
	}
	r.Close()
	r.Close()
	// The last news comes through, and that it was the last.
	if _, open := <-stays.Changed(); !open {
		t.Error("the last news is lost")
	}
	if _, open := <-stays.Changed(); open {
		t.Error("a channel that was closed has news")
	}
	wantChanges(t, stays, Change{addrA, true})
	late := r.Subscribe()
	if _, open := <-late.Changed(); open || late.Take() != nil {
		t.Error("subscribed to a registry that is closed")
	}
	r.Disconnected(addrA, nil, t0)
	wantChanges(t, late)
	// Loading does not open it again.
	data, err := r.Marshal(t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Unmarshal(data, t0); err != nil {
		t.Fatal(err)
	}
	if s := r.Subscribe(); !s.closed {
		t.Error("subscribed to a closed registry that has loaded")
	}
}

// Loading replaces all peers: those that were connected are not any more.
func TestLoadingEndsConnections(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	data, err := r.Marshal(t0)
	if err != nil {
		t.Fatal(err)
	}
	connectOne(t, r, addrA, 1)
	s := r.Subscribe()
	s.Take()
	if err := r.Unmarshal(data, t0); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, Change{addrA, false})
	connectOne(t, r, addrA, 1)
	wantChanges(t, s, Change{addrA, true})
}

// A reader on another goroutine, as slow as it happens to be: for each peer Up
// and Down alternate, and in the end it knows who is connected.
func TestUpAndDownAlternate(t *testing.T) {
	const peers, rounds = 6, 3000
	r := fixture(t, Options{MaxConnected: peers})
	for i := range peers {
		r.Add(far(i), false, t0)
	}
	s := r.Subscribe()
	up := make(map[string]bool)
	var reader sync.WaitGroup
	reader.Go(func() {
		for open := true; open; {
			_, open = <-s.Changed()
			told := s.Take()
			if len(told) > 2*peers {
				t.Errorf("%d changes were kept", len(told))
			}
			for _, c := range told {
				if up[c.Addr] == c.Up {
					t.Errorf("told twice in a row: %+v", c)
				}
				up[c.Addr] = c.Up
			}
		}
	})
	rng := rand.New(rand.NewPCG(5, 6))
	for range rounds {
		addr := far(rng.IntN(peers))
		if r.connected(addr) != nil {
			r.Disconnected(addr, nil, t0)
		} else if err := redial(r, addr, 1, t0); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	reader.Wait()
	for i := range peers {
		if got, want := up[far(i)], r.connected(far(i)) != nil; got != want {
			t.Errorf("%s: told connected %v, is %v", far(i), got, want)
		}
	}
}

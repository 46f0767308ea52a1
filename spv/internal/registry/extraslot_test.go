package registry

import (
	"errors"
	"testing"
	"time"
)

// However good the connected peers are, every five minutes one that was never tried is
// let in, and unless it serves better it has to go.
// Rule 22.
func TestNewFacesAreMet(t *testing.T) {
	r, now := settled(t, Options{})
	for i := range r.opts.MaxConnected {
		r.Success(far(i), Filters, time.Millisecond, now)
	}
	if r.NeedsAddresses(now) != true {
		t.Error("no address is wanted for a new face")
	}
	for i := 50; i < 53; i++ {
		r.Add(far(i), false, now)
	}
	var met []string
	for end := now.Add(20*time.Minute - 1); now.Before(end); now = now.Add(time.Second) {
		if addr, ok := r.NextEviction(now); ok {
			if addr != met[len(met)-1] {
				t.Errorf("%s is evicted, not the newcomer", addr)
			}
			r.Disconnected(addr, nil, now)
		}
		if addr, ok := r.NextDial(now); ok {
			met = append(met, addr)
			if err := redial(r, addr, 100, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(met) != 3 || met[0] == met[1] || met[1] == met[2] || met[0] == met[2] {
		t.Errorf("met %v in 20 minutes, want three", met)
	}
}

// A newcomer that delivers stays, and the worst of the others goes.
func TestNewFaceThatDeliversStays(t *testing.T) {
	r, now := settled(t, Options{}, far(50))
	for i := range r.opts.MaxConnected {
		r.Success(far(i), Filters, time.Millisecond, now)
	}
	r.Failure(far(2), Filters, 0, errFault, now)
	r.peers[far(50)].dial.tried = false
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	r.Success(far(50), Headers, time.Millisecond, now)
	if addr, _ := r.NextEviction(now.Add(trialTime)); addr != far(2) {
		t.Errorf("evicts %q", addr)
	}
}

// A stranger is let in at once if the owner wants it, although nobody could be evicted
// yet; a peer that was tried before only if the owner allows it; one for each call.
func TestStrangersOnDemand(t *testing.T) {
	r, _ := settled(t, Options{}, far(50))
	now := t0.Add(time.Second) // all connections are new
	r.TryStranger(false, now)
	if addr, ok := r.NextDial(now); ok || !r.StrangerPending() || !r.NeedsAddresses(now) {
		t.Errorf("dials %q, which was met", addr)
	}
	r.TryStranger(true, now)
	if addr, _ := r.NextDial(now); addr != far(50) {
		t.Errorf("dials %q again", addr)
	}
	if err := r.Add(far(51), false, now); err != nil {
		t.Fatal(err)
	}
	r.TryStranger(false, now)
	if addr, _ := r.NextDial(now); addr != far(51) {
		t.Errorf("dials %q", addr)
	}
	if err := redial(r, far(51), 100, now); err != nil {
		t.Fatal(err)
	}
	if addr, ok := r.NextDial(now); ok || r.StrangerPending() {
		t.Errorf("dials %q too", addr)
	}
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %q", addr)
	}
}

// One candidate at a time, and not again for 5 minutes.
func TestUpgradesAreRare(t *testing.T) {
	r, now := settled(t, Options{}, far(50), far(51))
	spoil(r, far(3), now)
	spoil(r, far(4), now)
	first, _ := r.NextDial(now)
	if err := r.Dialing(first, now); err != nil {
		t.Fatal(err)
	}
	if addr, ok := r.NextDial(now); ok {
		t.Errorf("%s and %s are after the same victim", first, addr)
	}
	if _, ok := r.NextDialTime(now); ok {
		t.Error("a time while a candidate is being dialed")
	}
	r.DialFailed(first, errors.New("refused"), now)
	if addr, ok := r.NextDial(now.Add(probePause - 1)); ok {
		t.Errorf("%s is dialed too soon", addr)
	}
	if when, ok := r.NextDialTime(now); !ok || when.Sub(now) != probePause {
		t.Errorf("looks again after %v", when.Sub(now))
	}
	now = now.Add(probePause)
	if when, ok := r.NextDialTime(now); !ok || !when.Equal(now) {
		t.Errorf("dials at %v", when)
	}
	second, _ := r.NextDial(now)
	if second == first || redial(r, second, 100, now) != nil {
		t.Fatalf("dials %q, %q before", second, first)
	}
	// Nine stand: no tenth.
	if addr, ok := r.NextDial(now.Add(time.Hour)); ok {
		t.Errorf("%s is dialed beyond the one slot more", addr)
	}
}

// Left alone with candidates as good as those connected, nothing changes. Over
// days with upgrades whenever the registry wants one, there are few.
func TestUpgradesDoNotChurn(t *testing.T) {
	r, now := settled(t, Options{}, far(50), far(51), far(52), far(53))
	spoil(r, far(3), now)
	replaced := 0
	for end := now.Add(48 * time.Hour); now.Before(end); now = now.Add(time.Minute) {
		if addr, ok := r.NextEviction(now); ok {
			r.Disconnected(addr, nil, now)
			replaced++
		}
		if addr, ok := r.NextDial(now); ok {
			if err := redial(r, addr, 100, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if replaced != 1 {
		t.Errorf("%d of 8 peers were replaced; one of them was bad", replaced)
	}
}

func TestMarginOfAnUpgrade(t *testing.T) {
	r, now := settled(t, Options{MaxConnected: 1}, far(50))
	worst := &r.peers[far(0)].service
	for _, c := range []struct {
		successes, failures uint64 // long ago: 60 s/(s+f) + 20
		want                bool
	}{{1, 5, true}, {10, 50, true}, {11, 49, false}, {1, 1, false}} { // 30, 30, 31, 50
		worst.successes, worst.failures = c.successes, c.failures
		if _, ok := r.NextDial(now); ok != c.want {
			t.Errorf("%+v, score %v: dials %v", c, r.score(r.peers[far(0)], now), ok)
		}
	}
}

// Rule 22.
func TestABetterPeerReplacesTheWorst(t *testing.T) {
	r, now := settled(t, Options{}, far(50))
	if addr, ok := r.NextDial(now); ok {
		t.Errorf("%s is no better and is dialed", addr)
	}
	spoil(r, far(3), now) // 25 now, 30 in an hour
	if addr, _ := r.NextDial(now); addr != far(50) {
		t.Fatalf("dials %q", addr)
	}
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("%s is evicted for a peer that is not there yet", addr)
	}
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	// The newcomer shows what it is worth before anybody has to go.
	now = now.Add(trialTime)
	if addr, ok := r.NextEviction(now.Add(-1)); ok {
		t.Errorf("%s is evicted before the newcomer has shown itself", addr)
	}
	for range 3 { // asked again, the same answer, whatever has changed
		if addr, _ := r.NextEviction(now); addr != far(3) {
			t.Errorf("evicts %q", addr)
		}
		for range 20 {
			r.Failure(far(4), Filters, 0, errFault, now) // worse now, but one is enough
		}
	}
	r.Disconnected(far(3), nil, now)
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %s too", addr)
	}
}

// The newcomer goes itself if it proves to be the worst.
func TestANewcomerThatDisappointsGoes(t *testing.T) {
	r, now := settled(t, Options{}, far(50))
	spoil(r, far(3), now)
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		r.Failure(far(50), Blocks, 0, errFault, now)
	}
	if addr, _ := r.NextEviction(now.Add(trialTime)); addr != far(50) {
		t.Errorf("evicts %q", addr)
	}
}

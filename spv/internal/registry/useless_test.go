package registry

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// However good the connected peers are, every five minutes one that was never
// met is let in, and unless it serves better it is the one to go.
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
	r.peers[far(50)].dial.met = false
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	r.Success(far(50), Headers, time.Millisecond, now)
	if addr, _ := r.NextEviction(now.Add(trialTime)); addr != far(2) {
		t.Errorf("evicts %q", addr)
	}
}

// A peer that was of no use is not dialed for ten minutes, and counts as no spare
// meanwhile.
// Rule 14.
func TestUselessPeerRests(t *testing.T) {
	r := fixture(t, Options{})
	r.Add(far(1), false, t0)
	if r.Spares(t0) != 1 {
		t.Errorf("%d spares", r.Spares(t0))
	}
	connectOne(t, r, far(1), 100)
	r.Disconnected(far(1), fmt.Errorf("%w: %w", ErrUseless, errors.New("no blocks")), t0)
	if _, ok := r.NextDial(t0.Add(uselessTime - 1)); ok || r.Spares(t0.Add(uselessTime-1)) != 0 {
		t.Error("dialed before its rest is over")
	}
	if addr, _ := r.NextDial(t0.Add(uselessTime)); addr != far(1) || r.Spares(t0.Add(uselessTime)) != 1 {
		t.Error("not dialed after its rest")
	}
}

func TestProved(t *testing.T) {
	r := fixture(t, Options{}, far(1))
	connectOne(t, r, far(1), 100)
	if r.Proved(far(1)) != 0 {
		t.Error("proved without proof")
	}
	r.Validated(far(1), 90, t0)
	if r.Proved(far(1)) != 90 {
		t.Error("proof is lost")
	}
}

// When nobody else is left, those are dialed again that were of no use or have
// served badly, at short intervals. A ban stays.
// Rule 23.
func TestRelent(t *testing.T) {
	for name, left := range map[string]func(r *Registry){
		"of no use":    func(r *Registry) { r.Disconnected(far(1), ErrUseless, t0) },
		"served badly": func(r *Registry) { r.Failure(far(1), Blocks, 0, errFault, t0); r.Disconnected(far(1), errFault, t0) },
	} {
		r := fixture(t, Options{}, far(1), far(2))
		connectOne(t, r, far(1), 100)
		connectOne(t, r, far(2), 100)
		r.Strike(far(2), BadBlock, errFault, t0)
		r.Disconnected(far(2), errFault, t0)
		if r.Alone() {
			t.Errorf("%s: alone, but for one that is connected", name)
		}
		left(r)
		if when, ok := r.NextDialTime(t0); !r.Alone() || !r.NeedsAddresses(t0) || !ok || when.Sub(t0) < 5*time.Minute {
			t.Errorf("%s: dialed after %v", name, when.Sub(t0))
		}
		if !r.Relent(t0) || r.Relent(t0) {
			t.Errorf("%s: relents twice or never", name)
		}
		when, ok := r.NextDialTime(t0)
		if addr, _ := r.NextDial(when); !ok || addr != far(1) || when.Sub(t0) > 2*time.Second {
			t.Errorf("%s: %s is dialed after %v", name, addr, when.Sub(t0))
		}
		if err := r.Dialing(far(1), when); err != nil {
			t.Fatal(err)
		}
		r.DialFailed(far(1), errFault, when)
		if again, _ := r.NextDialTime(when); again.Sub(when) < 4*time.Minute || !r.Relent(when) {
			t.Errorf("%s: not reached, and dialed after %v", name, again.Sub(when))
		}
		if err := redial(r, far(1), 100, when); err != nil {
			t.Fatal(err)
		}
		r.Disconnected(far(1), ErrUseless, when)
		if again, _ := r.NextDialTime(when); again.Sub(when) < 5*time.Minute {
			t.Errorf("%s: of no use again, and dialed after %v", name, again.Sub(when))
		}
	}
}

// There is nothing to relent of while all that is in the way is the wait between
// dials, nor for persistent peers.
func TestNothingToRelentOf(t *testing.T) {
	r := fixture(t, Options{}, far(1))
	r.Add(far(2), true, t0)
	connectAll(t, r, 100)
	r.Disconnected(far(1), errFault, t0)
	r.Disconnected(far(2), ErrUseless, t0)
	if r.Relent(t0) {
		t.Error("relents")
	}
}

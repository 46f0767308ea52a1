package registry

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// middle is a source whose jitter is zero.
type middle struct{}

func (middle) Uint64() uint64 { return 1 << 63 }

// far returns an address in a network group of its own.
func far(i int) string { return fmt.Sprintf("198.%d.0.1:9108", i) }

// The waits grow from 5 s to 90 s by d' = 5 s + 0.95 d, exactly, and for a
// persistent peer they are a fifth of that. Not a lower bound: each value.
func TestBackoffSequence(t *testing.T) {
	first := []time.Duration{5_000_000_000, 9_750_000_000, 14_262_500_000, 18_549_375_000, 22_621_906_250}
	for _, persistent := range []bool{false, true} {
		scale := 1.0
		if persistent {
			scale = persistentFactor
		}
		r := New(Options{}, rand.New(middle{}))
		if err := r.Add(addrA, persistent, t0); err != nil {
			t.Fatal(err)
		}
		now := t0
		for i := range 100 {
			wait := failDial(t, r, addrA, now, errors.New("refused"))
			// The closed form of the recurrence.
			want := min(100*(1-math.Pow(dialGrowth, float64(i+1))), 90) / scale
			if math.Abs(wait.Seconds()-want) > 1e-7 || i < len(first) && wait != first[i]/time.Duration(scale) {
				t.Errorf("persistent %v, dial %d: %v, want %v s", persistent, i+1, wait, want)
			}
			if top := time.Duration(90e9 / scale); wait > top || (wait == top) != (i+1 >= 45) {
				t.Errorf("persistent %v, dial %d: %v; the longest wait begins at the 45th", persistent, i+1, wait)
			}
			now = now.Add(wait)
		}
		// A connection that stands for a minute starts it over.
		if err := redial(r, addrA, 1, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(steady)
		r.Disconnected(addrA, nil, now)
		if next, _ := r.NextDialTime(now); next.Sub(now) != first[0]/time.Duration(scale) {
			t.Errorf("after a connection: %v", next.Sub(now))
		}
	}
}

// A peer that accepts and hangs up is dialed as seldom as one that can't be reached.
func TestHangingUpCountsAsAFailedDial(t *testing.T) {
	r := New(Options{}, rand.New(middle{}))
	r.Add(addrA, false, t0)
	now := t0
	for i, want := range []time.Duration{5_000_000_000, 9_750_000_000, 14_262_500_000, 5_000_000_000} {
		if err := redial(r, addrA, 1, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(steady - 1)
		if i == 3 {
			now = now.Add(1)
		}
		r.Disconnected(addrA, nil, now)
		if next, _ := r.NextDialTime(now); next.Sub(now) != want {
			t.Errorf("connection %d: dialed again after %v, want %v", i+1, next.Sub(now), want)
		}
	}
}

// failDial fails the dial that is due and returns how long the next one waits,
// after seeing that NextDial keeps to it.
func failDial(t *testing.T, r *Registry, addr string, now time.Time, err error) time.Duration {
	t.Helper()
	if got, ok := r.NextDial(now); !ok || got != addr {
		t.Fatalf("dials %q, want %s", got, addr)
	}
	if err := r.Dialing(addr, now); err != nil {
		t.Fatal(err)
	}
	r.DialFailed(addr, err, now)
	next, ok := r.NextDialTime(now)
	if _, early := r.NextDial(next.Add(-1)); !ok || early {
		t.Errorf("dialed before its time %v", next)
	}
	return next.Sub(now)
}

func TestJitterIsSmall(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	e := r.peers[addrA]
	lowest, highest := time.Hour, time.Duration(0)
	for range 1000 {
		e.dial = dialState{}
		r.scheduleRedial(e, t0)
		wait := e.dial.next.Sub(t0)
		lowest, highest = min(lowest, wait), max(highest, wait)
	}
	if lowest < 4800*time.Millisecond || lowest > 4850*time.Millisecond ||
		highest > 5200*time.Millisecond || highest < 5150*time.Millisecond {
		t.Errorf("between %v and %v", lowest, highest)
	}
}

// An incompatible peer is not dialed for a day, over a restart too, unless the user has
// named it.
func TestIncompatiblePeersAreLeftAlone(t *testing.T) {
	wrong := fmt.Errorf("%w: wrong network", ErrIncompatible)
	r := fixture(t, Options{}, addrA)
	if wait := failDial(t, r, addrA, t0, wrong); wait != 24*time.Hour {
		t.Errorf("dialed again after %v", wait)
	}
	later := t0.Add(time.Hour)
	loaded := reload(t, r, later)
	if when, ok := loaded.NextDialTime(later); !ok || !when.Equal(t0.Add(24*time.Hour)) {
		t.Errorf("after a restart dialed at %v", when)
	}
	if err := loaded.Add(addrA, true, later); err != nil {
		t.Fatal(err)
	}
	if addr, _ := loaded.NextDial(later); addr != addrA {
		t.Errorf("the user wants %s, dialed is %q", addrA, addr)
	}
	if wait := failDial(t, loaded, addrA, later, wrong); wait > 2*time.Second {
		t.Errorf("a persistent peer is dialed again after %v", wait)
	}
	// Once it is compatible the refusal is forgotten.
	if err := redial(r, addrA, 1, t0); err != nil {
		t.Fatal(err)
	}
	r.Disconnected(addrA, nil, t0)
	if when, _ := r.NextDialTime(t0); when.Sub(t0) > dialMax {
		t.Errorf("dialed again after %v", when.Sub(t0))
	}
}

// A persistent peer is dialed again at most 18 s later, however bad its record.
// Rule 23.
func TestPersistentPeersAreAlwaysRedialed(t *testing.T) {
	r := fixture(t, Options{})
	if err := r.Add(addrA, true, t0); err != nil {
		t.Fatal(err)
	}
	now := t0
	for range 200 {
		r.Failure(addrA, Filters, 0, errFault, now)
		wait := failDial(t, r, addrA, now, errors.New("refused"))
		if wait > 18*time.Second+dialJitter {
			t.Fatalf("not dialed for %v", wait)
		}
		now = now.Add(wait)
	}
}

// An unhelpful peer is not dialed for ten minutes, and is no candidate meanwhile.
// Rule 14.
func TestUnhelpfulPeerRests(t *testing.T) {
	r := fixture(t, Options{})
	r.Add(far(1), false, t0)
	if r.DialCandidates(t0) != 1 {
		t.Errorf("%d candidates", r.DialCandidates(t0))
	}
	connectOne(t, r, far(1), 100)
	r.Disconnected(far(1), fmt.Errorf("%w: %w", ErrUnhelpful, errors.New("no blocks")), t0)
	if _, ok := r.NextDial(t0.Add(unhelpfulTime - 1)); ok || r.DialCandidates(t0.Add(unhelpfulTime-1)) != 0 {
		t.Error("dialed before its rest is over")
	}
	if addr, _ := r.NextDial(t0.Add(unhelpfulTime)); addr != far(1) || r.DialCandidates(t0.Add(unhelpfulTime)) != 1 {
		t.Error("not dialed after its rest")
	}
}

// When nobody else is left, peers that were unhelpful or have served badly are dialed
// again, at short intervals. A ban stays.
// Rule 23.
func TestRetryAvoided(t *testing.T) {
	for name, left := range map[string]func(r *Registry){
		"unhelpful":    func(r *Registry) { r.Disconnected(far(1), ErrUnhelpful, t0) },
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
		if !r.RetryAvoided(t0) || r.RetryAvoided(t0) {
			t.Errorf("%s: retries twice or never", name)
		}
		when, ok := r.NextDialTime(t0)
		if addr, _ := r.NextDial(when); !ok || addr != far(1) || when.Sub(t0) > 2*time.Second {
			t.Errorf("%s: %s is dialed after %v", name, addr, when.Sub(t0))
		}
		if err := r.Dialing(far(1), when); err != nil {
			t.Fatal(err)
		}
		r.DialFailed(far(1), errFault, when)
		if again, _ := r.NextDialTime(when); again.Sub(when) < 4*time.Minute || !r.RetryAvoided(when) {
			t.Errorf("%s: not reached, and dialed after %v", name, again.Sub(when))
		}
		if err := redial(r, far(1), 100, when); err != nil {
			t.Fatal(err)
		}
		r.Disconnected(far(1), ErrUnhelpful, when)
		if again, _ := r.NextDialTime(when); again.Sub(when) < 5*time.Minute {
			t.Errorf("%s: unhelpful again, and dialed after %v", name, again.Sub(when))
		}
	}
}

// Nothing changes for peers that only wait between dials, nor for persistent peers.
func TestNothingToRetry(t *testing.T) {
	r := fixture(t, Options{}, far(1))
	r.Add(far(2), true, t0)
	connectAll(t, r, 100)
	r.Disconnected(far(1), errFault, t0)
	r.Disconnected(far(2), ErrUnhelpful, t0)
	if r.RetryAvoided(t0) {
		t.Error("retries")
	}
}

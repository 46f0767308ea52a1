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

// Who lets us connect and hangs up is met as seldom as who can't be reached.
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
		r.back(e, t0)
		wait := e.dial.next.Sub(t0)
		lowest, highest = min(lowest, wait), max(highest, wait)
	}
	if lowest < 4800*time.Millisecond || lowest > 4850*time.Millisecond ||
		highest > 5200*time.Millisecond || highest < 5150*time.Millisecond {
		t.Errorf("between %v and %v", lowest, highest)
	}
}

func TestDialOrder(t *testing.T) {
	good, bad, unreachable, persistent := far(3), far(4), far(5), far(6)
	r := fixture(t, Options{}, addrA, good, bad, unreachable)
	if err := r.Add(persistent, true, t0); err != nil {
		t.Fatal(err)
	}
	if err := r.Dialing(unreachable, t0); err != nil {
		t.Fatal(err)
	}
	r.DialFailed(unreachable, errors.New("refused"), t0)
	r.Success(good, Headers, 0, t0)
	r.Failure(bad, Headers, 0, errFault, t0)
	r.Failure(persistent, Headers, 0, errFault, t0)
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

// A peer that is no use is left alone for a day, over a restart too; one that
// the user has named is not.
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

// Rule 1.
func TestAddressesAreNeededWhenSlotsStayEmpty(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 2})
	needs := func(want bool, when time.Time, why string) {
		t.Helper()
		if r.NeedsAddresses(when) != want {
			t.Errorf("%s: %v", why, !want)
		}
	}
	needs(true, t0, "nobody is known")
	r.Add(far(1), false, t0)
	needs(false, t0, "one can be dialed")
	r.Dialing(far(1), t0)
	needs(true, t0, "a slot is free, nobody is left")
	r.DialFailed(far(1), errors.New("refused"), t0)
	needs(false, t0, "one can be dialed in 5 seconds")
	r.Ban(far(1), t0)
	needs(true, t0, "the only one is banned")
	needs(false, t0.Add(24*time.Hour-10*time.Second), "its ban ends soon")
	r.Unban(far(1))
	connectOne(t, r, far(1), 1)
	r.Add("198.1.2.3:1", false, t0)
	needs(true, t0, "the only one is in a group that is taken")
	r.Add(far(2), false, t0)
	connectOne(t, r, far(2), 1)
	needs(false, t0, "no slot is free")

	r = fixture(t, Options{OnlyPersistent: true})
	needs(false, t0, "only persistent peers are dialed")
}

// NextDial and NextDialTime agree: there is somebody at that time, and nobody
// before it.
func TestNextDialTimeIsExact(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	for name, event := range map[string]func(){
		"a failed dial": func() { r.Dialing(addrA, t0); r.DialFailed(addrA, nil, t0) },
		"a ban":         func() { r.Ban(addrA, t0) },
		"a low score":   func() { r.Failure(addrA, Filters, 0, errFault, t0) },
	} {
		r = fixture(t, Options{}, addrA)
		event()
		when, ok := r.NextDialTime(t0)
		if !ok || !when.After(t0) {
			t.Fatalf("%s: dialed at %v", name, when)
		}
		_, early := r.NextDial(when.Add(-1))
		if _, due := r.NextDial(when); early || !due {
			t.Errorf("%s: at %v: %v, just before: %v", name, when, due, early)
		}
	}
}

// An address that has delivered is dialed before any that has not, although it
// could not be reached a moment ago, and when all slots are taken it need not
// wait for its turn among strangers.
// Rule 22.
func TestWhoHasDeliveredIsDialedFirst(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 1}, addrA, far(3))
	r.Success(addrA, Filters, time.Second, t0.Add(-time.Hour))
	if err := r.Dialing(addrA, t0); err != nil {
		t.Fatal(err)
	}
	r.DialFailed(addrA, nil, t0)
	later := t0.Add(dialMax)
	if got, _ := r.NextDial(later); got != addrA {
		t.Errorf("%s is dialed first", got)
	}
	connectOne(t, r, far(3), 100)
	r.nextProbe = later.Add(time.Hour)
	r.Failure(far(3), Filters, 0, errFault, later)
	later = later.Add(trialTime)
	if got, _ := r.NextDial(later); got != addrA {
		t.Errorf("%q is dialed beside a worse one", got)
	}
}

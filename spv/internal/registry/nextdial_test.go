package registry

import (
	"errors"
	"testing"
	"time"
)

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
	r.extra.next = later.Add(time.Hour)
	r.Failure(far(3), Filters, 0, errFault, later)
	later = later.Add(trialTime)
	if got, _ := r.NextDial(later); got != addrA {
		t.Errorf("%q is dialed beside a worse one", got)
	}
}

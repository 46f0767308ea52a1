package registry

import (
	"fmt"
	"testing"
	"time"
)

// A liar is not believed again by connecting again, and doubted longer each time.
// Rule 22.
func TestDoubtsOutlastTheConnection(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	now := t0
	for _, doubt := range []time.Duration{30, 60, 120, 240, 480, 960} {
		doubt *= time.Second
		if err := redial(r, addrA, 1000, now); err != nil {
			t.Fatal(err)
		}
		if r.Claim(addrA, now) != 1000 {
			t.Fatal("no hearing")
		}
		r.ClaimFailed(addrA, now)
		r.ClaimFailed(addrA, now) // nothing left to fail
		for _, at := range []time.Duration{0, doubt - 1} {
			r.Disconnected(addrA, nil, now.Add(at))
			if err := redial(r, addrA, 1000, now.Add(at)); err != nil {
				t.Fatal(err)
			}
			if got := r.Claim(addrA, now.Add(at)); got != 0 {
				t.Errorf("credited with %d after %v", got, at)
			}
		}
		now = now.Add(doubt)
		r.Disconnected(addrA, nil, now)
	}
	// Delivering the claimed blocks clears it.
	if err := redial(r, addrA, 1000, now); err != nil {
		t.Fatal(err)
	}
	r.ClaimFailed(addrA, now)
	r.Brought(addrA, t0)
	r.Validated(addrA, 1000, now)
	r.Disconnected(addrA, nil, now)
	if err := redial(r, addrA, 1001, now); err != nil {
		t.Fatal(err)
	}
	if got := r.Claim(addrA, now); got != 1001 {
		t.Errorf("credited with %d after making good", got)
	}
}

// A host whose claim failed is doubted on any port.
// Rule 22.
func TestDoubtsGoByTheMachine(t *testing.T) {
	r := fixture(t, Options{}, addrA, "192.0.2.1:2")
	connectOne(t, r, addrA, 1000)
	r.Asked(addrA, t0.Add(claimTime))
	later := t0.Add(claimTime)
	r.Disconnected(addrA, nil, later)
	if err := redial(r, "192.0.2.1:2", 1000, later); err != nil {
		t.Fatal(err)
	}
	if got := r.Claim("192.0.2.1:2", later); got != 0 {
		t.Errorf("credited with %d under another port", got)
	}
}

// Headers that everybody has prove nothing: the doubts about a machine go on, and grow,
// even if it claims little in between.
// Rule 22.
func TestKnownHeadersEndNoDoubt(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	now := t0
	for i := range 5 {
		if err := redial(r, addrA, 1_000_000, now); err != nil {
			t.Fatal(err)
		}
		r.ClaimFailed(addrA, now)
		r.Disconnected(addrA, nil, now)
		if err := redial(r, addrA, 100, now); err != nil {
			t.Fatal(err)
		}
		r.Validated(addrA, 100, now)
		r.Disconnected(addrA, nil, now)
		if got, want := r.doubts[r.peers[addrA].key], i+1; got.failures != want {
			t.Errorf("%d failures are remembered, want %d", got.failures, want)
		}
		now = r.doubts[r.peers[addrA].key].until
	}
}

// The number of doubts is bounded: the first to end is forgotten first.
// Rule 20.
func TestDoubtsAreBounded(t *testing.T) {
	r := fixture(t, Options{})
	for i := range maxDoubts + 10 {
		r.doubts.add(fmt.Sprint(i), t0.Add(time.Duration(i)))
	}
	if _, first := r.doubts["0"]; first || len(r.doubts) != maxDoubts {
		t.Errorf("%d doubts, the oldest among them: %v", len(r.doubts), first)
	}
}

package registry

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// claimTime is how long claims count in these tests.
const claimTime = 5 * time.Second

// Rule 2.
func TestTargetIsTheHighestCredibleClaim(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	if got := r.Target(t0); got != 0 {
		t.Errorf("target %d without peers", got)
	}
	connectOne(t, r, addrA, 100)
	connectOne(t, r, addrB, math.MaxUint32)
	if got := r.Target(t0); got != math.MaxUint32 {
		t.Errorf("target %d", got)
	}

	// The liar delivers 40 headers, then nothing more.
	r.Validated(addrB, 40, t0)
	r.ClaimFailed(addrB, t0)
	if got := r.Target(t0); got != 100 {
		t.Errorf("target %d after the claim has failed", got)
	}
	if got := r.Claim(addrB, t0); got != 40 {
		t.Errorf("credited with %d", got)
	}
	wantAddrs(t, r.Ahead(40, t0), addrA)
	r.Validated(addrA, 105, t0)
	r.Validated(addrA, 90, t0)
	if got := r.Target(t0); got != 105 {
		t.Errorf("target %d", got)
	}
	r.Disconnected(addrA, nil, t0)
	if got := r.Target(t0); got != 40 {
		t.Errorf("target %d after the best has left", got)
	}
	if got := r.Claim(addrA, t0); got != 105 {
		t.Errorf("last belief in the one that left is %d", got)
	}
}

// A liar does not get another hearing by connecting again, and it takes longer
// each time.
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
	// Making good clears it.
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

func TestClaimFailedWithoutAClaim(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	r.Validated(addrA, 120, t0)
	r.ClaimFailed(addrA, t0)
	if e := r.peers[addrA]; r.doubts[e.key].failures != 0 || r.Claim(addrA, t0) != 120 {
		t.Errorf("claim %+v", e.claim)
	}
}

// Rule 3.
func TestLagging(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB, "192.0.2.3:1")
	connectOne(t, r, addrA, 94)
	connectOne(t, r, addrB, 93)
	wantAddrs(t, r.Lagging(5))
	wantAddrs(t, r.Lagging(100), addrB)
	r.Validated(addrB, 95, t0)
	wantAddrs(t, r.Lagging(100))
	wantAddrs(t, r.Lagging(math.MaxUint32), addrA, addrB)
	// A peer whose claim failed is judged by its word here: it can't be in
	// both wrongs at once.
	connectOne(t, r, "192.0.2.3:1", math.MaxUint32)
	r.ClaimFailed("192.0.2.3:1", t0)
	wantAddrs(t, r.Lagging(200), addrA, addrB)
	if got := r.Height("192.0.2.3:1"); got != math.MaxUint32 {
		t.Errorf("says %d", got)
	}
}

func TestEventsOfStrangersChangeNothing(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	for _, addr := range []string{addrA, addrB} { // known but not connected; unknown
		r.Validated(addr, 9, t0)
		r.ClaimFailed(addr, t0)
		r.SentHeaders(addr)
		r.Disconnected(addr, nil, t0)
		r.DialFailed(addr, nil, t0)
		if r.Claim(addr, t0) != 0 || r.Height(addr) != 0 {
			t.Errorf("%s has a height", addr)
		}
	}
	r.Success(addrB, Headers, 1, t0)
	r.Failure(addrB, Headers, 0, errFault, t0)
	r.Incomplete(addrB, Headers, errFault, t0)
	r.Reset(addrB)
	if r.Len() != 1 {
		t.Errorf("%d peers", r.Len())
	}
}

// What a peer has proved on a branch that lost is no reason to ask it again;
// what it still claims is.
func TestReorganized(t *testing.T) {
	var c claim
	c.connected(100, true)
	c.validate(104)
	c.reorganize(98)
	if c.credible(t0) != 98 || c.stated() != 104 {
		t.Errorf("credible %d, stated %d, want 98 and 104", c.credible(t0), c.stated())
	}
	c.connected(200, true)
	c.validate(150)
	c.reorganize(140)
	if c.credible(t0) != 200 || c.validated != 140 {
		t.Errorf("credible %d, validated %d, want 200 and 140", c.credible(t0), c.validated)
	}
}

// A claim lives as long as it brings something new: five seconds after it was
// asked for, or after it last delivered and was asked on.
// Rule 22.
func TestOnlyNewHeadersKeepAClaimAlive(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1000)
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	if r.Claim(addrA, at(time.Hour)) != 1000 {
		t.Error("a claim has ended that nobody asked about")
	}
	r.Asked(addrA, at(claimTime))
	r.Validated(addrA, 100, at(time.Second))
	r.Brought(addrA, t0) // in time
	r.Asked(addrA, at(time.Second+claimTime))
	r.Validated(addrA, 110, at(4*time.Second)) // known already
	r.Asked(addrA, at(4*time.Second+claimTime))
	if got := r.ClaimTime(at(4 * time.Second)); got != at(6*time.Second) {
		t.Errorf("ends at %v", got)
	}
	if r.Claim(addrA, at(6*time.Second-1)) != 1000 || r.Claim(addrA, at(6*time.Second)) != 110 {
		t.Error("it does not end 5 seconds after it was asked for")
	}
	if got := r.ClaimTime(at(6 * time.Second)); !got.IsZero() {
		t.Errorf("ends again at %v", got)
	}
}

// A host that has not made good is doubted under any port.
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

// Headers that everybody has make nothing good: the doubts about a machine go on,
// and grow, whatever little it claims in between.
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

// Who hangs up just before its time is over has not made good either.
// Rule 22.
func TestHangingUpSavesNoClaim(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1_000_000)
	r.Disconnected(addrA, nil, t0) // before it was asked
	if err := redial(r, addrA, 1_000_000, t0); err != nil {
		t.Fatal(err)
	}
	if r.Claim(addrA, t0) != 1_000_000 {
		t.Error("doubted although nobody had asked")
	}
	r.Asked(addrA, t0.Add(claimTime))
	later := t0.Add(claimTime - 1)
	r.Disconnected(addrA, nil, later)
	if err := redial(r, addrA, 1_000_000, later); err != nil {
		t.Fatal(err)
	}
	if got := r.Claim(addrA, later); got != 0 {
		t.Errorf("credited with %d", got)
	}
}

// The doubts remembered are bounded: the first to end is forgotten first.
// Rule 20.
func TestDoubtsAreBounded(t *testing.T) {
	r := fixture(t, Options{})
	for i := range maxDoubts + 10 {
		r.doubted(fmt.Sprint(i), t0.Add(time.Duration(i)))
	}
	if _, first := r.doubts["0"]; first || len(r.doubts) != maxDoubts {
		t.Errorf("%d doubts, the oldest among them: %v", len(r.doubts), first)
	}
}

// That we stood still ends no claim. A connection that did not outlive it leaves
// no doubt behind, and the peer may be dialed at once.
// Rule 23.
func TestAwayIsHeldAgainstNobody(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	for _, addr := range []string{addrA, addrB} {
		connectOne(t, r, addr, 100)
		r.Asked(addr, t0.Add(claimTime))
	}
	r.Away(time.Hour)
	now := t0.Add(time.Hour + time.Second)
	for _, addr := range []string{addrA, addrB} {
		if got := r.Claim(addr, now); got != 100 {
			t.Errorf("%s is credited with %d, want 100", addr, got)
		}
	}

	r.Disconnected(addrA, fmt.Errorf("%w: no answer", ErrAway), now)
	r.Disconnected(addrB, fmt.Errorf("no answer"), now)
	if addr, ok := r.NextDial(now); !ok || addr != addrA {
		t.Errorf("to be dialed: %q, want %q", addr, addrA)
	}
	connectOne(t, r, addrA, 100)
	if got := r.Claim(addrA, now); got != 100 {
		t.Errorf("credited with %d, want 100", got)
	}
}

// A claim that was asked for counts longer while the answer comes in; nothing else
// makes it.
func TestClaimCountsWhileTheAnswerComesIn(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 1000)
	r.Coming(addrA, t0.Add(time.Hour)) // nobody has asked
	if !r.Asked(addrA, t0.Add(claimTime)) || r.Asked(addrA, t0.Add(2*claimTime)) {
		t.Error("the first question is not the first")
	}
	r.Coming(addrA, t0) // no sooner
	r.Coming(addrA, t0.Add(3*claimTime))
	if now := t0.Add(3*claimTime - 1); r.Claim(addrA, now) != 1000 {
		t.Error("ended too soon")
	}
	if got := r.Claim(addrA, t0.Add(3*claimTime)); got != 0 {
		t.Errorf("credited with %d", got)
	}
}

// Who announces a block says that it has it, and may be asked for it; that is no
// proof, and no claim that anybody waits for.
// Rule 2.
func TestAnnouncedIsSaid(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	connectOne(t, r, addrA, 100)
	r.Announced(addrA, 105)
	r.Announced(addrA, 103)
	if got := r.Height(addrA); got != 105 {
		t.Errorf("says it is at %d, want 105", got)
	}
	wantAddrs(t, r.Serving(Blocks, 105, t0), addrA)
	if r.Proved(addrA) != 0 || r.Claim(addrA, t0) != 100 {
		t.Errorf("proved %d, credited with %d", r.Proved(addrA), r.Claim(addrA, t0))
	}
}

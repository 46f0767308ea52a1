package registry

import (
	"errors"
	"testing"
	"time"
)

// settled makes a registry with MaxConnected connections that have stood for a
// while, and candidates that were met before and never served anything.
func settled(t *testing.T, opts Options, candidates ...string) (*Registry, time.Time) {
	t.Helper()
	r := fixture(t, opts)
	for i := range r.opts.MaxConnected {
		if err := r.Add(far(i), false, t0); err != nil {
			t.Fatal(err)
		}
		connectOne(t, r, far(i), 100)
	}
	now := t0.Add(trialTime)
	for _, addr := range candidates {
		if err := r.Add(addr, false, now); err != nil {
			t.Fatal(err)
		}
		r.peers[addr].dial.met = true
	}
	return r, now
}

// spoil gives a peer the score 20 + 60/n - 5 (n failures to one success), far
// below a newcomer's 50.
func spoil(r *Registry, addr string, now time.Time) {
	r.Success(addr, Filters, 0, now)
	for range 5 {
		r.Failure(addr, Filters, 0, errFault, now)
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

// Somebody leaves by himself: nobody has to go.
func TestNoEvictionWhenSomebodyHasLeft(t *testing.T) {
	r, now := settled(t, Options{}, far(50))
	spoil(r, far(3), now)
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(trialTime)
	r.NextEviction(now)
	r.Disconnected(far(5), nil, now)
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %s", addr)
	}
	// The next newcomer is given its time: who was named before is not any more.
	r.Add(far(51), false, now)
	if err := redial(r, far(51), 100, now); err != nil {
		t.Fatal(err)
	}
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %s, which was named for another newcomer", addr)
	}
}

// The user keeps the one that was named: another has to go.
func TestAPeerNamedForEvictionBecomesPersistent(t *testing.T) {
	r, now := settled(t, Options{}, far(50))
	spoil(r, far(3), now)
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(trialTime)
	if addr, _ := r.NextEviction(now); addr != far(3) {
		t.Fatalf("evicts %q", addr)
	}
	r.Add(far(3), true, now)
	if addr, ok := r.NextEviction(now); !ok || addr == far(3) {
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
	worst := &r.peers[far(0)].record
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

// Two too many are one too many whatever the newcomers prove: the worst of the
// others goes at once, and only the last decision waits for them.
func TestOneOfTwoTooManyGoesAtOnce(t *testing.T) {
	r, now := settled(t, Options{MaxConnected: 3}, far(50), far(51))
	spoil(r, far(1), now)
	for _, addr := range []string{far(50), far(51)} {
		if err := redial(r, addr, 100, now); err != nil {
			t.Fatal(err)
		}
	}
	if addr, _ := r.NextEviction(now); addr != far(1) {
		t.Errorf("evicts %q", addr)
	}
	r.Disconnected(far(1), nil, now)
	if addr, ok := r.NextEviction(now.Add(trialTime - 1)); ok {
		t.Errorf("%s is evicted before the newcomers have shown themselves", addr)
	}
}

// Persistent peers stay, and only they are dialed when only they were asked for.
func TestPersistentPeersAreNeverEvicted(t *testing.T) {
	r, now := settled(t, Options{MaxConnected: 2}, far(50))
	for i := range 2 {
		r.Add(far(i), true, now)
		spoil(r, far(i), now)
	}
	if addr, ok := r.NextDial(now); ok {
		t.Errorf("%s is dialed in place of a persistent peer", addr)
	}
	// Even when, by whatever means, too many are connected.
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	r.Add(far(50), true, now)
	if addr, ok := r.NextEviction(now.Add(time.Hour)); ok {
		t.Errorf("evicts %s", addr)
	}

	r, now = settled(t, Options{MaxConnected: 2, OnlyPersistent: true}, far(50))
	spoil(r, far(0), now)
	if addr, ok := r.NextDial(now); ok {
		t.Errorf("dials %s", addr)
	}
	r.Add(far(51), true, now)
	if addr, ok := r.NextDial(now); ok {
		t.Errorf("dials %s beyond the limit", addr)
	}
	if _, ok := r.NextDialTime(now); ok {
		t.Error("looks for a better peer")
	}
}

// A peer that the user names is dialed although all slots are taken.
func TestRoomIsMadeForAPersistentPeer(t *testing.T) {
	r, now := settled(t, Options{MaxConnected: 2})
	r.Success(far(0), Headers, 0, now)
	r.Success(far(1), Headers, 0, now)
	r.Add(far(50), true, now)
	if addr, _ := r.NextDial(now); addr != far(50) {
		t.Fatalf("dials %q", addr)
	}
	if err := redial(r, far(50), 100, now); err != nil {
		t.Fatal(err)
	}
	if addr, ok := r.NextEviction(now); !ok || addr == far(50) {
		t.Errorf("evicts %q", addr)
	} else {
		r.Disconnected(addr, nil, now)
	}
	// It was not a trial of somebody better: that one may come at once.
	r.Add(far(51), false, now)
	if addr, _ := r.NextDial(now); addr != far(51) {
		t.Errorf("dials %q, not the new face", addr)
	}
}

// The order of going: needed for batches last; then score, proof, speed, age.
func TestWhoIsTheWorst(t *testing.T) {
	for name, c := range map[string]struct {
		make func(r *Registry, now time.Time)
		want string
	}{
		"score":         {func(r *Registry, now time.Time) { spoil(r, far(2), now) }, far(2)},
		"proved height": {func(r *Registry, now time.Time) { proveAllBut(r, 5, now) }, far(5)},
		"latency":       {func(r *Registry, now time.Time) { allFastBut(r, 5) }, far(5)},
		"newest":        {func(r *Registry, now time.Time) { r.peers[far(4)].since = t0.Add(1) }, far(4)},
		"new ones exempt": {func(r *Registry, now time.Time) {
			r.peers[far(2)].since = now.Add(-trialTime + 1)
			spoil(r, far(2), now)
		}, far(0)},
		"batched ones last": {func(r *Registry, now time.Time) {
			for i := range 8 {
				r.peers[far(i)].info.PVer = oldVersion
			}
			for i := range 3 {
				r.peers[far(i)].info.PVer = newVersion
				spoil(r, far(i), now)
			}
			r.peers[far(7)].since = t0.Add(1)
		}, far(7)},
	} {
		r, now := settled(t, Options{})
		now = now.Add(time.Second)
		c.make(r, now)
		if got := r.worst(now); got == nil || got.addr != c.want {
			t.Errorf("%s: %s goes, want %s", name, got.addr, c.want)
		}
	}
}

func allFastBut(r *Registry, but int) {
	for i := range 8 {
		if i != but {
			r.peers[far(i)].record.latency = 10
		}
	}
}

func proveAllBut(r *Registry, but int, now time.Time) {
	for i := range 8 {
		if i != but {
			r.Validated(far(i), 200, now)
		}
	}
}

// A stranger is let in at once if the owner wants it, although nobody could be evicted
// yet, and one that was met before only if it says so: one for each time.
func TestStrangersOnDemand(t *testing.T) {
	r, _ := settled(t, Options{}, far(50))
	now := t0.Add(time.Second) // all connections are new
	r.TryStranger(false, now)
	if addr, ok := r.NextDial(now); ok || !r.NoStranger() || !r.NeedsAddresses(now) {
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
	if addr, ok := r.NextDial(now); ok || r.NoStranger() {
		t.Errorf("dials %q too", addr)
	}
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %q", addr)
	}
}

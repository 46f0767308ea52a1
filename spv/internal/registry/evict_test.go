package registry

import (
	"testing"
	"time"
)

// settled makes a registry with MaxConnected connections that have stood for a
// while, and candidates that were tried before and never served anything.
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
		r.peers[addr].dial.tried = true
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
	// The next newcomer gets its time: the peer that was named before may stay.
	r.Add(far(51), false, now)
	if err := redial(r, far(51), 100, now); err != nil {
		t.Fatal(err)
	}
	if addr, ok := r.NextEviction(now); ok {
		t.Errorf("evicts %s, which was named for another newcomer", addr)
	}
}

// The user makes the named peer persistent: another has to go.
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

// With two too many the worst of the others goes at once: one has to go, whatever the
// newcomers prove. Only the last decision waits for them.
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
	// Even if too many are connected.
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
		"newest":        {func(r *Registry, now time.Time) { r.peers[far(4)].conn.since = t0.Add(1) }, far(4)},
		"new ones exempt": {func(r *Registry, now time.Time) {
			r.peers[far(2)].conn.since = now.Add(-trialTime + 1)
			spoil(r, far(2), now)
		}, far(0)},
		"batched ones last": {func(r *Registry, now time.Time) {
			for i := range 8 {
				r.peers[far(i)].conn.info.PVer = oldVersion
			}
			for i := range 3 {
				r.peers[far(i)].conn.info.PVer = newVersion
				spoil(r, far(i), now)
			}
			r.peers[far(7)].conn.since = t0.Add(1)
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
			r.peers[far(i)].service.latency = 10
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

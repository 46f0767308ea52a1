package registry

import (
	"errors"
	"testing"

	"github.com/decred/dcrd/wire"
)

const oldVersion, newVersion = wire.BatchedCFiltersV2Version - 1, wire.BatchedCFiltersV2Version

// arrive dials and connects a peer of some protocol version.
func arrive(r *Registry, addr string, pver uint32) error {
	if err := r.Dialing(addr, t0); err != nil {
		return err
	}
	err := r.Connected(addr, Info{PVer: pver, Height: 100}, t0)
	if err != nil {
		r.DialFailed(addr, err, t0)
	}
	return err
}

// However peers arrive, the slots for batched filters are not given away, and
// those beyond are open to everybody.
func TestSlotsAreKeptForBatchedFilters(t *testing.T) {
	for _, c := range []struct {
		max, before int // batched peers that arrive first
		want        int // old ones that are let in after them
	}{
		{8, 0, 5}, {8, 1, 5}, {8, 2, 5}, {8, 3, 5}, {8, 4, 4}, {8, 8, 0},
		{1, 0, 1}, {2, 0, 2}, {3, 0, 2}, {4, 0, 3}, {5, 0, 4}, {5, 1, 4}, {6, 0, 4}, {7, 0, 5}, {20, 0, 17},
	} {
		r := fixture(t, Options{MaxConnected: c.max})
		next := 0
		come := func(pver uint32) error {
			next++
			if err := r.Add(far(next), false, t0); err != nil {
				t.Fatal(err)
			}
			return arrive(r, far(next), pver)
		}
		for range c.before {
			if err := come(newVersion); err != nil {
				t.Fatal(err)
			}
		}
		in := 0
		for range c.max - c.before {
			err := come(oldVersion)
			if err == nil {
				in++
			} else if !errors.Is(err, ErrQuota) {
				t.Fatal(err)
			}
		}
		if in != c.want {
			t.Errorf("%+v: %d old peers are let in", c, in)
		}
		for range c.max - c.before - in {
			if err := come(newVersion); err != nil {
				t.Errorf("%+v: a batched peer is refused: %v", c, err)
			}
		}
	}
}

// When there are enough batched peers, anybody may be tried out in the slot
// beyond.
func TestTheProbeMayBeOld(t *testing.T) {
	for _, c := range []struct {
		max, batched int
		want         error
	}{{8, 3, nil}, {8, 8, nil}, {1, 0, nil}, {2, 0, nil}, {8, 2, ErrQuota}} {
		r, now := settled(t, Options{MaxConnected: c.max}, far(50))
		for i := range c.max - c.batched {
			r.peers[far(i)].info.PVer = oldVersion
		}
		spoil(r, far(0), now)
		if addr, _ := r.NextDial(now); addr != far(50) {
			t.Fatalf("dials %q", addr)
		}
		if err := arrive(r, far(50), oldVersion); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPersistentPeersAreExemptFromTheQuota(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 8})
	for i := range 8 {
		if err := r.Add(far(i), true, t0); err != nil {
			t.Fatal(err)
		}
		if err := arrive(r, far(i), oldVersion); err != nil {
			t.Errorf("peer %d: %v", i, err)
		}
	}
}

// A refused peer is not dialed again at once: its version will be the same.
func TestRefusedByTheQuotaWaits(t *testing.T) {
	r := fixture(t, Options{MaxConnected: 3}, far(1), far(2), far(3))
	for i, want := range []error{nil, nil, ErrQuota} {
		if err := arrive(r, far(i+1), oldVersion); !errors.Is(err, want) {
			t.Fatalf("peer %d: %v", i, err)
		}
	}
	if when, ok := r.NextDialTime(t0); !ok || when.Sub(t0) != quotaTime {
		t.Errorf("dialed again after %v", when.Sub(t0))
	}
	if !r.NeedsAddresses(t0) {
		t.Error("no other address is asked for")
	}
	// When an old peer has left there is room for another.
	r.Disconnected(far(1), nil, t0)
	if err := arrive(r, far(3), oldVersion); err != nil {
		t.Error(err)
	}
}

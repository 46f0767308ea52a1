package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// reload saves and loads into a registry of another run.
func reload(t *testing.T, r *Registry, now time.Time) *Registry {
	t.Helper()
	data, err := r.Marshal(t0)
	if err != nil {
		t.Fatal(err)
	}
	loaded := New(r.opts, rand.New(rand.NewPCG(3, 4)))
	if err := loaded.Add("203.0.113.200:1", false, now); err != nil { // replaced, not merged
		t.Fatal(err)
	}
	if err := loaded.Unmarshal(data, now); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return loaded
}

func TestSaveAndLoad(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB, "192.0.2.3:1")
	r.Add(addrB, true, t0)
	connectAll(t, r, 1000)
	r.Validated(addrA, 900, t0)
	r.Success(addrA, Filters, 150*time.Millisecond, t0)
	r.Failure(addrB, Filters, 0, errFault, t0)
	r.Incomplete(addrB, Blocks, errFault, t0)
	r.Strike("192.0.2.3:1", BadHeaders, errFault, t0)
	r.Strike(addrB, Protocol, errFault, t0)
	r.Ban("203.0.113.7", t0)

	now := t0.Add(time.Minute)
	loaded := reload(t, r, now)
	was, is := r.List(now), loaded.List(now)
	if len(was) != len(is) {
		t.Fatalf("%d peers of %d", len(is), len(was))
	}
	// Nothing that was only true while it ran is true now.
	for i := range was {
		was[i].Connected, was[i].Persistent = false, false
		was[i].AdvertisedHeight, was[i].ValidatedHeight = 0, 0
		was[i].History, is[i].History = nil, nil // TestHistoryIsKept
		was[i].LastSeen, is[i].LastSeen = time.Time{}, time.Time{}
		was[i].BannedUntil, is[i].BannedUntil = was[i].BannedUntil.UTC(), is[i].BannedUntil.UTC()
		if !reflect.DeepEqual(was[i], is[i]) {
			t.Errorf("was %+v\n is %+v", was[i], is[i])
		}
	}
	if loaded.Target(now) != 0 || loaded.Claim(addrA, t0) != 0 || len(loaded.Ahead(0, now)) != 0 {
		t.Error("a height of another run is believed")
	}
	if !loaded.FirstRound() {
		t.Error("persistence was saved")
	}
	end := t0.Add(24 * time.Hour)
	if !loaded.Banned("192.0.2.3:55", end.Add(-1)) || loaded.Banned("192.0.2.3:55", end) {
		t.Error("the ban does not end as it would have")
	}
}

// Rule 14.
func TestOldAddressesAreForgottenBansAreNot(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	later := t0.Add(30*24*time.Hour + time.Second)
	r.peers[addrB].lastSeen = later
	r.Ban(addrA, later)
	loaded := reload(t, r, later)
	if loaded.Len() != 1 || loaded.peers[addrB] == nil || !loaded.Banned(addrA, later) {
		t.Errorf("%d peers", loaded.Len())
	}
}

func TestLoadingTooMany(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB, "192.0.2.3:1")
	r.opts.MaxPeers = 2
	if got := reload(t, r, t0).Len(); got != 2 {
		t.Errorf("%d peers", got)
	}
}

func TestWrongClockCantLengthenABan(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	r.Ban(addrA, t0.Add(100*24*time.Hour))
	r.peers[addrA].dial.avoid = t0.Add(100 * 24 * time.Hour)
	loaded := reload(t, r, t0)
	if !loaded.Banned(addrA, t0) || loaded.Banned(addrA, t0.Add(24*time.Hour)) {
		t.Error("banned for longer than a day")
	}
	if when, _ := loaded.NextDialTime(t0); !when.Equal(t0.Add(24 * time.Hour)) {
		t.Errorf("not dialed for %v", when.Sub(t0))
	}
}

// Nor can it keep a peer from its second chance, points from fading or an
// address from being forgotten.
func TestTimesInTheFutureAreTakenAsNow(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB, far(1))
	future := t0.Add(1000 * time.Hour)
	r.Success(far(1), Filters, 0, future)
	r.Failure(addrA, Filters, 0, errFault, future)
	r.Strike(addrB, Protocol, errFault, future)
	r.peers[addrA].lastSeen = future
	loaded := reload(t, r, t0)
	if got := loaded.score(loaded.peers[addrA], t0.Add(5*time.Minute)); got != scoreRecovered {
		t.Errorf("score %v after 5 minutes", got)
	}
	if got := loaded.score(loaded.peers[far(1)], t0.Add(recent)); got != 80 {
		t.Errorf("score %v an hour later: the last success counts as recent for too long", got)
	}
	if got := loaded.List(t0.Add(20 * time.Minute))[1].BanScore; got != 0 {
		t.Errorf("%d points after 20 minutes", got)
	}
	loaded.Add(far(2), false, t0.Add(time.Hour))
	if again := reload(t, loaded, t0.Add(forgetAfter+1)); again.Len() != 1 {
		t.Errorf("%d peers are remembered too long", again.Len()-1)
	}
}

// What was true of connections in another run is not believed: nobody is
// connected or ahead, no target, nobody to ask, nothing told.
// Rule 2.
func TestNothingOfAnotherRunIsTakenForLive(t *testing.T) {
	r := crowded(t)
	r.Add(addrB, true, t0)
	r = reload(t, r, t0)
	s := r.Subscribe()
	if r.Target(t0) != 0 || r.Claim(addrA, t0) != 0 || r.Height(addrA) != 0 || s.Take() != nil || r.LastError() != nil {
		t.Error("something is believed")
	}
	wantAddrs(t, slices.Concat(r.Ahead(0, t0), r.Serving(Filters, 0, t0), r.Lagging(1000)))
	for _, p := range r.List(t0) {
		if p.Connected || p.Persistent || p.SendHeaders || p.AdvertisedHeight != 0 || p.ValidatedHeight != 0 {
			t.Errorf("%+v", p)
		}
	}
}

func TestLoadingDamage(t *testing.T) {
	for _, data := range []string{
		"", "{", "[]", "{}", `{"version":0}`, `{"version":-1}`, `{"version":"1"}`, "\x00\x01",
		`{"version":1,"peers":[{"addr":"192.0.2.1:1","last_seen":"2023-11-14T22:13:20Z"},{"addr":"192.0.2.1:1"}]}`,
		`{"version":1,"peers":[{"addr":"192.0.2.1:1","relapses":99}]}`,
		`{"version":1,"peers":[{"addr":"192.0.2.1:1","latency_ms":-1}]}`,
		`{"version":1,"peers":[{"addr":"192.0.2.1:1","last_seen":"yesterday"}]}`,
		`{"version":1,"bans":[{"key":"192.0.2.1","points":-1}]}`,
		`{"version":1,"bans":[{"key":"192.0.2.1","points":9223372036854775807,"as_of":"2023-11-14T22:13:20Z"}]}`,
		`{"version":1,"bans":[{"key":"192.0.2.1","points":1,"as_of":"2023-11-14T22:13:20Z","reasons":["1"` + strings.Repeat(`,"2"`, maxHistory) + `]}]}`,
		`{"version":1,"bans":[{"key":"a","points":1,"as_of":"2023-11-14T22:13:20Z"},{"key":"a","points":1}]}`,
	} {
		r := fixture(t, Options{}, addrA)
		r.Ban(addrB, t0)
		if err := r.Unmarshal([]byte(data), t0); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", data, err)
		}
		if r.Len() != 1 || !r.Banned(addrB, t0) {
			t.Errorf("%s: the registry has changed", data)
		}
	}
}

// Where nobody can be is left out, and the rest is loaded.
func TestLoadingWhatIsNoAddress(t *testing.T) {
	const data = `{"version":1,"peers":[{"addr":"nowhere"},{"addr":"0.0.0.0:9108"},{"addr":"192.0.2.1:09108"},{"addr":"999.1.1.1:1"},
		{"addr":"192.0.2.1:9108","last_seen":"2023-11-14T22:13:20Z"}],
		"bans":[{"key":""},{"key":"a b"},{"key":"[::1]"},{"key":"192.0.2.1:9108"},{"key":"NODE.example","until":"2123-11-14T22:13:20Z"},
		{"key":"192.0.2.2","until":"2123-11-14T22:13:20Z"}]}`
	r := fixture(t, Options{})
	if err := r.Unmarshal([]byte(data), t0); err != nil {
		t.Fatal(err)
	}
	if r.Len() != 1 || !r.Known(addrA) || len(r.conducts) != 1 || !r.Banned(addrB, t0) {
		t.Errorf("%+v", r.List(t0))
	}
}

// What a newer version has saved is neither read nor overwritten.
func TestLoadingANewerVersion(t *testing.T) {
	r := fixture(t, Options{}, addrA)
	err := r.Unmarshal([]byte(`{"version":2,"peers":{"of":"another kind"}}`), t0)
	if !errors.Is(err, ErrNewer) || r.Len() != 1 {
		t.Errorf("%v, %d peers", err, r.Len())
	}
	if _, err := r.Marshal(t0); !errors.Is(err, ErrNewer) {
		t.Errorf("saved over it: %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	r := New(Options{}, rand.New(rand.NewPCG(1, 2)))
	r.Add(addrA, false, t0)
	r.Strike(addrA, BadHeaders, errFault, t0)
	data, err := r.Marshal(t0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := New(Options{}, rand.New(rand.NewPCG(1, 2)))
		err := r.Unmarshal(data, t0)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		again := reload(t, r, t0)
		if a, b := fmt.Sprint(r.List(t0)), fmt.Sprint(again.List(t0)); a != b {
			t.Fatalf("loaded\n%s\nsaved and loaded again\n%s", a, b)
		}
	})
}

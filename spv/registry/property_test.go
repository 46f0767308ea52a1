package registry

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Whatever happens in whatever order: a banned peer is never named, a ban lasts
// until its end over saving and loading, at most MaxConnected connections are
// begun, and scores stay within bounds. A plain map of ban ends is the oracle.
func TestAnySequenceKeepsTheRules(t *testing.T) {
	for seed := range uint64(20) {
		w := &world{
			t: t, seed: seed, now: t0,
			rng:  rand.New(rand.NewPCG(seed, 7)),
			reg:  New(Options{MaxConnected: 3, MaxPeers: 12}, rand.New(rand.NewPCG(seed, 8))),
			bans: make(map[string]time.Time),
		}
		for range 400 {
			w.step()
			w.check()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}

type world struct {
	t    *testing.T
	seed uint64
	now  time.Time
	rng  *rand.Rand
	reg  *Registry
	bans map[string]time.Time // by IP address
}

func (w *world) addr() string {
	return "192.0.2." + strconv.Itoa(1+w.rng.IntN(12)) + ":" + strconv.Itoa(1+w.rng.IntN(2))
}

func (w *world) step() {
	r, addr, kind := w.reg, w.addr(), Kind(w.rng.IntN(int(numKinds)))
	height := uint32(w.rng.IntN(1000))
	switch w.rng.IntN(17) {
	case 0, 1:
		if err := r.Add(addr, w.rng.IntN(8) == 0, w.now); err != nil && !errors.Is(err, ErrFull) {
			w.t.Errorf("adding %s: %v", addr, err)
		}
	case 2, 3:
		if next, ok := r.NextDial(w.now); ok {
			if err := r.Dialing(next, w.now); err != nil {
				w.t.Errorf("named but not to be dialed: %v", err)
			}
		}
	case 4, 5:
		if err := r.Connected(addr, Info{Height: height}, w.now); err != nil {
			r.DialFailed(addr, err, w.now)
		}
	case 6:
		r.Disconnected(addr, nil, w.now)
	case 7:
		r.Success(addr, kind, time.Duration(w.rng.IntN(int(40*time.Second))), w.now)
	case 8:
		r.Failure(addr, kind, w.now)
	case 9:
		r.Incomplete(addr, kind, w.now)
	case 10:
		r.Validated(addr, uint32(w.rng.IntN(1000)), w.now)
	case 11:
		r.ClaimFailed(addr, w.now)
	case 12:
		if r.Strike(addr, Reason(w.rng.IntN(int(numReasons))), w.now) {
			w.banned(addr)
		}
	case 13:
		switch w.rng.IntN(4) {
		case 0:
			r.Ban(addr, w.now)
			w.bans[banKey(addr)] = w.now.Add(24 * time.Hour)
		case 1:
			r.Unban(addr)
			delete(w.bans, banKey(addr))
		default:
			r.Reset(addr)
		}
	case 14:
		w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(3 * time.Hour))))
	case 15:
		w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(20 * time.Second))))
	case 16:
		if w.rng.IntN(5) == 0 {
			w.reg = reload(w.t, r, w.now)
		}
	}
}

// banned notes a ban that the registry has called new.
func (w *world) banned(addr string) {
	key := banKey(addr)
	if w.now.Before(w.bans[key]) {
		w.t.Errorf("%s is banned twice", addr)
	}
	w.bans[key] = w.now.Add(24 * time.Hour)
}

func (w *world) check() {
	r, now := w.reg, w.now
	named := slices.Concat(r.Ahead(0, now), r.Serving(Headers, 0, now), r.Serving(Filters, 0, now),
		r.Serving(Blocks, 0, now))
	if addr, ok := r.NextDial(now); ok {
		named = append(named, addr)
		if when, ok := r.NextDialTime(now); !ok || !when.Equal(now) {
			w.t.Errorf("%s may be dialed now, but the time is %v", addr, when)
		}
	}
	for _, addr := range named {
		if w.now.Before(w.bans[banKey(addr)]) {
			w.t.Errorf("%s is banned and named", addr)
		}
	}
	for key, until := range w.bans {
		if got := r.Banned(key+":77", now); got != now.Before(until) {
			w.t.Errorf("%s banned: %v, its ban ends in %v", key, got, until.Sub(now))
		}
	}
	busy := 0
	for _, e := range r.order {
		if e.state != stateIdle {
			busy++
		}
	}
	if busy > 3 {
		w.t.Errorf("%d connections", busy)
	}
	for _, p := range r.List(now) {
		if p.Score < 0 || p.Score > 100 || p.BanScore < 0 || p.ValidatedHeight > p.AdvertisedHeight {
			w.t.Errorf("%+v", p)
		}
		if ban := now.Before(w.bans[banKey(p.Addr)]); ban == p.BannedUntil.IsZero() {
			w.t.Errorf("%s is listed as banned until %v", p.Addr, p.BannedUntil)
		}
	}
}

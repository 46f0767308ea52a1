package spv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// dawdler claims a million blocks and answers each getheaders after a while with
// no more than so many headers.
func dawdler(w *world, most uint32, delay time.Duration) spvtest.Behaviour {
	b := hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
		at, _ := w.chain.HeightOf(*m.BlockLocatorHashes[0])
		headers := w.chain.Headers(at+1, min(at+most, w.chain.Height()))
		time.AfterFunc(delay, func() { c.Send(headers) })
	})
	b.AdvertisedHeight = 1_000_000
	return b
}

// However many peers give a little at a time, or much slowly, the one that does
// not is found within seconds.
// Rule 22.
func TestDawdlersAreTriedTogether(t *testing.T) {
	for _, c := range []struct {
		most  uint32
		delay time.Duration
	}{
		{1, 450 * time.Millisecond},
		{100, 450 * time.Millisecond},
		{1999, 1800 * time.Millisecond},
		{2000, 1800 * time.Millisecond},
	} {
		story(t, 20_000, func(w *world) {
			for range 63 {
				w.join(dawdler(w, c.most, c.delay))
			}
			w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 300 * time.Millisecond})
			began := time.Now()
			w.start(func(cfg *spv.Config) { cfg.MaxPeers = 64 })
			w.while(func(st spv.Status) bool { return st.Filters.Through < 20_000 })
			took := time.Since(began)
			t.Logf("%d headers after %v: all filters after %v", c.most, c.delay, took)
			if took > 8*time.Second {
				t.Errorf("%d headers after %v: all filters after %v", c.most, c.delay, took)
			}
		})
	}
}

// fader answers so many getheaders well, and then everything at a rate. If it leaves it
// hangs up after a while, and begins anew when it is dialed.
type fader struct {
	good, rate    int
	wide          int // bytes a second of the good answers; 0 is no limit
	latency, dial time.Duration
	leaves        bool
}

// faderStays is how long one that leaves stays when it has become slow.
const faderStays = 5 * time.Second

func (f *fader) join(w *world) {
	p := w.join(spvtest.Behaviour{})
	good := spvtest.Behaviour{Latency: f.latency, DialLatency: f.dial, Bandwidth: f.wide}
	slow := good
	slow.Bandwidth = f.rate
	var mu sync.Mutex
	asked := 0
	good.Hook = func(c *spvtest.Client, msg wire.Message) bool {
		if _, ok := msg.(*wire.MsgGetHeaders); !ok {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if asked++; asked != f.good+1 {
			return false
		}
		p.SetBehaviour(slow)
		if f.leaves {
			time.AfterFunc(faderStays, func() {
				mu.Lock()
				defer mu.Unlock()
				asked = 0
				p.SetBehaviour(good)
				c.Close()
			})
		}
		return false
	}
	p.SetBehaviour(good)
}

// syncAmong is how long it takes until all filters are held, from when the honest peer
// was first asked for anything, which can be reached after a while.
func syncAmong(t *testing.T, c *spvtest.Chain, faders []fader, honest spvtest.Behaviour, comes time.Duration) (took time.Duration) {
	t.Helper()
	storyOn(t, c, func(w *world) {
		for i := range faders {
			faders[i].join(w)
		}
		p := w.join(honest)
		p.Refuse(comes > 0)
		time.AfterFunc(comes, func() { p.Refuse(false) })
		w.start(func(cfg *spv.Config) { cfg.MaxPeers = len(w.peers) })
		w.while(func(st spv.Status) bool { return st.Filters.Through < c.Height() })
		if log := p.Log(); len(log) > 0 {
			took = time.Since(log[0].Time)
		}
	})
	return took
}

// However many peers drip their headers, or take a second or two for what others take
// a moment, from the beginning or after good answers, the first sync takes twice what
// the one takes that does not, and ten seconds.
// Rule 22.
func TestDrippers(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(40_000)
	const wide = 100_000
	near := spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 300 * time.Millisecond}
	far, narrow := near, near
	far.Latency, narrow.Bandwidth = 200*time.Millisecond, wide
	for _, honest := range []spvtest.Behaviour{near, far, narrow} {
		alone := syncAmong(t, c, nil, honest, 0)
		for _, f := range []fader{{good: 0, rate: 4400}, {good: 2, rate: 4400}, {good: 0, rate: 200_000}} {
			f.latency, f.wide = honest.Latency/2, honest.Bandwidth*11/10
			if f.rate > wide && f.wide > 0 {
				continue // faster than the honest one
			}
			faders := make([]fader, 63)
			for i := range faders {
				faders[i] = f
			}
			took := syncAmong(t, c, faders, honest, 0)
			t.Logf("latency %v, %d bytes a second; %d good answers, then %d bytes a second: %v, alone %v",
				honest.Latency, honest.Bandwidth, f.good, f.rate, took, alone)
			if took > firstSyncFactor*alone+firstSyncMore {
				t.Errorf("too long: %v, and alone %v", took, alone)
			}
		}
	}
}

// The same with peers that are drawn: how good each is at first and how slow then,
// whether they come back, and whether the honest one comes when all have become slow.
// Rule 22.
func TestSiegeOfFaders(t *testing.T) {
	for _, seed := range adversarySeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := &draw{rand.New(rand.NewPCG(seed, 31)), nil}
			c := spvtest.NewChain(nil)
			c.Mine(d.between(10_000, 50_000))
			honest := spvtest.Behaviour{Latency: d.pause(20*time.Millisecond, 300*time.Millisecond), DialLatency: d.pause(0, 2*time.Second)}
			comes := pick(d, 0, 0, d.pause(0, 10*time.Minute))
			honest.Bandwidth = pick(d, 0, 0, d.between(50_000, 500_000))
			faders := make([]fader, pick(d, 7, 30, 63))
			one, alike := d.fader(honest), d.IntN(2) == 0
			for i := range faders {
				if faders[i] = one; !alike {
					faders[i] = d.fader(honest)
				}
			}
			alone := syncAmong(t, c, nil, honest, 0)
			took := syncAmong(t, c, faders, honest, comes)
			t.Logf("%d blocks, honest latency %v, %d bytes a second, comes after %v, %d others, alike %v, as %+v: %v, alone %v",
				c.Height(), honest.Latency, honest.Bandwidth, comes, len(faders), alike, one, took, alone)
			if took > firstSyncFactor*alone+firstSyncMore {
				t.Errorf("seed %d: %v, and alone %v", seed, took, alone)
			}
		})
	}
}

// fader draws one whose good answers take no longer than those of an honest peer.
func (d *draw) fader(honest spvtest.Behaviour) fader {
	return fader{
		good:    pick(d, 0, 1, 2, 5, 20),
		rate:    int(1000 * math.Pow(10, 3*d.Float64())),
		wide:    honest.Bandwidth * d.between(8, 30) / 10,
		latency: d.pause(0, honest.Latency),
		dial:    pick(d, 0, d.pause(0, 3*time.Second)),
		leaves:  d.IntN(3) == 0,
	}
}

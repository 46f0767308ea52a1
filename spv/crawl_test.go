package spv_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/spvtest"
)

// heardOf adds peers to the address book, each in a network of its own.
func (w *world) heardOf(book *addrbook.Book, p *spvtest.Peer) {
	n := len(w.peers)
	addr := fmt.Sprintf("%d.%d.0.1:18555", 20+n, n+1)
	w.net.Add(addr, p)
	w.peers, w.addrs = append(w.peers, p), append(w.addrs, addr)
	book.Add([]string{addr}, "seeder.example")
}

// crawlers fills the address book with adversaries that deliver all that is asked for,
// slowly, and one honest peer, which it returns with its address.
func (w *world) crawlers(seed uint64) (honest *spvtest.Peer, addr string) {
	rng := rand.New(rand.NewPCG(seed, 26))
	memory := spvtest.NewMemory(clientLimits...)
	memory.Crawl()
	book := addrbook.Open(w.dir, nil)
	for range 8 + rng.IntN(17) {
		p := spvtest.NewPeer(w.chain, spvtest.Behaviour{})
		a := spvtest.NewAdversary(p, rand.New(rand.NewPCG(rng.Uint64(), 27)), memory)
		w.heardOf(book, p)
		go a.Run(w.t.Context())
	}
	honest = spvtest.NewPeer(w.chain, spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 100 * time.Millisecond})
	w.heardOf(book, honest)
	if err := book.Close(); err != nil {
		w.t.Fatal(err)
	}
	return honest, w.addrs[len(w.addrs)-1]
}

// Peers that deliver everything, as slowly as is borne, may hold all slots. The
// honest one that the address book has is met within minutes all the same, and then
// the sync goes at its pace.
// Rule 22.
func TestSiegeOfCrawlers(t *testing.T) {
	for _, seed := range adversarySeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			story(t, 40_000, func(w *world) {
				honest, addr := w.crawlers(seed)
				began := time.Now()
				w.start(func(cfg *spv.Config) { cfg.Connect = nil })
				w.while(func(st spv.Status) bool {
					return len(honest.Clients()) == 0 && time.Since(began) < meetWithin && !st.Synced
				})
				met, st := time.Since(began), w.syncer.Status()
				if met >= meetWithin {
					t.Fatalf("seed %d: of %d adversaries, not met after %v, at %d", seed, len(w.peers)-1, met, st.Tip.Height)
				}
				w.while(func(st spv.Status) bool {
					return st.Filters.Through < 40_000 && time.Since(began) < met+time.Minute
				})
				took := time.Since(began) - met
				t.Logf("%d adversaries: met after %v, then at %d, in sync %v later", len(w.peers)-1, met, st.Tip.Height, took)
				if took > 20*time.Second {
					t.Errorf("seed %d: not all filters %v after it was met: %+v", seed, took, w.syncer.Status())
				}
				for _, c := range w.syncer.Status().CutOff {
					if c.Addr == addr {
						t.Errorf("seed %d: it was cut off: %s", seed, c.Reason)
					}
				}
			})
		})
	}
}

// Honest peers on a slow line, ours or that of each of them, are not traded for others
// that are no faster: few connections are tried, and they cost little.
// Rule 23.
func TestHonestCrawlersStay(t *testing.T) {
	for _, shared := range []bool{false, true} {
		took := make(map[int]time.Duration)
		for _, n := range []int{8, 24} {
			story(t, 20_000, func(w *world) {
				const rate = 30_000
				b := spvtest.Behaviour{Latency: 50 * time.Millisecond}
				if !shared {
					b.Bandwidth = rate
				}
				book := addrbook.Open(w.dir, nil)
				for range n {
					w.heardOf(book, spvtest.NewPeer(w.chain, b))
				}
				if err := book.Close(); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				w.start(func(cfg *spv.Config) {
					cfg.Connect = nil
					if shared {
						l := &line{turn: make(chan struct{}, 1), rate: rate}
						cfg.Dial = l.dial(cfg.Dial)
					}
				})
				w.while(func(st spv.Status) bool { return !st.Synced })
				st := w.syncer.Status()
				took[n] = time.Since(began)
				if st.Tip.Height != 20_000 || len(st.CutOff) > 2 {
					t.Errorf("shared %v, %d known: in sync at %d, cut off: %v", shared, n, st.Tip.Height, st.CutOff)
				}
			})
		}
		if t.Logf("shared %v: %v", shared, took); took[24] > took[8]*3/2 {
			t.Errorf("shared %v: %v with 24 known, and %v with 8", shared, took[24], took[8])
		}
	}
}

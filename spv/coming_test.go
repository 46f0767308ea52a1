package spv_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// line is a slow line that all connections share.
type line struct {
	turn chan struct{}
	rate int // bytes a second
}

// dial is a dialer whose connections go over the line.
func (l *line) dial(dial spv.DialFunc) spv.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &lineConn{conn, l}, nil
	}
}

type lineConn struct {
	net.Conn
	line *line
}

func (c *lineConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b[:min(len(b), 1400)])
	c.line.turn <- struct{}{}
	time.Sleep(time.Duration(n) * time.Second / time.Duration(c.line.rate))
	<-c.line.turn
	return n, err
}

// On a slow line, ours or those of all peers, nobody is blamed, and nothing is in sync
// before it is. Everything is fetched once, but for one answer by which each peer shows
// how fast it is, and three more, however long the chain.
// Rules 1, 22 and 23.
func TestSlowLine(t *testing.T) {
	const height, once, answer = 20_000, 4_520_000, 370_000 // bytes
	for _, c := range []struct {
		peers, rate int
		shared      bool
	}{
		{1, 5_000, true},
		{1, 50_000, true},
		{8, 5_000, true},
		{8, 10_000, true},
		{8, 15_000, true},
		{8, 20_000, true},
		{8, 30_000, true},
		{8, 50_000, true},
		{8, 200_000, true},
		{8, 20_000, false},
		{8, 50_000, false},
	} {
		story(t, height, func(w *world) {
			b := spvtest.Behaviour{Latency: 50 * time.Millisecond}
			if !c.shared {
				b.Bandwidth = c.rate
			}
			w.joinMany(c.peers, b)
			began := time.Now()
			w.start(func(cfg *spv.Config) {
				if c.shared {
					l := &line{turn: make(chan struct{}, 1), rate: c.rate}
					cfg.Dial = l.dial(cfg.Dial)
				}
			})
			for st := w.syncer.Status(); !st.Synced || st.Tip.Height < height; st = w.syncer.Status() {
				if st.Synced || time.Since(began) > time.Hour {
					t.Fatalf("%+v: after %v: %+v", c, time.Since(began), st)
				}
				if c.shared && c.rate < 20_000 && time.Since(began) > 10*time.Second && !strings.Contains(st.Reason, "kB a second come in") {
					t.Fatalf("%+v: after %v it is not said that the line is slow: %+v", c, time.Since(began), st)
				}
				w.pass(max(100*time.Millisecond, 5000*time.Second/time.Duration(c.rate)))
			}
			most := 1.02*once + float64((c.peers+2)*answer)
			if got := float64(w.syncer.Status().ReceivedBytes); got > most {
				t.Errorf("%+v: %.1f MB, at most %.1f", c, got/1e6, most/1e6)
			}
			if took, most := time.Since(began).Seconds(), 1.1*most/float64(c.rate)+5; took > most {
				t.Errorf("%+v: %.0f s, at most %.0f", c, took, most)
			}
			w.wantNobodyBlamed()
		})
	}
}

// wantNobodyBlamed checks that all peers have one connection, and no points.
func (w *world) wantNobodyBlamed() {
	w.t.Helper()
	for i, p := range w.peers {
		w.wantUnpunished(i)
		if n := p.Connections(); n != 1 {
			w.t.Errorf("%s was connected to %d times: %s", w.addrs[i], n, w.cutReason(i))
		}
	}
}

// The same with filters of the size that they have, and a wallet that has payments. For
// each kind of data every peer gives one answer more at most by which it shows how fast
// it is.
// Rules 1 and 23.
func TestSlowLineOfAWallet(t *testing.T) {
	c := spvtest.NewChain(nil, spvtest.FilterItems(100))
	for range 200 {
		c.Mine(49)
		c.MineBlock(c.Pay(watched, 1e8))
	}
	run := func(peers, rate int) (bytes int64) {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(0, watched)
			w.joinMany(peers, spvtest.Behaviour{Latency: 50 * time.Millisecond})
			began := time.Now()
			w.start(func(cfg *spv.Config) {
				l := &line{turn: make(chan struct{}, 1), rate: rate}
				cfg.Dial = l.dial(cfg.Dial)
			})
			for st := w.syncer.Status(); !st.Synced; st = w.syncer.Status() {
				if time.Since(began) > 2*time.Hour {
					t.Fatalf("%d peers, %d bytes a second: %+v", peers, rate, st)
				}
				w.pass(time.Second)
			}
			bytes = w.syncer.Status().ReceivedBytes
			t.Logf("%d peers, %d bytes a second: %v, %.1f MB", peers, rate, time.Since(began), float64(bytes)/1e6)
			w.wantNobodyBlamed()
		})
		return bytes
	}
	once := run(1, 1_000_000)
	for _, rate := range []int{5_000, 10_000, 15_000} {
		const answers = 370_000 + 30_000 + 50_000
		if got, most := run(8, rate), once+once/50+12*answers; got > most {
			t.Errorf("%d bytes a second: %.1f MB, at most %.1f", rate, float64(got)/1e6, float64(most)/1e6)
		}
	}
}

// Peers whose answers come in drop by drop, as on a slow line, hold up the sync
// with the one that is fast for seconds, however many they are.
// Rule 22.
func TestTricklersAreTriedTogether(t *testing.T) {
	for _, n := range []int{7, 63} {
		for _, rate := range []int{5_000, 30_000} {
			story(t, 40_000, func(w *world) {
				w.joinMany(n, spvtest.Behaviour{Bandwidth: rate, AdvertisedHeight: 1_000_000})
				w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 300 * time.Millisecond})
				began := time.Now()
				w.start(func(cfg *spv.Config) { cfg.MaxPeers = n + 1 })
				w.while(func(st spv.Status) bool { return st.Filters.Through < 40_000 })
				filters := time.Since(began)
				w.sync()
				if synced := time.Since(began); filters > 10*time.Second || synced > 16*time.Second {
					t.Errorf("%d peers with %d bytes a second: all filters after %v, synced after %v", n, rate, filters, synced)
				}
			})
		}
	}
}

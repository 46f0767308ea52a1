package spv_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// cutAfter is when a peer was cut off, counted from a moment; not ok if it was
// not.
func (w *world) cutAfter(i int, from time.Time) (at time.Duration, ok bool) {
	for _, c := range w.syncer.Status().CutOff {
		if c.Addr == w.addrs[i] {
			return c.Time.Sub(from), true
		}
	}
	return 0, false
}

func silent(commands ...string) spvtest.Behaviour {
	b := spvtest.Behaviour{Silent: make(map[string]bool)}
	for _, c := range commands {
		b.Silent[c] = true
	}
	return b
}

// A peer that does not answer getheaders: if nobody has shown how fast it could
// be, another is asked after half a second.
// Rule 1.
func TestSilenceAboutHeaders(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(silent(wire.CmdGetHeaders))
		w.join(spvtest.Behaviour{DialLatency: 10 * time.Millisecond})
		w.start()
		w.pass(500*time.Millisecond - 1)
		if n := w.peers[1].Count(wire.CmdGetHeaders); n != 0 {
			t.Error("the other peer was asked before 500ms")
		}
		w.pass(time.Nanosecond)
		if n := len(w.headerRequests(1)); n != 1 {
			t.Errorf("the other peer got %d getheaders after 500ms", n)
		}
		if st := w.syncer.Status(); st.Tip.Height != 100 {
			t.Errorf("at %d", st.Tip.Height)
		}
	})
}

// Filters that do not come are asked of another peer: half a second after the
// request if none for filters was answered yet; 70 milliseconds after it (twice
// the time, and 50) if the other one is known to take 10. The first peer's requests
// go out 20 milliseconds after the start: after its handshake and its headers.
// Rule 1.
func TestSilenceAboutFilters(t *testing.T) {
	const ms = time.Millisecond
	for height, late := range map[int]time.Duration{
		299: 520 * ms, // three requests, all at the silent peer
		399: 90 * ms,  // the fourth goes to the other one
	} {
		story(t, height, func(w *world) {
			b := silent(wire.CmdGetCFiltersV2)
			b.Latency = 10 * ms
			w.join(b)
			w.join(spvtest.Behaviour{Latency: 10 * ms, DialLatency: 20 * ms})
			began := time.Now()
			w.start()
			w.pass(late - 1)
			if n := w.peers[1].FilterRequests(1); n != 0 {
				t.Errorf("height %d: asked of the other before %v", height, late)
			}
			w.pass(time.Nanosecond)
			if n := w.peers[1].FilterRequests(1); n != 1 {
				t.Errorf("height %d: asked of the other %d times after %v", height, n, late)
			}
			w.sync()
			if took := time.Since(began); took != late+10*ms {
				t.Errorf("height %d: synced after %v", height, took)
			}
		})
	}
}

// If there is nobody else, a peer has 30 seconds to answer, whatever for.
func TestSilenceOfTheOnlyPeer(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(20)
	c.MineBlock(c.Pay(watched, 1e8))
	for _, command := range []string{wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetData} {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(0, watched)
			w.join(silent(command))
			began := time.Now()
			w.start()
			w.pass(30*time.Second - 1)
			if _, cut := w.cutAfter(0, began); cut || w.total(command) != 1 {
				t.Errorf("%s: sent %d times in 30s, cut off %v", command, w.total(command), cut)
			}
			w.pass(time.Nanosecond)
			if at, _ := w.cutAfter(0, began); at != 30*time.Second || !strings.Contains(w.cutReason(0), "does not answer") {
				t.Errorf("%s: cut off after %v: %s", command, at, w.cutReason(0))
			}
			if st := w.syncer.Status(); st.Synced || st.Phase != spv.Connecting {
				t.Errorf("%s: %+v", command, st)
			}
		})
	}
}

// What a peer was doing when it went away is given to another at that instant.
// Rule 1.
func TestWorkOfALostPeerIsGivenOn(t *testing.T) {
	ways := map[string]func(*world){
		"lost":   func(w *world) { w.peers[0].Disconnect() },
		"banned": func(w *world) { w.syncer.BanPeer(w.t.Context(), w.addrs[0]) },
	}
	for name, lose := range ways {
		t.Run(name, func(t *testing.T) {
			story(t, 299, func(w *world) {
				w.join(silent(wire.CmdGetCFiltersV2))
				w.join(spvtest.Behaviour{DialLatency: 10 * time.Millisecond})
				w.start()
				w.pass(40 * time.Millisecond)
				if w.syncer.Status().Peers != 2 || w.peers[1].FilterRequests(1) != 0 {
					t.Fatal("the story begins elsewhere")
				}
				before := time.Now()
				w.peers[0].Refuse(true)
				lose(w)
				w.sync()
				if took := time.Since(before); took != 0 {
					t.Errorf("synced %v later", took)
				}
			})
		})
	}
}

// Answers that come when somebody else has answered long ago are no fault.
// Rule 5.
func TestLateAnswersAreNoFault(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(999)
	c.MineBlock(c.Pay(watched, 1e8))
	c.Mine(500)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.join(spvtest.Behaviour{})
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		synctest.Wait()
		for _, p := range w.peers[1:] {
			p.SetBehaviour(spvtest.Behaviour{Latency: 12 * time.Second})
		}
		w.sync()
		w.pass(10 * time.Minute)
		for i := range w.peers {
			w.wantUnpunished(i)
			if n := w.peers[i].Connections(); n != 1 {
				t.Errorf("peer %d was connected to %d times", i, n)
			}
		}
		w.wantMatches(c, 1000)
	})
}

// A peer on a slow line keeps what it can do, and the fast one does the rest.
// Rule 1.
func TestSlowPeersWorkGoesToTheFast(t *testing.T) {
	story(t, 6000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond})
		w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, Bandwidth: 1000})
		began := time.Now()
		w.start()
		w.sync()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("synced after %v", took)
		}
		if n := w.peers[1].FiltersRequested(); n == 0 || n > 1000 {
			t.Errorf("the slow peer was asked for %d filters", n)
		}
		w.wantUnpunished(1)
	})
}

// A peer that has nothing new to say for hours stays connected.
func TestQuietPeerStays(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		before := w.asked()
		w.pass(3 * time.Hour)
		if st := w.syncer.Status(); !st.Synced || w.peers[0].Connections() != 1 || w.asked() != before {
			t.Errorf("%d connections, %d requests, %+v", w.peers[0].Connections(), w.asked()-before, st)
		}
	})
}

// Settled waits 3 seconds for a peer that does not answer the getheaders that
// came with its sendheaders, and not for one that does.
func TestSettledWaitsThreeSeconds(t *testing.T) {
	for want, b := range map[time.Duration]spvtest.Behaviour{
		0:               {},
		3 * time.Second: silent(wire.CmdGetHeaders),
	} {
		story(t, 100, func(w *world) {
			w.join(spvtest.Behaviour{})
			w.join(spvtest.Behaviour{RefuseConnections: true})
			w.start()
			w.wait(spv.Settled)
			w.peers[1].SetBehaviour(b)
			w.while(func(st spv.Status) bool { return st.Peers < 2 })
			w.wait(spv.Settled)
			for _, r := range w.peers[1].Log() {
				took := time.Since(r.Time).Truncate(10 * time.Millisecond) // the loop's step
				if r.Command == wire.CmdSendHeaders && took != want {
					t.Errorf("settled %v after sendheaders, want %v", took, want)
				}
			}
		})
	}
}

// A wait ends at its deadline, to the instant, and at the end of Run.
// Rule 9.
func TestWaitEnds(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{BlackHole: true})
		w.start()
		began := time.Now()
		ctx, cancel := context.WithTimeout(w.t.Context(), 1234*time.Millisecond)
		defer cancel()
		if err := w.syncer.Wait(ctx, spv.Synced); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 1234*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ended := make(chan error)
		go func() { ended <- w.syncer.Wait(w.t.Context(), spv.Synced) }()
		synctest.Wait()
		s := w.syncer
		w.stop()
		if err := <-ended; !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("%v when Run has ended", err)
		}
		if err := s.Wait(w.t.Context(), spv.Synced); !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("%v after Run", err)
		}
	})
}

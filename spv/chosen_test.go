package spv_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/spvtest"
)

// connected returns the peers that have a client, by their places.
func (w *world) connected() (at []int) {
	for i, p := range w.peers {
		if len(p.Clients()) > 0 {
			at = append(at, i)
		}
	}
	return at
}

func (w *world) setPeers(addrs ...string) {
	w.t.Helper()
	if err := w.syncer.SetPeers(w.t.Context(), addrs); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

func (w *world) wantConnected(want ...int) {
	w.t.Helper()
	if at := w.connected(); !slices.Equal(at, want) {
		w.t.Errorf("connected to %v, want %v", at, want)
	}
}

// Other peers take the place of those before at once, and the sync goes on with them;
// those that are in both lists are not disturbed.
func TestSetPeers(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Connect = w.addrs[:2] })
		w.wait(spv.Settled)
		w.wantConnected(0, 1)
		w.setPeers("10.0.0.2", w.addrs[2]) // the port may be left out
		w.wantConnected(1, 2)
		if n := w.peers[1].Connections(); n != 1 {
			t.Errorf("%d connections to the one that stays", n)
		}
		w.wait(spv.Settled)
		w.setPeers(w.addrs[3])
		w.wantConnected(3)
		w.chain.Mine(2)
		w.peers[3].SetChain(w.chain)
		w.syncTo(w.chain)
		w.pass(time.Hour)
		w.wantConnected(3)
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if p.Persistent != (p.Addr == w.addrs[3]) || !p.BannedUntil.IsZero() {
				t.Errorf("%s: persistent %v, banned until %v", p.Addr, p.Persistent, p.BannedUntil)
			}
		}
		w.setPeers(w.addrs[0])
		w.wantConnected(0)
		w.wantNoViolations()
	})
}

// Dials that others have begun keep nobody waiting, however long they take.
// Rule 22.
func TestSetPeersCallsDialsOff(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(8, spvtest.Behaviour{BlackHole: true})
		w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Connect = w.addrs[:8] })
		w.pass(time.Second)
		w.setPeers(w.addrs[0], w.addrs[8])
		w.wantConnected(8)
		w.wait(spv.Settled)
		w.peers[0].SetBehaviour(spvtest.Behaviour{})
		w.pass(time.Minute)
		w.wantConnected(0, 8)
	})
}

// Dials of peers that stay chosen go on, also if the same ones are chosen.
func TestSetPeersLetsDialsGoOn(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 1500 * time.Millisecond})
		w.join(spvtest.Behaviour{BlackHole: true})
		w.start()
		for i := range 10 {
			w.setPeers(w.addrs[:1+i/2%2]...)
			w.pass(time.Second)
		}
		w.wantConnected(0)
		if n := w.peers[0].Connections(); n != 1 {
			t.Errorf("dialed %d times", n)
		}
	})
}

// Peers that are chosen again are dialed at once, whatever became of them before.
func TestChosenAgain(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.pass(time.Hour) // between dials of the first it is 18 seconds now
		w.setPeers(w.addrs[1])
		w.peers[0].SetBehaviour(spvtest.Behaviour{})
		w.setPeers(w.addrs...)
		w.wantConnected(0, 1)
	})
}

// With an empty list peers are found as if none had been named, and with a list none is
// found any more.
func TestSetPeersOfDiscovery(t *testing.T) {
	c := paid(50)
	storyOn(t, c, func(w *world) {
		book := addrbook.Open(w.dir, nil)
		for range 3 {
			w.heardOf(book, spvtest.NewPeer(c, spvtest.Behaviour{}))
		}
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
		found := len(w.peers)
		mine := w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Connect = w.addrs[found:] })
		w.wait(spv.Settled)
		w.wantConnected(found)
		w.setPeers()
		w.pass(time.Minute)
		w.wantConnected(0, 1, 2, found)
		if n := mine.Connections(); n != 1 {
			t.Errorf("%d connections to the one that was named", n)
		}
		w.setPeers(w.addrs[found])
		w.wantConnected(found)
		w.pass(time.Hour)
		w.wantConnected(found)
	})
}

// Before Run the list counts from its start on, a list with an address that is none
// changes nothing, and after Run there is nothing to change.
func TestSetPeersAtAnyTime(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: w.dir, Connect: w.addrs[:1], Dial: w.net.Dial})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetPeers(w.t.Context(), w.addrs[1:]); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(w.t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if err := s.Wait(ctx, spv.Settled); err != nil {
			t.Fatal(err)
		}
		w.wantConnected(1)
		if err := s.SetPeers(ctx, []string{w.addrs[0], "no port:"}); !errors.Is(err, spv.ErrAddress) {
			t.Errorf("no address: %v", err)
		}
		w.pass(time.Minute)
		w.wantConnected(1)
		cancel()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
		if err := s.SetPeers(w.t.Context(), w.addrs); !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("after Run: %v", err)
		}
	})
}

// What was wrong with the peers before is not said of others.
// Rule 24.
func TestSetPeersEndsTheirTrouble(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Connect = w.addrs[:1] })
		w.pass(10 * time.Minute)
		if w.syncer.Status().Trouble.IsZero() {
			t.Error("nothing is said of a peer that refuses")
		}
		w.setPeers(w.addrs[1])
		w.wait(spv.Settled)
		if tr := w.syncer.Status().Trouble; !tr.IsZero() {
			t.Errorf("said: %+v", tr)
		}
	})
}

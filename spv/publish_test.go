package spv_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// A transaction is announced to all peers, served to those that ask, and offered
// to a peer that joins later.
func TestPublish(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		result, err := w.syncer.Publish(w.t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(result.Taken)
		if !slices.Equal(result.Taken, w.addrs[:2]) {
			t.Errorf("taken by %v, want %v", result.Taken, w.addrs[:2])
		}
		synctest.Wait()
		for i := range 2 {
			if n := len(w.peers[i].Taken()); n != 1 {
				t.Errorf("peer %d has %d transactions, want 1", i, n)
			}
		}
		w.peers[2].SetBehaviour(spvtest.Behaviour{})
		w.pass(time.Minute)
		if n := len(w.peers[2].Taken()); n != 1 {
			t.Errorf("the late peer has %d transactions, want 1", n)
		}
		w.wantNoViolations()
	})
}

// Peers that don't ask for it have 5 seconds to do so.
func TestPublishToTheUnwilling(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{Silent: map[string]bool{"inv": true}})
		w.start()
		w.wait(spv.Settled)
		before := time.Now()
		result, err := w.syncer.Publish(w.t.Context(), w.chain.Pay(spvtest.Script(1), 1e8))
		if err != nil || len(result.Taken) != 0 || len(result.Told) != 1 {
			t.Errorf("%+v, %v", result, err)
		}
		if waited := time.Since(before); waited != 5*time.Second {
			t.Errorf("waited %v, want 5s", waited)
		}
	})
}

func TestPublishWithoutPeers(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		synctest.Wait()
		_, err := w.syncer.Publish(w.t.Context(), w.chain.Pay(spvtest.Script(1), 1e8))
		if !errors.Is(err, spv.ErrNoPeers) {
			t.Errorf("%v, want %v", err, spv.ErrNoPeers)
		}
		w.stop()
	})
}

// A peer banned by hand is disconnected and not dialed until the ban is lifted.
func TestBanByHand(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		if err := w.syncer.BanPeer(w.t.Context(), w.addrs[1]); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		if n := w.peers[1].Connections(); n != 1 {
			t.Errorf("%d connections to a banned peer", n)
		}
		if err := w.syncer.UnbanPeer(w.t.Context(), w.addrs[1]); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if n := w.peers[1].Connections(); n != 2 {
			t.Errorf("%d connections after the ban was lifted", n)
		}
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil || len(peers) != 2 || !peers[0].Connected || !peers[0].SendHeaders {
			t.Errorf("%+v, %v", peers, err)
		}
	})
}

// A ban outlives a restart, and a banned address does not hold up the sync.
func TestBanOutlivesRestart(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		longer := w.chain.Fork(50)
		longer.Mine(5)
		w.joinWith(longer, spvtest.Behaviour{BadHeaders: spvtest.HeadersBadPoW})
		w.start()
		w.wait(spv.Settled)
		w.pass(time.Minute)
		if w.cutReason(1) == "" {
			t.Fatal("the liar was not cut off")
		}
		w.stop()
		before := w.peers[1].Connections()
		w.start()
		w.wait(spv.Settled)
		w.pass(time.Hour)
		if n := w.peers[1].Connections() - before; n != 0 {
			t.Errorf("%d connections to a banned peer", n)
		}
	})
}

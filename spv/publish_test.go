package spv_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
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
		slices.Sort(result.RequestedBy)
		if !slices.Equal(result.RequestedBy, w.addrs[:2]) {
			t.Errorf("taken by %v, want %v", result.RequestedBy, w.addrs[:2])
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
		if err != nil || len(result.RequestedBy) != 0 || len(result.AnnouncedTo) != 1 {
			t.Errorf("%+v, %v", result, err)
		}
		if waited := time.Since(before); waited != 5*time.Second {
			t.Errorf("waited %v, want 5s", waited)
		}
	})
}

// A second Publish tells who asked after it, and not who did before.
func TestPublishTwice(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		for i, want := range []struct {
			taken int
			after time.Duration
		}{{1, 0}, {0, 5 * time.Second}} {
			before := time.Now()
			result, err := w.syncer.Publish(w.t.Context(), tx)
			if err != nil || len(result.AnnouncedTo) != 1 || len(result.RequestedBy) != want.taken || len(result.Delivered) != want.taken {
				t.Errorf("call %d: %+v, %v", i, result, err)
			}
			if took := time.Since(before); took != want.after {
				t.Errorf("call %d took %v", i, took)
			}
		}
		// Whoever took it may be gone, and others be there.
		w.peers[0].Refuse(true)
		w.peers[0].Disconnect()
		w.peers[1].SetBehaviour(spvtest.Behaviour{Silent: map[string]bool{"inv": true}})
		w.pass(time.Minute)
		result, err := w.syncer.Publish(w.t.Context(), tx)
		if err != nil || !slices.Equal(result.AnnouncedTo, w.addrs[1:]) || len(result.RequestedBy) != 0 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// The signatures given last count, which the hash does not cover.
func TestPublishSignedAnew(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		again := tx.Copy()
		again.TxIn[0].SignatureScript = []byte{1, 2}
		for _, tx := range []*wire.MsgTx{tx, again} {
			if _, err := w.syncer.Publish(w.t.Context(), tx); err != nil {
				t.Fatal(err)
			}
		}
		w.peers[1].SetBehaviour(spvtest.Behaviour{})
		w.pass(time.Minute)
		if txs := w.peers[1].Taken(); len(txs) != 1 || !slices.Equal(txs[0].TxIn[0].SignatureScript, []byte{1, 2}) {
			t.Errorf("%+v", txs)
		}
	})
}

// Who is named as having it does, even if everything ends at once; of one that asks and
// then reads no more it is said that it may not.
// Rule 26.
func TestPublishDelivers(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 2 * time.Second})
		w.join(spvtest.Behaviour{Silent: map[string]bool{"ping": true}})
		w.start()
		w.wait(spv.Settled)
		before := time.Now()
		result, err := w.syncer.Publish(w.t.Context(), w.chain.Pay(spvtest.Script(1), 1e8))
		took := time.Since(before)
		w.stop()
		if err != nil || !slices.Equal(result.RequestedBy, []string{w.addrs[1], w.addrs[0]}) || !slices.Equal(result.Delivered, w.addrs[:1]) {
			t.Errorf("%+v, %v", result, err)
		}
		if n := len(w.peers[0].Taken()); n != 1 {
			t.Errorf("the peer has %d transactions", n)
		}
		if took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// Of three peers one is told last, and heard: that it announces the transaction is what
// shows that others have taken it.
func TestPublishListens(t *testing.T) {
	for _, heard := range []bool{true, false} {
		story(t, 50, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{})
			w.startUnmined()
			w.wait(spv.Settled)
			tx := w.chain.Pay(spvtest.Script(1), 1e8)
			before := time.Now()
			answer := make(chan spv.PublishResult, 1)
			go func() {
				result, err := w.syncer.Publish(w.t.Context(), tx)
				if err != nil {
					t.Error(err)
				}
				answer <- result
			}()
			w.pass(time.Second)
			listener := slices.IndexFunc(w.peers, func(p *spvtest.Peer) bool { return len(p.Taken()) == 0 })
			if listener < 0 {
				t.Fatal("nobody listens")
			}
			var want []string
			after := 5 * time.Second
			if heard {
				w.peers[listener].AnnounceTx(tx)
				want, after = w.addrs[listener:listener+1], time.Second
			}
			result := <-answer
			if took := time.Since(before); took != after {
				t.Errorf("took %v, want %v", took, after)
			}
			takers := 3 - len(want) // it has it already
			if !result.Listened || !slices.Equal(result.Announced, want) || !slices.Equal(result.AnnouncedTo, w.addrs) ||
				len(result.RequestedBy) != takers || len(result.Delivered) != takers {
				t.Errorf("%+v", result)
			}
			w.wantNoViolations()
		})
	}
}

// Whoever listens may be the only one that takes it.
func TestPublishToTheListenerAlone(t *testing.T) {
	for honest := range 3 {
		story(t, 50, func(w *world) {
			for i := range 3 {
				w.join(spvtest.Behaviour{Silent: map[string]bool{"inv": i != honest}})
			}
			w.startUnmined()
			w.wait(spv.Settled)
			result, err := w.syncer.Publish(w.t.Context(), w.chain.Pay(spvtest.Script(1), 1e8))
			if want := w.addrs[honest : honest+1]; err != nil || !slices.Equal(result.RequestedBy, want) || !slices.Equal(result.Delivered, want) {
				t.Errorf("%+v, %v; want %v", result, err, want)
			}
		})
	}
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
// Rule 14.
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
// Rule 14.
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

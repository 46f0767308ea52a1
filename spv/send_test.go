package spv_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/wire"
)

// send sends a message and checks how many peers can take it.
func (w *world) send(msg wire.Message, want int, to ...string) {
	w.t.Helper()
	n, err := w.syncer.Send(w.t.Context(), msg, to...)
	if n != want || err != nil {
		w.t.Errorf("%s to %v went to %d peers, want %d: %v", msg.Command(), to, n, want, err)
	}
	synctest.Wait()
}

func getData(kind wire.InvType, hashes ...chainhash.Hash) *wire.MsgGetData {
	msg := wire.NewMsgGetData()
	for _, hash := range hashes {
		msg.InvList = append(msg.InvList, wire.NewInvVect(kind, &hash))
	}
	return msg
}

func hashOf(msg wire.MsgMixDCNet) chainhash.Hash {
	msg.WriteHash(blake256.New())
	return msg.Hash()
}

// getInitState asks for treasury spends.
func getInitState() *wire.MsgGetInitState {
	msg := wire.NewMsgGetInitState()
	msg.AddTypes(wire.InitStateTSpends)
	return msg
}

// A mixing message reaches the peers that it is sent to, if they speak version 10, and is
// not fetched back from those who announce it.
// Rule 27.
func TestSendMixMessage(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.join(spvtest.Behaviour{PVer: 9})
		w.start()
		h := w.hear(w.t.Context())
		w.wait(spv.Settled)
		first, second := dcNet(1, 1), dcNet(2, 1)
		w.send(first, 2)
		w.send(second, 1, w.addrs[1], w.addrs[2], "192.0.2.1:9108")
		for i, want := range []int{1, 2, 0} {
			if got := len(w.peers[i].TakenMixes()); got != want {
				t.Errorf("peer %d has %d messages, want %d", i, got, want)
			}
		}
		if first.Hash() != (chainhash.Hash{}) {
			t.Error("the message was changed")
		}
		w.peers[0].AnnounceMix(second)
		w.send(second, 2) // announced again: who has it does not ask
		w.pass(time.Minute)
		if len(h.messages) != 0 || w.txRequests() != 0 {
			t.Errorf("%d of our own came back", len(h.messages))
		}
		w.wantNoViolations()
	})
}

// Mixing messages that the program asks a peer for come from it, or from the next one that
// has them, whether they were seen or not.
func TestSendGetDataOfMixMessages(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		h := w.hear(w.t.Context())
		w.wait(spv.Settled)
		w.peers[0].AnnounceMix(dcNet(1, 1))
		w.peers[1].AnnounceMix(dcNet(2, 1))
		synctest.Wait()
		ask := getData(wire.InvTypeMix, hashOf(*dcNet(1, 1)), hashOf(*dcNet(2, 1)), chainhash.Hash{3})
		w.send(ask, 2, w.addrs...)
		w.pass(time.Minute)
		if got := string(h.of()); got != "\x01\x01\x02\x02" {
			t.Errorf("heard %q", got)
		}
		w.send(ask, 0, "192.0.2.1:9108")
		w.wantNoViolations()
	})
}

// Before the initial sync is complete nobody is asked for anything, but what is sent goes.
// Rule 5.
func TestSendBeforeTheInitialSync(t *testing.T) {
	story(t, 5000, func(w *world) {
		p := w.join(spvtest.Behaviour{Latency: time.Second})
		w.start()
		w.hear(w.t.Context())
		w.pass(3500 * time.Millisecond)
		p.AnnounceMix(dcNet(1, 1))
		w.send(getData(wire.InvTypeMix, chainhash.Hash{1}), 0)
		w.send(getData(wire.InvTypeTx, chainhash.Hash{1}), 0)
		w.send(dcNet(2, 1), 1)
		if w.syncer.Status().Synced || w.txRequests() != 0 {
			t.Error("it was in sync, or asked for something")
		}
		w.wait(spv.Settled)
		w.pass(time.Minute)
		if len(p.TakenMixes()) != 1 {
			t.Error("the message was not taken")
		}
		w.wantNoViolations()
	})
}

// Treasury spends are found by asking each peer once for its initial state, and for what
// it names.
func TestSendGetInitState(t *testing.T) {
	story(t, 50, func(w *world) {
		tspend := w.chain.Pay(spvtest.Script(1), 1e8)
		asked := 0
		p := w.join(spvtest.Behaviour{Hook: func(c *spvtest.Client, msg wire.Message) bool {
			if get, ok := msg.(*wire.MsgGetInitState); ok && slices.Equal(get.Types, []string{wire.InitStateTSpends}) {
				asked++
				state, err := wire.NewMsgInitStateFilled(nil, nil, []chainhash.Hash{tspend.TxHash()})
				if err != nil {
					t.Error(err)
				}
				c.Send(state)
				return true
			}
			return false
		}})
		w.start()
		txs := w.syncer.Transactions(w.t.Context())
		h := w.hear(w.t.Context(), wire.CmdInitState)
		w.wait(spv.Settled)
		p.AnnounceTx(tspend)
		synctest.Wait()
		<-txs // it is asked for again all the same
		w.send(getInitState(), 1)
		w.send(getInitState(), 1)
		if asked != 1 || len(h.messages) != 1 {
			t.Fatalf("asked %d times, %d answers", asked, len(h.messages))
		}
		state := h.messages[0].Message.(*wire.MsgInitState)
		w.send(getData(wire.InvTypeTx, state.TSpendHashes...), 1, h.messages[0].Peer)
		if len(txs) != 1 || (<-txs).TxHash() != tspend.TxHash() {
			t.Error("the treasury spend did not come")
		}
		w.wantNoViolations()
	})
}

// What a peer would ban for, and what the Syncer itself is there for, is not sent.
func TestSendRefusesWhatIsNoMessageForIt(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.peers[0].ResetCounts()
		hash := chainhash.Hash{1}
		for name, msg := range map[string]wire.Message{
			"ping":             wire.NewMsgPing(1),
			"transaction":      wire.NewMsgTx(),
			"announcement":     wire.NewMsgInv(),
			"empty getdata":    wire.NewMsgGetData(),
			"block":            getData(wire.InvTypeBlock, hash),
			"too much getdata": getData(wire.InvTypeMix, slices.Repeat([]chainhash.Hash{hash}, 501)...),
			"malformed":        new(wire.MsgMixDCNet),
			"too long":         wire.NewMsgMixDCNet([33]byte{}, [32]byte{}, 0, slices.Repeat([]wire.MixVect{make(wire.MixVect, 1024)}, 52), nil),
		} {
			if n, err := w.syncer.Send(w.t.Context(), msg); n != 0 || !errors.Is(err, spv.ErrMessage) {
				t.Errorf("%s: to %d peers, %v", name, n, err)
			}
		}
		synctest.Wait()
		if log := w.peers[0].Log(); len(log) != 0 {
			t.Errorf("the peer got %v", log)
		}
		ended, cancel := context.WithCancel(w.t.Context())
		cancel()
		if _, err := w.syncer.Send(ended, dcNet(1, 1)); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		s := w.syncer
		w.stop()
		if _, err := s.Send(w.t.Context(), dcNet(1, 1)); !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("not running: %v", err)
		}
	})
}

// A source that passes nothing on is never asked to, whatever it announces.
func TestSourceThatPassesNothingOn(t *testing.T) {
	c := paid(50)
	storyOn(t, c, func(w *world) {
		w.addrs = []string{"archive:1"}
		a := &archive{chain: c, handler: make(chan spv.SourceHandler, 1), closed: make(chan struct{})}
		w.start(func(cfg *spv.Config) {
			cfg.Dial = nil
			cfg.Open = func(_ context.Context, _ string, cfg *spv.SourceConfig) (spv.Source, error) {
				return a, cfg.Accept(a.Info())
			}
		})
		w.hear(w.t.Context())
		w.wait(spv.Settled)
		handler := <-a.handler
		handler.Inv(getData(wire.InvTypeMix, chainhash.Hash{1}).InvList)
		handler.GetData(getData(wire.InvTypeMix, chainhash.Hash{1}).InvList)
		w.send(dcNet(1, 1), 0)
		w.send(getInitState(), 0)
		w.send(getData(wire.InvTypeMix, chainhash.Hash{1}), 0)
		w.send(getData(wire.InvTypeTx, chainhash.Hash{1}), 1)
	})
}

package spv_test

import (
	"context"
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

// dcNet makes a mixing message with a number, of about as many kilobytes.
func dcNet(number byte, kilobytes int) *wire.MsgMixDCNet {
	kilobyte := make(wire.MixVect, 1000/wire.MixMsgSize)
	return wire.NewMsgMixDCNet([33]byte{number}, [32]byte{}, 0, slices.Repeat([]wire.MixVect{kilobyte}, kilobytes), nil)
}

// hearing is a program that notes what it hears.
type hearing struct{ messages []spv.PeerMessage }

// hear listens until ctx ends.
func (w *world) hear(ctx context.Context, commands ...string) *hearing {
	h := new(hearing)
	messages := w.syncer.Messages(ctx, commands...)
	go func() {
		for m := range messages {
			h.messages = append(h.messages, m)
		}
	}()
	return h
}

// of returns the numbers of the mixing messages, in order.
func (h *hearing) of() (numbers []byte) {
	for _, m := range h.messages {
		if net, ok := m.Message.(*wire.MsgMixDCNet); ok {
			numbers = append(numbers, net.Identity[0])
		}
	}
	slices.Sort(numbers)
	return numbers
}

// Whoever listens gets each mixing message that peers announce once, with its hash and
// from whom it came, and only the commands that it asked for; a reader that sleeps delays
// nobody.
// Rules 1 and 27.
func TestMessages(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		w.syncer.Messages(ctx) // nobody reads it
		all, nets := w.hear(ctx), w.hear(ctx, wire.CmdMixDCNet)
		others := w.hear(ctx, wire.CmdMixPairReq, wire.CmdInitState)
		w.wait(spv.Settled)
		secrets := wire.NewMsgMixSecrets([33]byte{9}, [32]byte{}, 0, [32]byte{}, nil, nil)
		for _, p := range w.peers {
			p.AnnounceMix(dcNet(1, 1))
			p.AnnounceMix(dcNet(2, 1))
			p.AnnounceMix(secrets)
			synctest.Wait()
			if !w.syncer.Status().Synced {
				t.Error("not in sync after hearing of a mixing message")
			}
		}
		if len(all.messages) != 3 || string(nets.of()) != "\x01\x02" || len(others.messages) != 0 {
			t.Errorf("heard %d, %d and %d messages", len(all.messages), len(nets.of()), len(others.messages))
		}
		for _, m := range nets.messages {
			net := m.Message.(*wire.MsgMixDCNet)
			hash := net.Hash()
			again := *net
			again.WriteHash(blake256.New())
			if hash != again.Hash() || m.Peer != w.addrs[0] {
				t.Errorf("hash %v from %s", hash, m.Peer)
			}
		}
		if n := w.txRequests(); n != 3 {
			t.Errorf("%d messages were asked for, want 3", n)
		}
		w.wantNoViolations()
	})
}

// Nothing is asked for, and nothing but getdata for what was announced is ever answered,
// while nobody listens: before, after, and without a reader of mixing messages.
func TestNobodyListens(t *testing.T) {
	story(t, 50, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.start()
		ctx, cancel := context.WithCancel(w.t.Context())
		left := w.syncer.Messages(w.t.Context())
		w.hear(w.t.Context(), wire.CmdInitState)
		w.hear(ctx)
		w.wait(spv.Settled)
		p.AnnounceMix(dcNet(1, 1))
		for range left {
			break // which ends it
		}
		w.pass(time.Second)
		cancel()
		synctest.Wait()
		asked := w.txRequests()
		p.AnnounceMix(dcNet(2, 1))
		p.Send(dcNet(3, 1)) // which nobody asked for
		w.pass(time.Minute)
		if n := w.txRequests(); asked != 1 || n != asked {
			t.Errorf("%d messages were asked for while somebody listened, %d after", asked, n-asked)
		}
		if !w.syncer.Status().Synced {
			t.Error("not in sync")
		}
		w.wantNoViolations()
	})
}

// A peer that announces a mixing message and does not send it keeps it from nobody: after
// five seconds another one is asked that announced it too.
// Rule 22.
func TestMixMessageIsNotKeptFromUs(t *testing.T) {
	for name, b := range map[string]spvtest.Behaviour{
		"silent":    {Silent: map[string]bool{wire.CmdGetData: true}},
		"not found": {NotFound: true},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 50, func(w *world) {
				liar, honest := w.join(b), w.join(spvtest.Behaviour{})
				w.start()
				h := w.hear(w.t.Context())
				w.wait(spv.Settled)
				liar.AnnounceMix(dcNet(1, 1))
				synctest.Wait()
				honest.AnnounceMix(dcNet(1, 1))
				w.pass(5 * time.Second)
				if len(h.messages) != 1 || h.messages[0].Peer != w.addrs[1] {
					t.Errorf("heard %v", h.messages)
				}
				w.wantNoViolations()
			})
		})
	}
}

// What waits for a reader is bounded, of each peer and of all, and what it had no room
// for is fetched again when another peer announces it.
// Rule 20.
func TestMessagesThatWaitAreBounded(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(6, spvtest.Behaviour{})
		w.start()
		ctx, cancel := context.WithCancel(w.t.Context())
		asleep := w.syncer.Messages(ctx)
		w.wait(spv.Settled)
		for i := range 8 {
			w.peers[0].AnnounceMix(dcNet(byte(i), 900))
			w.pass(time.Second)
		}
		w.peers[1].AnnounceMix(dcNet(7, 900))
		w.pass(time.Second)
		for i, p := range w.peers {
			for k := range 8 {
				p.AnnounceMix(dcNet(byte(8*i+k+8), 900))
				w.pass(time.Second)
			}
		}
		from := make(map[string]int)
		total := 0
		time.AfterFunc(time.Second, cancel)
		heard := make(map[chainhash.Hash]bool)
		for m := range asleep {
			from[m.Peer]++
			heard[m.Message.(*wire.MsgMixDCNet).Hash()] = true
			total++
		}
		if total != 18 {
			t.Errorf("%d messages waited", total)
		}
		for peer, n := range from {
			if n > 4 {
				t.Errorf("%d MB of %s waited", n, peer)
			}
		}
		again := dcNet(7, 900)
		again.WriteHash(blake256.New())
		if len(heard) != total || !heard[again.Hash()] {
			t.Errorf("%d of %d messages, the one that was announced again: %v", len(heard), total, heard[again.Hash()])
		}
		if !w.syncer.Status().Synced {
			t.Error("not in sync")
		}
		w.wantNoViolations()
	})
}

// A peer that sends more than a mixing node has reason to is let go, and is no liar for
// it; the sync goes on.
// Rules 20 and 22.
func TestFloodOfMixMessages(t *testing.T) {
	story(t, 50, func(w *world) {
		flooder, honest := w.join(spvtest.Behaviour{}), w.join(spvtest.Behaviour{})
		w.start()
		w.hear(w.t.Context())
		w.wait(spv.Settled)
		for i := range 60 {
			flooder.AnnounceMix(dcNet(byte(i), 1000))
			synctest.Wait()
		}
		if flooder.Connections() != 1 || len(flooder.Clients()) != 0 {
			t.Error("the flooder is still connected")
		}
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if !p.BannedUntil.IsZero() {
				t.Errorf("%s is banned", p.Addr)
			}
		}
		w.chain.Mine(1)
		honest.SetChain(w.chain)
		w.syncTo(w.chain)
	})
}

// Whoever announces a transaction as a mixing message does not keep it from us: who
// announces it as what it is, is asked for that.
// Rule 22.
func TestTransactionAnnouncedAsMixingMessage(t *testing.T) {
	story(t, 50, func(w *world) {
		liar := w.join(spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetData: true}})
		honest := w.join(spvtest.Behaviour{})
		w.start()
		txs := w.syncer.Transactions(w.t.Context())
		h := w.hear(w.t.Context())
		w.wait(spv.Settled)
		tx := w.chain.Pay(spvtest.Script(1), 1e8)
		hash := tx.TxHash()
		net := dcNet(1, 1)
		netHash := hashOf(*net)
		liar.Send(&wire.MsgInv{InvList: []*wire.InvVect{
			wire.NewInvVect(wire.InvTypeMix, &hash), wire.NewInvVect(wire.InvTypeTx, &netHash),
		}})
		synctest.Wait()
		honest.AnnounceTx(tx)
		honest.AnnounceMix(net)
		w.pass(time.Minute)
		if len(txs) != 1 || len(h.messages) != 1 {
			t.Errorf("%d transactions and %d mixing messages came", len(txs), len(h.messages))
		}
		w.wantNoViolations()
	})
}

// What waits is counted as it takes memory: a list of a thousand empty lists has 24 kB,
// and hardly any bytes on the wire.
// Rule 20.
func TestMessagesThatWaitAreBoundedInMemory(t *testing.T) {
	for name, message := range map[string]func(id [33]byte) wire.Message{
		"vectors": func(id [33]byte) wire.Message {
			return wire.NewMsgMixDCNet(id, [32]byte{}, 0, make([]wire.MixVect, wire.MaxMixMcount), nil)
		},
		"roots": func(id [33]byte) wire.Message {
			return wire.NewMsgMixFactoredPoly(id, [32]byte{}, 0, make([][]byte, wire.MaxMixMcount), nil)
		},
		"secrets": func(id [33]byte) wire.Message {
			return wire.NewMsgMixSecrets(id, [32]byte{}, 0, [32]byte{}, make([][]byte, wire.MaxMixMcount), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 50, func(w *world) {
				p := w.join(spvtest.Behaviour{})
				w.start()
				ctx, cancel := context.WithCancel(w.t.Context())
				asleep := w.syncer.Messages(ctx)
				w.wait(spv.Settled)
				for i := range 400 {
					p.AnnounceMix(message([33]byte{byte(i), byte(i >> 8)}))
					synctest.Wait()
				}
				waited := 0
				time.AfterFunc(time.Second, cancel)
				for range asleep {
					waited++
				}
				if most := 4 << 20 / (24 * wire.MaxMixMcount); waited == 0 || waited > most {
					t.Errorf("%d messages waited, want %d at most", waited, most)
				}
			})
		})
	}
}

// Another loop over the same messages ends when one of them is left.
func TestMessagesRangedOverTwice(t *testing.T) {
	story(t, 50, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.start()
		messages := w.syncer.Messages(w.t.Context())
		ended := make(chan bool, 2)
		for range 2 {
			go func() {
				for range messages {
					break
				}
				ended <- true
			}()
		}
		w.wait(spv.Settled)
		p.AnnounceMix(dcNet(1, 1))
		synctest.Wait()
		for range messages {
			t.Error("another message")
		}
		if len(ended) != 2 {
			t.Errorf("%d loops of 2 have ended", len(ended))
		}
	})
}

// Where all peers take longer than another one is waited for, messages come all the same,
// each once.
func TestMixMessagesOfSlowPeers(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		h := w.hear(w.t.Context())
		w.wait(spv.Settled)
		for _, p := range w.peers {
			p.SetBehaviour(spvtest.Behaviour{Latency: 6 * time.Second})
		}
		w.peers[0].AnnounceMix(dcNet(1, 1))
		w.peers[0].AnnounceMix(dcNet(2, 1))
		w.peers[1].AnnounceMix(dcNet(2, 1))
		w.pass(time.Minute)
		if got := string(h.of()); got != "\x01\x02" {
			t.Errorf("heard %q", got)
		}
		w.wantNoViolations()
	})
}

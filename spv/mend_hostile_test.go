package spv_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// TestRotWhereAWalletStands: a wallet that is behind the tip, in a stretch of headers
// that rot has spoiled, is not rewound: that the block can't be read does not mean that
// it has left the chain.
func TestRotWhereAWalletStands(t *testing.T) {
	c := paid(1200)
	for range 4 { // whether the rewind happens is up to a select
		storyOn(t, c, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			w.stop()

			w.wallet.watch(0, watched)
			w.wallet.blocks = map[uint32]chain.BlockID{100: c.ID(100), 601: c.ID(601)}
			w.wallet.covered = chain.Ranges{{From: 0, To: 601}}
			w.wallet.matched = map[uint32]chain.BlockID{600: c.ID(600)}
			w.wallet.given[c.ID(600)]++

			w.startAndSpoil(c.Header(650))
			w.wantAsIf(c, 600, 1200)
		})
	}
}

// TestPublishOverMending: what rots in chain.db while a transaction is being published
// neither keeps the caller waiting for ever nor takes it off offer.
func TestPublishOverMending(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{Silent: map[string]bool{"inv": true}})
		late := w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		answered := make(chan error, 1)
		go func() {
			_, err := w.syncer.Publish(context.Background(), c.Pay(spvtest.Script(1), 1e8))
			answered <- err
		}()
		synctest.Wait()
		w.flip(c.Filter(600))
		w.wallet.watch(0, watched)
		w.wait(spv.Settled)
		w.pass(time.Minute)
		select {
		case err := <-answered:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("Publish still waits")
		}
		late.SetBehaviour(spvtest.Behaviour{})
		w.pass(10 * time.Minute)
		if n := len(late.Taken()); n != 1 {
			t.Errorf("it stays on offer for an hour, and a peer that came has %d of it", n)
		}
	})
}

// TestSubscriptionOverMending: a subscription ends with Run, not before.
func TestSubscriptionOverMending(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		sub, err := w.syncer.SubscribePeers(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			for range sub.Changed() {
			}
			close(ended)
		}()
		w.flip(c.Filter(600))
		w.wallet.watch(0, watched)
		w.wait(spv.Settled)
		select {
		case <-ended:
			t.Error("it has ended, and Run has not")
		default:
		}
		w.stop()
	})
}

// TestMendingBehindAPeerThatLags: the only peer is below what chain.db had before some of
// its headers were damaged. That is no reorg, and it does not make what is missing in sync.
func TestMendingBehindAPeerThatLags(t *testing.T) {
	c := paid(1200)
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.wait(spv.Settled)
		for _, p := range w.peers {
			p.SetBehaviour(spvtest.Behaviour{RefuseConnections: true})
		}
		w.stop()
		w.joinWith(c.Fork(998), spvtest.Behaviour{})
		w.wallet.blocks[900] = c.ID(900) // where its locator is sparse
		w.startAndSpoil(c.Header(1100))
		w.pass(5 * time.Minute)
		if st := w.syncer.Status(); st.Synced {
			t.Errorf("in sync at %d, chain.db had 1200", st.Tip.Height)
		}
		if len(w.wallet.rewinds) > 0 {
			t.Errorf("the wallet was rewound to %v", w.wallet.rewinds)
		}
	})
}

// startAndSpoil runs the Syncer over a file in which the medium has spoiled a header: it was
// sealed, and nobody has written to it.
func (w *world) startAndSpoil(header chain.Header) {
	w.t.Helper()
	s, err := spv.New(spv.Config{
		Params: chaincfg.SimNetParams(), DataDir: w.dir, Wallets: []spv.Wallet{w.wallet}, Connect: w.addrs, Dial: w.net.Dial,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.flip(header[:])
	ctx, cancel := context.WithCancel(w.t.Context())
	w.syncer, w.cancel, w.done = s, cancel, make(chan error, 1)
	go func() { w.done <- s.Run(ctx) }()
}

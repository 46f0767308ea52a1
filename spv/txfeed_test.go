package spv_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Whoever listens hears of each transaction that peers announce, whatever other readers
// do, and no wallet is needed for that.
// Rules 13 and 27.
func TestTransactions(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Wallets = nil })
		ctx, cancel := context.WithCancel(w.t.Context())
		asleep := w.syncer.Transactions(w.t.Context())
		heard := make(map[chainhash.Hash]int)
		ended := make(chan struct{})
		awake := w.syncer.Transactions(ctx)
		go func() {
			defer close(ended)
			for tx := range awake {
				heard[tx.TxHash()]++
			}
		}()
		w.wait(spv.Settled)
		var txs []*wire.MsgTx
		for i := range 40 {
			tx := w.chain.Pay(spvtest.Script(uint32(i)), 1e8)
			txs = append(txs, tx)
			for _, p := range w.peers {
				p.AnnounceTx(tx)
			}
			w.pass(time.Second)
		}
		cancel()
		<-ended
		for i, tx := range txs {
			if heard[tx.TxHash()] != 1 {
				t.Errorf("transaction %d was heard of %d times", i, heard[tx.TxHash()])
			}
		}
		if n := len(asleep); n != cap(asleep) {
			t.Errorf("%d transactions wait for who sleeps, want %d", n, cap(asleep))
		}
		w.wantNoViolations()
	})
}

// What is on offer reaches who is connected and who comes later, parents first, and
// nobody waits for that.
func TestOffer(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Wallets = nil })
		parent := w.chain.Pay(spvtest.Script(1), 1e8)
		child := w.chain.Spend([]wire.OutPoint{{Hash: parent.TxHash()}}, wire.NewTxOut(5e7, spvtest.Script(2)))
		synctest.Wait()
		began := time.Now()
		if err := w.syncer.Offer(w.t.Context(), parent, child); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		w.wait(spv.Settled)
		w.pass(time.Second)
		w.peers[0].SetBehaviour(spvtest.Behaviour{})
		w.pass(time.Minute)
		for i, p := range w.peers {
			if got := p.Taken(); len(got) != 2 || got[0].TxHash() != parent.TxHash() {
				t.Errorf("peer %d has %d transactions", i, len(got))
			}
		}
	})
}

package spv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// However the peers come and go while blocks are scanned, there is one scan: each
// matching block is handed over once, and no filter is fetched again.
// Rule 1.
func TestOneScanWhateverTheChurn(t *testing.T) {
	c := spvtest.NewChain(nil)
	var heights []uint32
	for range 60 {
		c.Mine(9)
		heights = append(heights, c.MineBlock(c.Pay(watched, 1e8)).Height)
	}
	storyOn(t, c, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{Latency: 50 * time.Millisecond})
		w.start()
		w.wait(spv.Settled)
		filters := w.total(wire.CmdGetCFiltersV2)
		w.wallet.watch(0, watched)
		for i := range 12 {
			w.pass(70 * time.Millisecond)
			w.peers[i%4].Disconnect()
		}
		w.syncTo(c)
		w.wantMatches(c, heights...)
		for id, n := range w.wallet.given {
			if n != 1 {
				t.Errorf("block %v was handed over %d times", id, n)
			}
		}
		if n := w.total(wire.CmdGetCFiltersV2) - filters; n != 0 {
			t.Errorf("%d requests for filters that are stored", n)
		}
	})
}

// What a scan finds does not depend on how many peers there are, nor on how
// filters and blocks are asked for.
// Rule 16.
func TestSameResultFromAnyPeers(t *testing.T) {
	c := paid(1200)
	for _, b := range []spvtest.Behaviour{{}, {PVer: 10}, {Latency: 300 * time.Millisecond}} {
		for _, n := range []int{1, 3, 8} {
			storyOn(t, c, func(w *world) {
				w.wallet.watch(0, watched)
				w.joinMany(n, b)
				w.start()
				w.sync()
				w.wantMatches(c, 600, 1200)
				w.wantNoViolations()
			})
		}
	}
}

// Two wallets hang on one Syncer: what both need is fetched once.
// Rules 1 and 27.
func TestTwoWallets(t *testing.T) {
	c := paid(1000)
	storyOn(t, c, func(w *world) {
		second := newMemoryWallet()
		w.wallet.watch(0, watched)
		second.watch(700, watched)
		w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, second) })
		w.wait(spv.Settled)
		w.wantMatches(c, 500, 1000)
		w.wantEachOnce(1, 1000)
		w.wallet = second
		w.wantMatches(c, 1000)
	})
}

// A peer is served the transactions that were announced to it and no others: for
// what it asks else it gets one notfound, and no answer twice.
func TestOnlyWhatWasAnnouncedIsServed(t *testing.T) {
	story(t, 50, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		tx, other := w.chain.Pay(spvtest.Script(1), 1e8), w.chain.Pay(spvtest.Script(2), 1e8)
		if _, err := w.syncer.Publish(w.t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		published, unknown, block := tx.TxHash(), other.TxHash(), w.chain.Hash(7)
		getdata := wire.NewMsgGetData()
		for _, iv := range []*wire.InvVect{
			wire.NewInvVect(wire.InvTypeTx, &published),
			wire.NewInvVect(wire.InvTypeTx, &unknown),
			wire.NewInvVect(wire.InvTypeBlock, &block),
			wire.NewInvVect(wire.InvTypeBlock, &published),
		} {
			getdata.AddInvVect(iv)
		}
		synctest.Wait() // it has been sent to those that asked
		before := len(w.peers[0].Log())
		w.peers[0].Send(getdata)
		synctest.Wait()
		got := make(map[string]int)
		for _, r := range w.peers[0].Log()[before:] {
			got[r.Command] += max(r.Items, 1)
		}
		if len(got) != 2 || got[wire.CmdTx] != 1 || got[wire.CmdNotFound] == 0 {
			t.Errorf("answered with %v, want a transaction and a notfound", got)
		}
	})
}

package spv_test

import (
	"testing"
	"testing/synctest"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A peer that the wallet has no room for is not asked for transactions before the
// next block, and what it has announced is fetched from others.
// Rule 20.
func TestNoRoomForAPeer(t *testing.T) {
	story(t, 50, func(w *world) {
		flooder, honest := w.join(spvtest.Behaviour{}), w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		m.full = map[string]bool{w.addrs[0]: true}
		w.wait(spv.Settled)
		var txs []*wire.MsgTx
		for range 3 {
			txs = append(txs, w.chain.Pay(spvtest.Script(1), 1e8))
		}
		flooder.AnnounceTx(txs[0])
		m.wantSeen(t, txs[0]) // but it is not taken
		flooder.AnnounceTx(txs[1])
		m.wantSeen(t, txs[0])
		honest.AnnounceTx(txs[0])
		honest.AnnounceTx(txs[1])
		m.wantSeen(t, txs[0], txs[0], txs[1])
		w.chain.Mine(1)
		for _, p := range w.peers {
			p.SetChain(w.chain)
		}
		w.syncTo(w.chain)
		flooder.AnnounceTx(txs[2])
		m.wantSeen(t, txs[0], txs[0], txs[1], txs[2])
		w.wantNoViolations()
	})
}

// While the wallet is busy, what one peer sends does not take the place of what
// another one sends. Nothing waits of who is gone.
// Rule 20.
func TestWaitingForABusyWallet(t *testing.T) {
	story(t, 50, func(w *world) {
		flooder, honest, gone := w.join(spvtest.Behaviour{}), w.join(spvtest.Behaviour{}), w.join(spvtest.Behaviour{})
		m := w.startUnmined()
		m.held = make(chan struct{})
		w.wait(spv.Settled)
		var txs []*wire.MsgTx
		for range 500 {
			txs = append(txs, w.chain.Pay(spvtest.Script(1), 1e8))
		}
		flooder.AnnounceTx(txs[0]) // keeps the wallet busy
		synctest.Wait()
		for _, tx := range txs[1:] {
			flooder.AnnounceTx(tx)
			synctest.Wait()
		}
		last := w.chain.Pay(spvtest.Script(1), 1e8)
		honest.AnnounceTx(last)
		gone.AnnounceTx(w.chain.Pay(spvtest.Script(1), 1e8))
		synctest.Wait()
		gone.Disconnect()
		synctest.Wait()
		close(m.held)
		m.wantSeen(t, append(txs[:201:201], last)...)
	})
}

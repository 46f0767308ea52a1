package wallet_test

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// lateScript is watched when the wallet is at the tip.
var lateScript = spvtest.Script(1)

// paidChain pays lateScript in every fifth block. Every third payment is
// spent, long after.
func paidChain() *spvtest.Chain {
	c := spvtest.NewChain(nil)
	var paid []*wire.MsgTx
	for i := range 600 {
		c.Mine(4)
		txs := []*wire.MsgTx{c.Pay(lateScript, int64(i)+1)}
		if i%3 == 2 {
			out := wire.NewTxOut(1, spvtest.Script(99))
			txs = append(txs, c.Spend([]wire.OutPoint{spvtest.OutPoint(paid[i/2], 0)}, out))
		}
		paid = append(paid, txs[0])
		c.MineBlock(txs...)
	}
	return c
}

// TestNewBlocksDoNotWait: while a script that was added to a wallet at the tip has the
// chain tested from its beginning, new blocks are tested for all others as they come.
// Rule 15.
func TestNewBlocksDoNotWait(t *testing.T) {
	const latency = 100 * time.Millisecond
	c := paidChain()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(c.Time()))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		net := spvtest.NewNetwork()
		defer net.Close()
		peer := spvtest.NewPeer(c, spvtest.Behaviour{Latency: latency})
		net.Add("10.0.0.1:18555", peer)

		w, err := wallet.Open(filepath.Join(t.TempDir(), "wallet.db"), chaincfg.SimNetParams())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Watch(ctx, wallet.Watch{Scripts: [][]byte{spvtest.Script(2)}}); err != nil {
			t.Fatal(err)
		}
		s, err := spv.New(spv.Config{
			Params: chaincfg.SimNetParams(), DataDir: t.TempDir(), Dial: net.Dial,
			Connect: []string{"10.0.0.1:18555"}, Wallets: []spv.Wallet{w},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ended := make(chan error, 1)
		running, stop := context.WithCancel(ctx)
		go func() { ended <- s.Run(running) }()
		if err := s.Wait(ctx, spv.Settled); err != nil {
			t.Fatal(err)
		}
		cursor, err := w.LastEvent(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Watch(ctx, wallet.Watch{Scripts: [][]byte{lateScript}}); err != nil {
			t.Fatal(err)
		}

		// The chain goes on while the old blocks are fetched, half a message later, so
		// that nothing of the new one comes at the same instant as something of them.
		time.Sleep(latency / 2)
		tip := c.Tip().Height
		c.MineBlock(c.Pay(lateScript, 1000), c.Pay(spvtest.Script(2), 2000))
		peer.SetChain(c)

		var heights, owed []uint32
		for synced := false; !synced; {
			synctest.Wait() // all that is looked at stands still
			st := s.Status()
			synced = st.Synced
			if left := w.Unscanned(st.Target); st.Unscanned != left {
				t.Fatalf("%d blocks are owed, by the status %d", left, st.Unscanned)
			}
			owed = append(owed, w.Unscanned(tip))
			if synced && (st.Unscanned != 0 || st.Scanned.Through != tip+1) {
				t.Errorf("in sync: %+v", st)
			}
			for _, ev := range eventsAfter(t, w, cursor) {
				if cursor = ev.Seq; ev.Kind == wallet.EventMined {
					heights = append(heights, ev.Block.Height)
				}
			}
			select {
			case <-time.After(latency / 2):
			case <-ctx.Done():
				t.Fatalf("not in sync: %+v", st)
			}
		}
		if left := slices.Compact(owed); len(left) < 4 || left[0] > tip+1 || !slices.IsSortedFunc(left, func(a, b uint32) int { return cmp.Compare(b, a) }) {
			t.Errorf("of the blocks up to %d are owed, one time after the other, %d", tip, left)
		}
		if at := slices.Index(heights, tip+1); at < 0 || at > slices.Index(heights, tip) {
			t.Errorf("the new block %d waits for the old ones: %d", tip+1, heights)
		}
		coins, err := w.UTXOs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want := c.Truth([][]byte{lateScript, spvtest.Script(2)}).Coins
		if len(coins) != len(want) {
			t.Errorf("%d coins of %d", len(coins), len(want))
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// eventsAfter are the events that there are behind a cursor.
func eventsAfter(t *testing.T, w *wallet.Wallet, cursor uint64) (events []wallet.Event) {
	t.Helper()
	last, err := w.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cursor == last {
		return nil
	}
	for ev, err := range w.Events(t.Context(), cursor) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, ev); ev.Seq == last {
			break
		}
	}
	return events
}

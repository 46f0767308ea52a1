package spv_test

import (
	"context"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// crowd are wallets, each with a script of its own.
type crowd []*memoryWallet

// crowdScript is the script of one of them.
func crowdScript(i int) []byte { return spvtest.Script(uint32(100 + i)) }

func newCrowd(n int) (c crowd) {
	for i := range n {
		w := newMemoryWallet()
		w.watch(0, crowdScript(i))
		c = append(c, w)
	}
	return c
}

func (c crowd) join(cfg *spv.Config) {
	for _, w := range c {
		cfg.Wallets = append(cfg.Wallets, w)
	}
}

// wantBlocks checks that a wallet has got exactly these blocks, each once.
func (m *memoryWallet) wantBlocks(t *testing.T, ids ...chain.BlockID) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.matched) != len(ids) {
		t.Errorf("%d blocks, want %d", len(m.matched), len(ids))
	}
	for _, id := range ids {
		if m.matched[id.Height] != id || m.given[id] != 1 {
			t.Errorf("block %v was handed over %d times", id, m.given[id])
		}
	}
}

// A hundred wallets are scanned in one pass: each gets its own blocks, and a block that
// many of them need is fetched once.
//
// Rules 1 and 27.
func TestManyWallets(t *testing.T) {
	const n = 100
	c := spvtest.NewChain(nil)
	c.Mine(1000)
	own := make([]chain.BlockID, n)
	for i := range own {
		own[i] = c.MineBlock(c.Pay(crowdScript(i), 1e8))
		c.Mine(9)
	}
	var outs []*wire.TxOut
	for i := range n {
		outs = append(outs, wire.NewTxOut(1e6, crowdScript(i)))
	}
	shared := c.MineBlock(c.PayAll(outs...))
	c.Mine(10)
	storyOn(t, c, func(w *world) {
		all := newCrowd(n)
		w.joinMany(3, spvtest.Behaviour{})
		w.start(all.join)
		w.wait(spv.Settled)
		for i, m := range all {
			m.wantBlocks(t, own[i], shared)
		}
		if got := w.syncer.Status().Requests.Blocks; got != n+1 {
			t.Errorf("%d blocks were fetched, want %d", got, n+1)
		}
		w.wantNoViolations()
	})
}

// hanging is a wallet that does not return from Apply before it is let go.
type hanging struct {
	*memoryWallet
	letGo chan struct{}
}

func (h *hanging) Apply(ctx context.Context, b spv.Batch) error {
	<-h.letGo
	return h.memoryWallet.Apply(ctx, b)
}

// A wallet that hangs delays none of the others, now or at the next block, and has all
// that it missed when it comes back.
//
// Rules 16 and 18.
func TestWalletThatHangs(t *testing.T) {
	c := spvtest.NewChain(nil)
	var ids []chain.BlockID
	for range 200 {
		c.Mine(4)
		ids = append(ids, c.MineBlock(c.Pay(crowdScript(3), 1e8), c.Pay(crowdScript(7), 1e8)))
	}
	storyOn(t, c, func(w *world) {
		all := newCrowd(10)
		p := w.join(spvtest.Behaviour{})
		h := &hanging{all[3], make(chan struct{})}
		w.start(all.join, func(cfg *spv.Config) { cfg.Wallets[1+3] = h })
		w.pass(time.Minute)
		all[7].wantBlocks(t, ids...)
		if st := w.syncer.Status(); st.Synced {
			t.Errorf("a wallet hangs and everything is in sync: %+v", st)
		}
		for range 3 {
			ids = append(ids, c.MineBlock(c.Pay(crowdScript(3), 1e8), c.Pay(crowdScript(7), 1e8)))
			p.SetChain(c)
			w.pass(time.Second)
			all[7].wantBlocks(t, ids...)
		}
		close(h.letGo)
		w.syncTo(c)
		all[3].wantBlocks(t, ids...)
		if got := w.syncer.Status().Requests.Blocks; got > 2*len(ids) {
			t.Errorf("%d blocks were fetched, want %d at most", got, 2*len(ids))
		}
	})
}

// hangingAt is a wallet that does not return from an Apply with blocks before it is let go.
type hangingAt struct{ hanging }

func (h *hangingAt) Apply(ctx context.Context, b spv.Batch) error {
	if len(b.Blocks) == 0 {
		return h.memoryWallet.Apply(ctx, b)
	}
	return h.hanging.Apply(ctx, b)
}

// The chain is reorganized while a wallet takes a batch: it takes that back.
// Rule 8.
func TestReorgWhileAWalletTakesABatch(t *testing.T) {
	c := paid(100)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		m := newMemoryWallet()
		m.watch(0, watched)
		h := &hangingAt{hanging{m, make(chan struct{})}}
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, h) })
		w.pass(time.Minute)
		other := c.Fork(60)
		other.Mine(50)
		p.SetChain(other)
		w.pass(time.Minute)
		close(h.letGo)
		w.syncTo(other)
		w.wantMatches(other, 50)
		w.wallet = m
		w.wantMatches(other, 50)
	})
}

// Many wallets whose blocks do not come have no more of them on order than a few batches.
//
// Rule 20.
func TestPassesWaitForBlocks(t *testing.T) {
	const n, each = 30, 70
	c := spvtest.NewChain(nil)
	for i := range n { // one after the other: a pass ends within the blocks of one of them
		for range each {
			c.MineBlock(c.Pay(crowdScript(i), 1e6))
		}
	}
	storyOn(t, c, func(w *world) {
		w.join(silent(wire.CmdGetData))
		w.start(newCrowd(n).join)
		for range 20 {
			w.pass(time.Second)
			if got := w.syncer.Needed(); got > 5*64 || got == 0 && w.syncer.Status().Phase == spv.Scanning {
				t.Fatalf("%d blocks are needed", got)
			}
		}
	})
}

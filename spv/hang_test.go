package spv_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A call that goes on after its context has ended is left behind after half a minute, and
// Run says whose it is.
//
// Rules 9 and 18.
func TestCloseLeavesAWalletThatHangs(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		m := newMemoryWallet()
		m.watch(0, watched)
		h := &hanging{m, make(chan struct{})}
		defer close(h.letGo)
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, h) })
		w.pass(time.Second)
		began := time.Now()
		if err := w.syncer.Close(); err != nil {
			t.Error(err)
		}
		failed := new(spv.WalletError)
		if err := <-w.done; !errors.Is(err, spv.ErrHangs) || !errors.As(err, &failed) || failed.Wallet != spv.Wallet(h) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("Close took %v", took)
		}
		w.syncer = nil
	})
}

// Nor does it keep what is damaged from being fetched again for the others.
//
// Rules 9 and 25.
func TestWalletThatHangsDelaysNoMending(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		m := newMemoryWallet()
		m.watch(0, watched)
		h := &hanging{m, make(chan struct{})}
		defer close(h.letGo)
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, h) })
		w.pass(time.Second)
		w.flip(c.Filter(600))
		for range w.syncer.Read(w.t.Context(), chain.Range{From: 0, To: 2000}) {
		}
		w.pass(2 * time.Minute)
		wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
		if st := w.syncer.Status(); !st.Synced || len(st.FailedWallets) != 1 || !errors.Is(st.FailedWallets[0], spv.ErrHangs) {
			t.Errorf("%+v", st)
		}
	})
}

// What a wallet says of its own file is not about chain.db, whatever it is: Run ends when
// it was the last one.
func TestWalletErrorIsNoDamage(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		lost := &chaindb.Damage{Err: errors.New("not as it was written")}
		var logged logLines
		w.start(logged.config, func(cfg *spv.Config) {
			m := newMemoryWallet()
			m.watch(0, watched)
			cfg.Wallets = []spv.Wallet{&refusing{m, lost}}
		})
		w.pass(time.Minute)
		if len(w.done) == 0 {
			t.Fatal("Run goes on")
		}
		err := <-w.done
		failed := new(spv.WalletError)
		if !errors.As(err, &failed) || !errors.Is(err, error(lost)) || logged.count("are damaged and dropped") > 0 {
			t.Errorf("Run: %v", err)
		}
		if err := w.syncer.Close(); err != nil {
			t.Error(err)
		}
		w.syncer = nil
	})
}

// refusing is a wallet that takes nothing.
type refusing struct {
	*memoryWallet
	err error
}

func (r *refusing) Apply(context.Context, spv.Batch) error { return r.err }

// Detach gives up waiting for a wallet that hangs, and nobody waits for it afterwards.
func TestDetachOfAWalletThatHangs(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		m := newMemoryWallet()
		m.watch(0, watched)
		h := &hanging{m, make(chan struct{})}
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, h) })
		w.pass(time.Second)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		if err := w.syncer.Detach(ctx, h); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("detached: %v", err)
		}
		w.wait(spv.Settled)
		w.wantMatches(w.chain, 50, 100)
		close(h.letGo)
		synctest.Wait()
		if err := w.syncer.Attach(w.t.Context(), m); err != nil {
			t.Error(err)
		}
		w.wait(spv.Settled)
		var ids []chain.BlockID
		for _, height := range []uint32{50, 100} {
			ids = append(ids, w.chain.ID(height))
		}
		m.wantBlocks(t, ids...)
	})
}

// A call to a detached wallet that never ends keeps nothing from being mended.
// Rules 9 and 25.
func TestDetachedWalletDelaysNoMending(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		m := newMemoryWallet()
		m.watch(0, watched)
		h := &hanging{m, make(chan struct{})}
		defer close(h.letGo)
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, h) })
		w.pass(time.Second)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		_ = w.syncer.Detach(ctx, h)
		w.flip(c.Filter(600))
		for range w.syncer.Read(w.t.Context(), chain.Range{From: 0, To: 2000}) {
		}
		w.pass(time.Minute)
		wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
		synctest.Wait()
	})
}

// mute is a wallet that does not say of which network it is before it is let go.
type mute struct {
	*memoryWallet
	letGo chan struct{}
}

func (m mute) Network() wire.CurrencyNet { <-m.letGo; return m.memoryWallet.Network() }

// A wallet that hangs while it is attached delays nobody else.
// Rule 18.
func TestAttachOfAWalletThatHangs(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		m := mute{newMemoryWallet(), make(chan struct{})}
		attached := make(chan error, 1)
		go func() { attached <- w.syncer.Attach(w.t.Context(), m) }()
		w.pass(time.Second)
		w.wait(spv.Settled)
		w.wantMatches(w.chain, 50, 100)
		close(m.letGo)
		if err := <-attached; err != nil {
			t.Error(err)
		}
	})
}

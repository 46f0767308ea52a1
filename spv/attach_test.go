package spv_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// Wallets come and go while the Syncer runs: each has what it is due from then on, no
// filter is fetched again, and nobody calls one that is gone.
// Rules 1 and 27.
func TestAttachAndDetach(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(500)
	first := c.MineBlock(c.Pay(crowdScript(0), 1e8), c.Pay(crowdScript(1), 1e8))
	c.Mine(100)
	storyOn(t, c, func(w *world) {
		ctx := w.t.Context()
		all := newCrowd(3)
		p := w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		filters := w.total(wire.CmdGetCFiltersV2)
		for _, m := range all {
			if err := w.syncer.Attach(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.syncer.Attach(ctx, all[1]); !errors.Is(err, spv.ErrAttached) {
			t.Errorf("attached twice: %v", err)
		}
		w.wait(spv.Settled)
		all[0].wantBlocks(t, first)
		all[1].wantBlocks(t, first)
		all[2].wantBlocks(t)

		if err := w.syncer.Detach(ctx, all[0]); err != nil {
			t.Fatal(err)
		}
		if err := w.syncer.Detach(ctx, all[0]); !errors.Is(err, spv.ErrNotAttached) {
			t.Errorf("detached twice: %v", err)
		}
		second := c.MineBlock(c.Pay(crowdScript(0), 1e8), c.Pay(crowdScript(1), 1e8))
		p.SetChain(c)
		w.syncTo(c)
		all[0].wantBlocks(t, first)
		all[1].wantBlocks(t, first, second)
		if err := w.syncer.Attach(ctx, all[0]); err != nil {
			t.Fatal(err)
		}
		w.wait(spv.Settled)
		all[0].wantBlocks(t, first, second)
		if n := w.total(wire.CmdGetCFiltersV2) - filters; n > 1 {
			t.Errorf("%d requests for filters", n)
		}
	})
}

// foreign is a wallet of another network.
type foreign struct{ *memoryWallet }

func (foreign) Network() wire.CurrencyNet { return wire.MainNet }

// A wallet of another network, and one that is attached already, are refused before
// anything happens to it.
func TestAttachRefuses(t *testing.T) {
	story(t, 10, func(w *world) {
		w.join(spvtest.Behaviour{})
		try := func(wallets ...spv.Wallet) error {
			s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: t.TempDir(), Wallets: wallets})
			if err == nil {
				err = s.Close()
			}
			return err
		}
		m := newMemoryWallet()
		if err := try(m, foreign{newMemoryWallet()}); !errors.Is(err, spv.ErrWalletNetwork) {
			t.Errorf("another network: %v", err)
		}
		if err := try(m, m); !errors.Is(err, spv.ErrAttached) {
			t.Errorf("the same twice: %v", err)
		}
		if err := try(m); err != nil {
			t.Errorf("after that: %v", err)
		}
		w.start()
		if err := w.syncer.Attach(w.t.Context(), foreign{m}); !errors.Is(err, spv.ErrWalletNetwork) {
			t.Errorf("another network while it runs: %v", err)
		}
	})
}

// named is a wallet with a name that fails when it is told to.
type named struct {
	*memoryWallet
	name string
	fail error
}

func (n *named) String() string { return n.name }

func (n *named) Apply(ctx context.Context, b spv.Batch) error {
	if n.fail != nil {
		return n.fail
	}
	return n.memoryWallet.Apply(ctx, b)
}

// A wallet that fails is detached with an error that names it, and the others go on. Run
// ends with the last one.
func TestWalletThatFails(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(50)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		all := newCrowd(2)
		bad := &named{memoryWallet: all[1], name: "savings"}
		w.start(func(cfg *spv.Config) { cfg.Wallets = []spv.Wallet{all[0], bad} })
		w.wait(spv.Settled)
		bad.fail = errors.New("the disk is full")
		id := c.MineBlock(c.Pay(crowdScript(0), 1e8), c.Pay(crowdScript(1), 1e8))
		p.SetChain(c)
		w.syncTo(c)
		all[0].wantBlocks(t, id)
		st := w.syncer.Status()
		if len(st.FailedWallets) != 1 || st.FailedWallets[0].Wallet != bad || st.FailedWallets[0].Error() != "savings: the disk is full" {
			t.Errorf("%v", st.FailedWallets)
		}
		if err := w.syncer.Detach(w.t.Context(), bad); !errors.Is(err, spv.ErrNotAttached) {
			t.Errorf("it is still attached: %v", err)
		}
		all[0].applyErr = errors.New("no more room")
		c.Mine(1)
		p.SetChain(c)
		var failed *spv.WalletError
		if err := <-w.done; !errors.As(err, &failed) || failed.Wallet != all[0] {
			t.Errorf("Run ended with %v", err)
		}
		if err := w.syncer.Close(); err != nil {
			t.Error(err)
		}
		w.syncer = nil
	})
}

// greedy is a wallet that wants what can't be tested.
type greedy struct {
	*memoryWallet
	scan spv.Scan
}

func (g *greedy) Birthday() (uint32, bool) { return 5, true }
func (g *greedy) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	return g.scan, true, nil
}

// A wallet that wants what makes no sense is detached, and the others go on.
// Rule 9.
func TestWalletThatWantsNonsense(t *testing.T) {
	q := filters.NewQuery([][]byte{watched})
	top := ^uint32(0)
	for name, sc := range map[string]spv.Scan{
		"inverted":           {Range: chain.Range{From: 7, To: 3}, Query: q},
		"above the limit":    {Range: chain.Range{From: 7, To: 300}, Query: q},
		"at the top":         {Range: chain.Range{From: top - 5, To: top}, Query: q},
		"everything":         {Range: chain.Range{From: 5, To: top}, Query: q},
		"below its birthday": {Range: chain.Range{From: 4, To: 50}, Query: q},
		"below all filters":  {Range: chain.Range{From: 1, To: 50}, Query: q},
		"no query":           {Range: chain.Range{From: 7, To: 50}},
	} {
		t.Run(name, func(t *testing.T) {
			storyOn(t, paid(100), func(w *world) {
				w.join(spvtest.Behaviour{})
				w.wallet.watch(3, watched)
				w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, &greedy{newMemoryWallet(), sc}) })
				w.wait(spv.Settled)
				w.wantMatches(w.chain, 50, 100)
				if n := len(w.syncer.Status().FailedWallets); n != 1 {
					t.Errorf("%d wallets have failed", n)
				}
			})
		})
	}
}

// Close ends Run, also while wallets and peers are busy.
func TestCloseEndsRun(t *testing.T) {
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			storyOn(t, paid(2000), func(w *world) {
				w.wallet.watch(0, watched)
				w.joinMany(2, spvtest.Behaviour{Latency: 30 * time.Millisecond})
				w.start()
				w.pass(time.Duration(i) * 20 * time.Millisecond)
				began := time.Now()
				if err := w.syncer.Close(); err != nil {
					t.Error(err)
				}
				if err := <-w.done; err != nil || time.Since(began) > time.Second {
					t.Errorf("Run ended after %v with %v", time.Since(began), err)
				}
				w.syncer = nil
				synctest.Wait()
			})
		})
	}
}

// obedient is a wallet whose calls take for ever, and end with their context.
type obedient struct{ *memoryWallet }

func (o obedient) Apply(ctx context.Context, _ spv.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

// The end of Run, and Detach, end the calls of a wallet.
// Rule 9.
func TestWalletCallsEndWithTheirContext(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		all := newCrowd(2)
		slow := []spv.Wallet{obedient{all[0]}, obedient{all[1]}}
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, slow...) })
		w.pass(time.Second)
		began := time.Now()
		if err := w.syncer.Detach(w.t.Context(), slow[0]); err != nil {
			t.Errorf("detached: %v", err)
		}
		w.stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("the calls ended after %v", took)
		}
	})
}

// closedChanged is a wallet whose channel of changes is closed.
type closedChanged struct{ *memoryWallet }

func (m closedChanged) Changed() <-chan struct{} { c := make(chan struct{}); close(c); return c }

// A wallet may close the channel of its changes.
// Rule 9.
func TestWalletThatClosesChanged(t *testing.T) {
	story(t, 10, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, closedChanged{newMemoryWallet()}) })
		w.wait(spv.Settled)
	})
}

// A wallet that failed may be attached again, however often: it is one that failed, until
// it is attached.
// Rule 20.
func TestWalletThatFailedIsAttachedAgain(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		m := newMemoryWallet()
		m.watch(0, watched)
		m.applyErr = errors.New("no room")
		for range 10 {
			if err := w.syncer.Attach(w.t.Context(), m); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
		}
		if n := len(w.syncer.Status().FailedWallets); n != 1 {
			t.Errorf("%d wallets have failed", n)
		}
		m.mu.Lock()
		m.applyErr = nil
		m.mu.Unlock()
		if err := w.syncer.Attach(w.t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w.wait(spv.Settled)
		if n := len(w.syncer.Status().FailedWallets); n != 0 {
			t.Errorf("%d wallets have failed", n)
		}
	})
}

// Hundreds of wallets come and go while blocks come, and the chain is reorganized: each
// has what it is due, whenever it was there.
//
// Rules 8, 16 and 27.
func TestWalletsComeAndGo(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { comeAndGo(t, rand.New(rand.NewPCG(seed, 16))) })
	}
}

func comeAndGo(t *testing.T, rng *rand.Rand) {
	const n = 300
	c := spvtest.NewChain(nil)
	for i := range n {
		c.MineBlock(c.Pay(crowdScript(i), 1e6))
	}
	storyOn(t, c, func(w *world) {
		all, attached := newCrowd(n), make(map[int]bool)
		p := w.join(spvtest.Behaviour{Latency: 20 * time.Millisecond})
		w.start()
		for range 60 {
			for range 20 {
				i := rng.IntN(n)
				change := w.syncer.Attach
				if attached[i] {
					change = w.syncer.Detach
				}
				if err := change(w.t.Context(), all[i]); err != nil {
					t.Fatal(err)
				}
				attached[i] = !attached[i]
			}
			if rng.IntN(8) == 0 {
				c = c.Fork(c.Height() - 1 - rng.Uint32N(5))
				c.Mine(6)
			}
			for range 1 + rng.IntN(3) {
				c.MineBlock(c.Pay(crowdScript(rng.IntN(n)), 1e6), c.Pay(crowdScript(rng.IntN(n)), 1e6))
			}
			p.SetChain(c)
			w.pass(time.Duration(rng.IntN(3000)) * time.Millisecond)
		}
		for i, m := range all {
			if !attached[i] {
				if err := w.syncer.Attach(w.t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.syncTo(c)
		if failed := w.syncer.Status().FailedWallets; len(failed) > 0 {
			t.Fatal(failed[0])
		}
		for i, m := range all {
			m.wantAll(t, c, crowdScript(i))
		}
	})
}

// wantAll checks that the wallet has every block of a chain that has its script.
func (m *memoryWallet) wantAll(t *testing.T, c *spvtest.Chain, script []byte) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	q := filters.NewQuery([][]byte{script})
	var matcher filters.Matcher
	for height := uint32(1); height <= c.Height(); height++ {
		h := c.Header(height)
		match, err := matcher.Match(q, h.FilterKey(), c.Filter(height))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := m.matched[height]; match != ok || ok && got != c.ID(height) {
			t.Fatalf("block %d: %v, want %v", height, ok, match)
		}
	}
}

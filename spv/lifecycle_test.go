package spv_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// A Syncer runs once: a second Run is refused while the first goes on, and after
// it. Closing again, or closing what never ran, does nothing.
func TestRunOnce(t *testing.T) {
	story(t, 50, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.sync()
		s := w.syncer
		if err := s.Run(w.t.Context()); !errors.Is(err, spv.ErrRunning) {
			t.Errorf("second Run: %v", err)
		}
		if st := s.Status(); !st.Synced {
			t.Errorf("the first Run was disturbed: %+v", st)
		}
		w.stop()
		if err := s.Run(w.t.Context()); !errors.Is(err, spv.ErrRunning) {
			t.Errorf("Run after the end: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if _, err := s.Peers(w.t.Context()); !errors.Is(err, spv.ErrNotRunning) {
			t.Errorf("Peers after the end: %v", err)
		}
		never, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := never.Close(); err != nil {
				t.Errorf("Close without Run: %v", err)
			}
		}
		if err := never.Run(w.t.Context()); !errors.Is(err, spv.ErrRunning) {
			t.Errorf("Run after Close: %v", err)
		}
	})
}

// Many wait for the same sync: it runs once and all of them see its end. Who
// watches more in the middle of it makes it go further, with nothing fetched
// twice.
// Rule 1.
func TestManyWaitForOneSync(t *testing.T) {
	c := paid(4000)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(3900, watched)
		w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start()
		var done atomic.Int32
		for range 20 {
			go func() {
				if err := w.syncer.Wait(w.t.Context(), spv.Synced); err == nil {
					done.Add(1)
				}
			}()
		}
		w.while(func(st spv.Status) bool { return st.Phase != spv.Filters })
		w.wallet.watch(1500, watched)
		w.sync()
		if n := done.Load(); n != 20 {
			t.Errorf("%d of 20 saw the end", n)
		}
		w.wantMatches(c, 2000, 4000)
		w.wantEachOnce(1500, 4000)
		if n := w.initialHeaderRequests(); n > 3 {
			t.Errorf("%d getheaders", n)
		}
	})
}

// calledWallet counts the calls it gets, and notes those after the end.
type calledWallet struct {
	*memoryWallet
	ended atomic.Bool
	late  atomic.Int32
}

func (w *calledWallet) call() {
	if w.ended.Load() {
		w.late.Add(1)
	}
}

func (w *calledWallet) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	w.call()
	return w.memoryWallet.NextScan(ctx, limit)
}

func (w *calledWallet) Apply(ctx context.Context, b spv.Batch) error {
	w.call()
	return w.memoryWallet.Apply(ctx, b)
}

func (w *calledWallet) Locator(ctx context.Context) ([]chain.BlockID, error) {
	w.call()
	return w.memoryWallet.Locator(ctx)
}

// Stopped at any moment the Syncer ends at that moment, and leaves its wallet
// alone from then on, so that it can be closed. The next run goes on, and in the
// end everything is there, each matched block handed over once by every run
// that had it to do.
// Rules 9 and 17.
func TestStoppedAtAnyMoment(t *testing.T) {
	c := paid(3000)
	for seed := range uint64(8) {
		storyOn(t, c, func(w *world) {
			rng := rand.New(rand.NewPCG(seed, 7))
			w.wallet.watch(0, watched)
			w.joinMany(2, spvtest.Behaviour{Latency: 50 * time.Millisecond})
			for range 6 {
				caller := &calledWallet{memoryWallet: w.wallet}
				w.start(func(cfg *spv.Config) { cfg.Wallets = []spv.Wallet{caller} })
				time.Sleep(time.Duration(rng.IntN(600)) * time.Millisecond) // and not at rest
				before := time.Now()
				w.stop()
				caller.ended.Store(true)
				if took := time.Since(before); took != 0 {
					t.Errorf("seed %d: the end took %v", seed, took)
				}
				w.pass(time.Hour)
				if n := caller.late.Load(); n != 0 {
					t.Errorf("seed %d: %d calls after the end", seed, n)
				}
			}
			w.start()
			w.sync()
			w.wantMatches(c, 1500, 3000)
			for id, n := range w.wallet.given {
				if n != 1 {
					t.Errorf("seed %d: block %v was handed over %d times", seed, id, n)
				}
			}
			if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
				t.Errorf("seed %d: cut off: %v", seed, cuts)
			}
		})
	}
}

// Headers whose filters were missing when the last run ended get them at once:
// the filters do not wait until the headers are complete.
func TestMissingFiltersDontWaitForHeaders(t *testing.T) {
	story(t, 4000, func(w *world) {
		w.join(silent(wire.CmdGetCFiltersV2))
		w.start()
		w.pass(time.Second)
		w.stop()
		if tip, filters := w.headersOnDisk(), w.filtersOnDisk(); tip != 4000 || filters != 0 {
			t.Fatalf("headers to %d and filters to %d are on disk", tip, filters)
		}
		longer := w.chain.Fork(4000)
		longer.Mine(10)
		w.peers[0].SetChain(longer)
		w.peers[0].SetBehaviour(silent(wire.CmdGetHeaders))
		w.start()
		synctest.Wait()
		if st := w.syncer.Status(); st.Filters.Through < 3999 || st.Tip.Height != 4000 || st.Synced {
			t.Errorf("%+v", st)
		}
	})
}

// Every error of a wallet ends Run with that error, and no peer is blamed.
// Rule 7.
func TestWalletErrorsAreLocal(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func(*brokenWallet){
		"locator": func(b *brokenWallet) { b.locator = broken },
		"scan":    func(b *brokenWallet) { b.scan = broken },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 100, func(w *world) {
				b := &brokenWallet{memoryWallet: w.wallet}
				fail(b)
				w.wallet.watch(0, watched)
				w.join(spvtest.Behaviour{})
				w.start(func(cfg *spv.Config) { cfg.Wallets = []spv.Wallet{b} })
				waiting := w.syncer.Wait(w.t.Context(), spv.Synced)
				if err := <-w.done; !errors.Is(err, broken) {
					t.Errorf("Run: %v", err)
				}
				if !errors.Is(waiting, spv.ErrNotRunning) {
					t.Errorf("Wait: %v", waiting)
				}
				if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
					t.Errorf("cut off: %v", cuts)
				}
				w.syncer.Close()
				w.syncer = nil
			})
		})
	}
}

type brokenWallet struct {
	*memoryWallet
	locator, scan error
}

func (b *brokenWallet) Locator(ctx context.Context) ([]chain.BlockID, error) {
	if b.locator != nil {
		return nil, b.locator
	}
	return b.memoryWallet.Locator(ctx)
}

func (b *brokenWallet) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	if b.scan != nil {
		return spv.Scan{}, false, b.scan
	}
	return b.memoryWallet.NextScan(ctx, limit)
}

// A context that has ended before Run ends it at once, and a deadline to the
// instant.
// Rule 9.
func TestRunEndsWithItsContext(t *testing.T) {
	for _, limit := range []time.Duration{0, 777 * time.Millisecond} {
		story(t, 5000, func(w *world) {
			w.join(spvtest.Behaviour{Latency: time.Second})
			w.start()
			w.stop()
			s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: w.dir, Connect: w.addrs, Dial: w.net.Dial})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx, cancel := context.WithTimeout(w.t.Context(), limit)
			defer cancel()
			began := time.Now()
			if err := s.Run(ctx); err != nil || time.Since(began) != limit {
				t.Errorf("Run: %v after %v, want %v", err, time.Since(began), limit)
			}
		})
	}
}

// What is known about peers is written every half minute, and not before: it is
// not worth a write for each message.
func TestPeersAreSavedEveryHalfMinute(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.pass(time.Second)
		first := w.savedPeers()
		w.pass(29*time.Second - 1)
		if now := w.savedPeers(); now != first {
			t.Errorf("%s is saved before half a minute is over, and before it was %s", now, first)
		}
		w.pass(30 * time.Second) // a look around comes within this time
		if now := w.savedPeers(); now == first || !strings.Contains(now, w.addrs[0]) {
			t.Errorf("after a minute there is %s", now)
		}
	})
}

// savedPeers is what would be left of the registry if the process were killed now.
func (w *world) savedPeers() string {
	w.t.Helper()
	synctest.Wait()
	data, err := os.ReadFile(filepath.Join(w.dir, spv.ChainFile))
	if err != nil {
		w.t.Fatal(err)
	}
	file := filepath.Join(w.t.TempDir(), spv.ChainFile)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	db, err := chaindb.Open(file, w.chain.Rules())
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	blob, err := db.Blob(spv.RegistryBlob)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(blob)
}

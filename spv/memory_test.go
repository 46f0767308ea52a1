package spv_test

import (
	"os"
	"path/filepath"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// Without a data directory everything works as with one: wallets, reading, verifying,
// copying. No file is left anywhere, and the next Syncer begins with nothing.
func TestInMemory(t *testing.T) {
	here, tmp := t.TempDir(), t.TempDir()
	t.Chdir(here)
	t.Setenv("TMPDIR", tmp)
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.dir = ""
		for range 2 {
			w.wallet = newMemoryWallet()
			w.wallet.watch(0, watched)
			w.start()
			if tip := w.syncer.Tip(); tip.Height != 0 {
				t.Errorf("it begins at block %d", tip.Height)
			}
			w.wait(spv.Settled)
			w.wantMatches(c, 1500, 3000)
			wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
			copied := filepath.Join(here, spv.ChainFile)
			if err := w.syncer.Copy(w.t.Context(), copied); err != nil {
				t.Fatal(err)
			}
			s := w.syncer
			w.stop()
			if _, err := s.Header(w.t.Context(), 1); err == nil {
				t.Error("a header can be read after Close")
			}
			from, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: here})
			if err != nil {
				t.Fatal(err)
			}
			if err := from.Check(w.t.Context()); err != nil || from.Tip() != c.Tip() {
				t.Errorf("the copy ends at %v, %v", from.Tip(), err)
			}
			if err := from.Close(); err != nil {
				t.Error(err)
			}
			for _, name := range []string{spv.ChainFile, "chain.seal"} {
				os.Remove(filepath.Join(here, name))
			}
		}
		if n := p.FilterRequests(100); n != 2 {
			t.Errorf("a filter was asked for %d times by two", n)
		}
	})
	for _, dir := range []string{here, tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
}

// Peers can be found without a data directory, and banned; neither is known to the next
// Syncer.
func TestPeersInMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	c := paid(50)
	storyOn(t, c, func(w *world) {
		w.dir = ""
		w.start(func(cfg *spv.Config) { cfg.Connect = nil })
		if err := w.syncer.BanPeer(w.t.Context(), "10.0.0.9"); err != nil {
			t.Error(err)
		}
		w.stop()
		w.start(func(cfg *spv.Config) { cfg.Connect = nil })
		if peers, err := w.syncer.Peers(w.t.Context()); err != nil || len(peers) != 0 {
			t.Errorf("known: %+v, %v", peers, err)
		}
	})
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// The zero Config is mainnet, in memory: there is genesis, which is verified as any chain.
func TestZeroConfig(t *testing.T) {
	s, err := spv.New(spv.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	report, err := s.Verify(t.Context(), nil)
	if err != nil || report.Headers != 1 || report.Tip.Hash != chaincfg.MainNetParams().GenesisHash {
		t.Errorf("%+v, %v", report, err)
	}
	if st := s.Status(); st.Network != "mainnet" || st.Tip.Hash != report.Tip.Hash {
		t.Errorf("%+v", st)
	}
}

package spv_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// A copy that is made while the chain grows is whole, and verified where it is opened.
//
// Rules 25 and 27.
func TestCopy(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		p := w.join(spvtest.Behaviour{})
		w.wallet.watch(0, watched)
		w.start()
		w.sync()
		dir := t.TempDir()
		path := filepath.Join(dir, spv.ChainFile)
		ended, cancel := context.WithCancel(w.t.Context())
		cancel()
		if err := w.syncer.Copy(ended, path); !errors.Is(err, context.Canceled) {
			w.t.Errorf("with a context that has ended: %v", err)
		}
		if err := w.syncer.Copy(w.t.Context(), path); err != nil {
			w.t.Fatal(err)
		}
		if err := w.syncer.Copy(w.t.Context(), path); !errors.Is(err, fs.ErrExist) {
			w.t.Errorf("over a file: %v", err)
		}
		if err := w.syncer.Copy(w.t.Context(), filepath.Join(dir, "none", "chain.db")); !errors.Is(err, fs.ErrNotExist) {
			w.t.Errorf("into no directory: %v", err)
		}
		at := c.Height()
		c.Mine(10)
		p.SetChain(c)
		w.syncTo(c)

		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			w.t.Errorf("left: %v, %v", files, err)
		}
		s, err := spv.New(spv.Config{Params: c.Params(), Rules: c.Rules(), DataDir: dir})
		if err != nil {
			w.t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Header(w.t.Context(), 1); !errors.Is(err, spv.ErrUnverified) {
			w.t.Errorf("before it is verified: %v", err)
		}
		if err := s.Check(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if tip := s.Tip(); tip != c.ID(at) {
			w.t.Errorf("tip %v, want %v", tip, c.ID(at))
		}
		wantReadable(w.t, s, c, chain.Range{From: 0, To: at})
	})
}

package dcrwallet

import (
	"context"
	"errors"
	"testing"
	"time"

	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
)

// Who waits hears that Run has ended, also if the Syncer is never in sync.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newWallet(t, dir+"/wallet.db", make([]byte, 32))
	w, db := openWallet(t, dir+"/wallet.db", false)
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: dir, Connect: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-ended, s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	b, err := New(s, w, Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.Lock()
	if err := b.Run(ctx); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := b.Wait(waiting); !errors.Is(err, ErrEnded) {
		t.Fatal(err)
	}
	if err := b.Run(ctx); !errors.Is(err, ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
}

package realnodes

import (
	"context"
	"path/filepath"
	"testing"

	"dcrspv/spv"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
)

// light is a Syncer as a Go program embeds it, with a wallet for each thing that is
// watched apart from the others.
type light struct {
	wallets map[string]*wallet.Wallet
	syncer  *spv.Syncer
	cancel  context.CancelFunc
	ended   chan error
}

// startLight watches from nothing. It ends with the test at the latest.
func startLight(t *testing.T, n *network, watches map[string]wallet.Watch) *light {
	t.Helper()
	dir := t.TempDir()
	l := &light{wallets: make(map[string]*wallet.Wallet), ended: make(chan error, 1)}
	cfg := spv.Config{Params: chaincfg.SimNetParams(), DataDir: dir, Connect: n.P2P}
	for name, watch := range watches {
		w, err := wallet.Open(filepath.Join(dir, name), cfg.Params)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Watch(t.Context(), watch); err != nil {
			t.Fatal(err)
		}
		l.wallets[name] = w
		cfg.Wallets = append(cfg.Wallets, w)
	}
	var err error
	if l.syncer, err = spv.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() { l.ended <- l.syncer.Run(ctx) }()
	t.Cleanup(func() { l.end(t) })
	return l
}

// end ends it; it may be called twice.
func (l *light) end(t *testing.T) {
	t.Helper()
	if l.wallets == nil {
		return
	}
	l.cancel()
	if err := <-l.ended; err != nil {
		t.Error(err)
	}
	if err := l.syncer.Close(); err != nil {
		t.Error(err)
	}
	for _, w := range l.wallets {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	l.wallets = nil
}

// at reports whether it is in sync at a block.
func (l *light) at(tip tip) bool {
	st := l.syncer.Status()
	return st.Synced && st.Tip.Hash.String() == tip.Hash
}

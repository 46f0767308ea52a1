package spv_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// archive is a source of chain data without any connection: it reads a chain.
type archive struct {
	chain   *spvtest.Chain
	cfg     *spv.SourceConfig
	handler chan spv.SourceHandler
	closed  chan struct{}
	once    sync.Once
	reason  error
}

func (a *archive) Info() spv.SourceInfo {
	return spv.SourceInfo{Addr: "archive:1", PVer: 11, Services: wire.SFNodeNetwork, Height: a.chain.Height()}
}

func (a *archive) Run(ctx context.Context, h spv.SourceHandler) error {
	a.handler <- h
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.closed:
		return a.reason
	}
}

func (a *archive) Close(reason error) {
	a.once.Do(func() {
		a.reason = reason
		close(a.closed)
	})
}

func (a *archive) Stats() spv.SourceStats { return spv.SourceStats{} }

func (a *archive) after(locator []chainhash.Hash) []chain.Header {
	from := uint32(0)
	for _, hash := range locator {
		if h, ok := a.chain.HeightOf(hash); ok {
			from = h
			break
		}
	}
	var headers []chain.Header
	for h := from + 1; h <= a.chain.Height() && len(headers) < wire.MaxBlockHeadersPerMsg; h++ {
		headers = append(headers, a.chain.Header(h))
	}
	return headers
}

func (a *archive) Headers(_ context.Context, locator []chainhash.Hash, _ chainhash.Hash) ([]chain.Header, error) {
	return a.after(locator), nil
}

func (a *archive) Filters(_ context.Context, hashes []chainhash.Hash) (filters [][]byte, err error) {
	for _, hash := range hashes {
		h, ok := a.chain.HeightOf(hash)
		if !ok {
			return nil, spv.ErrNotFound
		}
		filters = append(filters, a.chain.Filter(h))
	}
	return filters, nil
}

func (a *archive) Blocks(_ context.Context, hashes []chainhash.Hash, fn func(int, *wire.MsgBlock) error) error {
	for i, hash := range hashes {
		h, ok := a.chain.HeightOf(hash)
		if !ok {
			return spv.ErrNotFound
		}
		if err := fn(i, a.chain.Block(h)); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) SendHeaders(locator []chainhash.Hash) error { return a.RequestHeaders(locator) }

func (a *archive) RequestHeaders(locator []chainhash.Hash) error {
	h := <-a.handler
	a.handler <- h
	headers := a.after(locator)
	go h.Headers(headers)
	return nil
}

func (a *archive) RequestAddrs() error               { return nil }
func (a *archive) Announce([]chainhash.Hash) error   { return nil }
func (a *archive) Serve(*wire.MsgTx) error           { return nil }
func (a *archive) NotFound([]*wire.InvVect) error    { return nil }
func (a *archive) RequestTxs([]chainhash.Hash) error { return nil }

// Chain data may come from something else than a peer: what it gives is verified
// and scanned the same way, and the Decred protocol is nowhere involved.
// Rules 11 and 27.
func TestSourceThatIsNoPeer(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.addrs = []string{"archive:1"}
		opened := 0
		w.start(func(cfg *spv.Config) {
			cfg.Dial = nil
			cfg.Open = func(_ context.Context, _ string, cfg *spv.SourceConfig) (spv.Source, error) {
				opened++
				a := &archive{chain: c, cfg: cfg, handler: make(chan spv.SourceHandler, 1), closed: make(chan struct{})}
				if err := cfg.Accept(a.Info()); err != nil {
					return nil, err
				}
				return a, nil
			}
		})
		st := w.wait(spv.Settled)
		w.wantMatches(c, 1500, 3000)
		if st.Tip.Hash != c.Tip().Hash || opened != 1 || st.Peers != 1 {
			t.Errorf("opened %d times: %+v", opened, st)
		}
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil || !slices.ContainsFunc(peers, func(p spv.Peer) bool { return p.Addr == "archive:1" && p.SendHeaders }) {
			t.Errorf("%+v, %v", peers, err)
		}
	})
}

// faulty is a source that does not give what was asked for, and says nothing of it.
type faulty struct {
	*archive
	filters func([][]byte) [][]byte
	blocks  func(hashes []chainhash.Hash, fn func(int, *wire.MsgBlock) error) error
}

func (f *faulty) Filters(ctx context.Context, hashes []chainhash.Hash) ([][]byte, error) {
	filters, err := f.archive.Filters(ctx, hashes)
	if f.filters != nil {
		filters = f.filters(filters)
	}
	return filters, err
}

func (f *faulty) Blocks(ctx context.Context, hashes []chainhash.Hash, fn func(int, *wire.MsgBlock) error) error {
	if f.blocks != nil {
		return f.blocks(hashes, fn)
	}
	return f.archive.Blocks(ctx, hashes, fn)
}

// A source that gives more or less than was asked for breaks the protocol, and harms
// nothing.
// Rules 7 and 11.
func TestSourceThatGivesSomethingElse(t *testing.T) {
	c := paid(3000)
	for name, fault := range map[string]faulty{
		"too few filters":  {filters: func(f [][]byte) [][]byte { return f[1:] }},
		"no filters":       {filters: func([][]byte) [][]byte { return nil }},
		"too many filters": {filters: func(f [][]byte) [][]byte { return append(f, f[0]) }},
		"no blocks":        {blocks: func([]chainhash.Hash, func(int, *wire.MsgBlock) error) error { return nil }},
		"too many blocks": {blocks: func(hashes []chainhash.Hash, fn func(int, *wire.MsgBlock) error) error {
			return fn(len(hashes), c.Block(1500))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				w.wallet.watch(0, watched)
				w.addrs = []string{"archive:1", "archive:2"}
				w.start(func(cfg *spv.Config) {
					cfg.Dial = nil
					cfg.Open = func(_ context.Context, addr string, cfg *spv.SourceConfig) (spv.Source, error) {
						a := &archive{chain: c, cfg: cfg, handler: make(chan spv.SourceHandler, 1), closed: make(chan struct{})}
						if addr == "archive:1" {
							f := fault
							f.archive = a
							return &f, cfg.Accept(f.Info())
						}
						time.Sleep(time.Minute)
						return a, cfg.Accept(a.Info())
					}
				})
				w.wait(spv.Settled)
				w.wantMatches(c, 1500, 3000)
				wantReadable(t, w.syncer, c, chain.Range{From: 0, To: 3000})
				if reason := w.cutReason(0); !strings.Contains(reason, spv.ErrProtocol.Error()) {
					t.Errorf("it is cut off because of %q", reason)
				}
			})
		})
	}
}

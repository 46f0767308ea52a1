// Package outside is what another project does with this one: it brings a source of
// chain data and a wallet of its own, and fills every field of the configuration.
package outside

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// source serves a chain without any connection.
type source struct {
	chain   *spvtest.Chain
	running chan spv.SourceHandler
	ended   chan error
}

var _ spv.Source = (*source)(nil)

func (s *source) Info() spv.SourceInfo {
	return spv.SourceInfo{Addr: "chain:1", PVer: spv.ProtocolVersion, Services: wire.SFNodeNetwork, Height: s.chain.Height()}
}

func (s *source) Stats() spv.SourceStats { return spv.SourceStats{LastMessage: time.Now()} }

func (s *source) Run(ctx context.Context, h spv.SourceHandler) error {
	s.running <- h
	select {
	case err := <-s.ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) Close(reason error) {
	select {
	case s.ended <- reason:
	default:
	}
}

func (s *source) Headers(_ context.Context, locator []chainhash.Hash, _ chainhash.Hash) (headers []chain.Header, err error) {
	known := slices.IndexFunc(locator, func(h chainhash.Hash) bool { _, ok := s.chain.HeightOf(h); return ok })
	if known < 0 {
		return nil, errors.New("another chain")
	}
	from, _ := s.chain.HeightOf(locator[known])
	for h := from + 1; h <= s.chain.Height() && len(headers) < wire.MaxBlockHeadersPerMsg; h++ {
		headers = append(headers, s.chain.Header(h))
	}
	return headers, nil
}

func (s *source) Filters(_ context.Context, hashes []chainhash.Hash) (raw [][]byte, err error) {
	for _, hash := range hashes {
		h, ok := s.chain.HeightOf(hash)
		if !ok {
			return nil, spv.ErrStalled
		}
		raw = append(raw, s.chain.Filter(h))
	}
	return raw, nil
}

func (s *source) Blocks(_ context.Context, hashes []chainhash.Hash, fn func(int, *wire.MsgBlock) error) error {
	for i, hash := range hashes {
		h, ok := s.chain.HeightOf(hash)
		if !ok {
			return spv.ErrNotFound
		}
		if err := fn(i, s.chain.Block(h)); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) SendHeaders(locator []chainhash.Hash) error { return s.RequestHeaders(locator) }

func (s *source) RequestHeaders(locator []chainhash.Hash) error {
	headers, err := s.Headers(context.Background(), locator, chainhash.Hash{})
	h := <-s.running
	s.running <- h
	go h.Headers(headers)
	return err
}

func (s *source) RequestAddrs() error               { return nil }
func (s *source) Announce([]chainhash.Hash) error   { return nil }
func (s *source) Serve(*wire.MsgTx) error           { return nil }
func (s *source) NotFound([]*wire.InvVect) error    { return nil }
func (s *source) RequestTxs([]chainhash.Hash) error { return nil }

// counter is a wallet that counts the blocks with one script.
type counter struct {
	mu      sync.Mutex
	query   *filters.Query
	last    []chain.BlockID // ends of batches, newest first
	found   int
	changed chan struct{}
}

var _ spv.UnminedWallet = (*counter)(nil)

// next is the first block that was not tested.
func (c *counter) next() uint32 {
	if len(c.last) == 0 {
		return 0
	}
	return c.last[0].Height + 1
}

func (c *counter) Network() wire.CurrencyNet { return wire.SimNet }

func (c *counter) Locator(ctx context.Context) ([]chain.BlockID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.last), nil
}

func (c *counter) Rewind(_ context.Context, _ chain.BlockID) error {
	return errors.New("this chain has no reorgs")
}

func (c *counter) Birthday() (uint32, bool) { return 0, true }

func (c *counter) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.next()
	return spv.Scan{Range: chain.Range{From: from, To: limit}, Query: c.query, Groups: []uint64{1}}, from <= limit, nil
}

func (c *counter) Apply(ctx context.Context, b spv.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found += len(b.Blocks)
	c.last = slices.Insert(c.last, 0, b.End)
	return nil
}

func (c *counter) Changed() <-chan struct{} { return c.changed }

func (c *counter) Scanned(limit uint32) (from, through uint32, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 0, min(c.next(), limit+1) - min(c.next(), 1), c.next() > 0
}

func (c *counter) Unscanned(limit uint32) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return limit + 1 - min(c.next(), limit+1)
}

func (c *counter) Pending(ctx context.Context) ([]*wire.MsgTx, error)              { return nil, nil }
func (c *counter) AddRelayed(context.Context, string, []*wire.MsgTx) (bool, error) { return true, nil }

func TestOutside(t *testing.T) {
	script := spvtest.Script(7)
	c := spvtest.NewChain(nil)
	c.Mine(300)
	c.MineBlock(c.Pay(script, 1e8))
	w := &counter{query: filters.NewQuery([][]byte{script}), changed: make(chan struct{}, 1)}
	s, err := spv.New(spv.Config{
		Params:      c.Params(),
		Rules:       c.Rules(),
		DataDir:     t.TempDir(),
		Wallets:     []spv.Wallet{w},
		Connect:     []string{"chain:1"},
		MaxPeers:    3,
		Birthday:    new(uint32(0)),
		MaxProtocol: spv.ProtocolVersion,
		NoRelay:     false,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("nothing is dialed")
		},
		Open: func(_ context.Context, _ string, cfg *spv.SourceConfig) (spv.Source, error) {
			s := &source{chain: c, running: make(chan spv.SourceHandler, 1), ended: make(chan error, 1)}
			if err := cfg.Accept(s.Info()); err != nil {
				return nil, err
			}
			return s, nil
		},
		Log:              func(string) slog.Logger { return slog.Disabled },
		UserAgentName:    "outside",
		UserAgentVersion: "1.0.0",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Wait(ctx, spv.Settled); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); st.Tip.Hash != c.Tip().Hash || w.found != 1 {
		t.Errorf("found %d blocks, %+v", w.found, st)
	}
	stop()
	if err := errors.Join(<-ended, s.Close()); err != nil {
		t.Error(err)
	}
}

package spv_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// world is a Syncer with a wallet, in a network of peers, in virtual time.
type world struct {
	t      *testing.T
	net    *spvtest.Network
	chain  *spvtest.Chain
	peers  []*spvtest.Peer
	addrs  []string
	dir    string
	wallet *memoryWallet

	setBy  atomic.Int64 // how far the clock of this computer is ahead of everybody's, in nanoseconds
	syncer *spv.Syncer
	cancel context.CancelFunc
	done   chan error
}

// story runs fn in a bubble of virtual time, in a world with a chain of the
// given height. The clock stands a little after its tip.
func story(t *testing.T, height int, fn func(w *world)) {
	t.Helper()
	c := spvtest.NewChain(nil)
	c.Mine(height)
	storyOn(t, c, fn)
}

func storyOn(t *testing.T, c *spvtest.Chain, fn func(w *world)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(c.Time().Add(time.Hour)))
		w := &world{t: t, net: spvtest.NewNetwork(), chain: c, dir: dir, wallet: newMemoryWallet()}
		defer w.net.Close()
		defer w.stop()
		fn(w)
	})
}

// join adds a peer that serves the world's chain.
func (w *world) join(b spvtest.Behaviour) *spvtest.Peer {
	return w.joinWith(w.chain, b)
}

func (w *world) joinWith(c *spvtest.Chain, b spvtest.Behaviour) *spvtest.Peer {
	p := spvtest.NewPeer(c, b)
	addr := fmt.Sprintf("10.0.0.%d:18555", len(w.peers)+1)
	w.net.Add(addr, p)
	w.peers = append(w.peers, p)
	w.addrs = append(w.addrs, addr)
	return p
}

func (w *world) joinMany(n int, b spvtest.Behaviour) {
	for range n {
		w.join(b)
	}
}

// start runs the Syncer with all peers so far.
func (w *world) start(change ...func(*spv.Config)) {
	w.t.Helper()
	cfg := spv.Config{
		Params:  chaincfg.SimNetParams(),
		DataDir: w.dir,
		Wallets: []spv.Wallet{w.wallet},
		Connect: w.addrs,
		Dial:    w.net.Dial,
	}
	for _, c := range change {
		c(&cfg)
	}
	if cfg.Rules != nil {
		w.wallet.net = cfg.Rules.Params().Net
	} else {
		w.wallet.net = cfg.Params.Net
	}
	s, err := spv.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	s.SetClock(func() time.Time { return spvtest.SetBy(time.Now(), time.Duration(w.setBy.Load())) })
	ctx, cancel := context.WithCancel(w.t.Context())
	w.syncer, w.cancel, w.done = s, cancel, make(chan error, 1)
	go func() { w.done <- s.Run(ctx) }()
}

// stop ends the Syncer as Ctrl-C does.
func (w *world) stop() {
	w.t.Helper()
	if w.syncer == nil {
		return
	}
	w.cancel()
	if err := <-w.done; err != nil {
		w.t.Errorf("Run: %v", err)
	}
	if err := w.syncer.Close(); err != nil {
		w.t.Errorf("Close: %v", err)
	}
	w.syncer = nil
	synctest.Wait() // the peers have read all that was sent
}

// pass lets time pass, and then all that happens at that instant. Until more time
// passes nothing moves: what is read then belongs together.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// sync waits until the Syncer is in sync and checks that it is at the tip.
func (w *world) sync() spv.Status {
	w.t.Helper()
	return w.wait(spv.Synced)
}

// wait waits until a condition holds, and then, as pass does, until all is at rest.
func (w *world) wait(c spv.Condition) spv.Status {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Minute)
	defer cancel()
	if err := w.syncer.Wait(ctx, c); err != nil {
		w.t.Fatalf("not in sync: %v; %+v", err, w.syncer.Status())
	}
	synctest.Wait()
	return w.syncer.Status()
}

// while waits as long as something holds of the status, and ends the test when it
// holds for ten minutes.
func (w *world) while(holds func(spv.Status) bool) {
	w.t.Helper()
	synctest.Wait()
	for began := time.Now(); holds(w.syncer.Status()); w.pass(time.Millisecond) {
		if time.Since(began) > 10*time.Minute {
			w.t.Fatalf("for ten minutes: %+v", w.syncer.Status())
		}
	}
}

// syncTo waits until the Syncer is in sync with a chain's tip.
func (w *world) syncTo(c *spvtest.Chain) {
	w.t.Helper()
	synctest.Wait()
	for range 600 {
		st := w.syncer.Status()
		if st.Synced && st.Tip.Hash == c.Tip().Hash {
			return
		}
		w.pass(time.Second)
	}
	w.t.Fatalf("not in sync with %v after 10 minutes: %+v", c.Tip(), w.syncer.Status())
}

// total sums what peers counted.
func (w *world) total(command string) (n int) {
	for _, p := range w.peers {
		n += p.Count(command)
	}
	return n
}

// wantEachOnce checks that every filter from..to was asked for exactly once,
// of all peers together.
func (w *world) wantEachOnce(from, to uint32) {
	w.t.Helper()
	for h := from; h <= to; h++ {
		n := 0
		for _, p := range w.peers {
			n += p.FilterRequests(h)
		}
		if n != 1 {
			w.t.Fatalf("filter %d was requested %d times, want once", h, n)
		}
	}
}

// wantNoViolations checks that nothing was done that a dcrd bans for.
func (w *world) wantNoViolations() {
	w.t.Helper()
	for i, p := range w.peers {
		for _, v := range p.Violations() {
			w.t.Errorf("%s: %+v", w.addrs[i], v)
		}
	}
}

// cutReason returns why a peer was cut off, or "".
func (w *world) cutReason(i int) string {
	for _, c := range w.syncer.Status().CutOff {
		if c.Addr == w.addrs[i] {
			return c.Reason
		}
	}
	return ""
}

// memoryWallet is the smallest wallet: it watches scripts from a height on and
// remembers which blocks it was given.
type memoryWallet struct {
	net      wire.CurrencyNet // 0 is SimNet
	mu       sync.Mutex
	scripts  [][]byte
	from     uint32
	query    *filters.Query
	blocks   map[uint32]chain.BlockID // processed, where a batch ended
	covered  chain.Ranges
	matched  map[uint32]chain.BlockID
	given    map[chain.BlockID]int // how often
	rewinds  []chain.BlockID
	applyErr error
	changed  chan struct{}
}

func newMemoryWallet() *memoryWallet {
	return &memoryWallet{
		blocks:  make(map[uint32]chain.BlockID),
		matched: make(map[uint32]chain.BlockID),
		given:   make(map[chain.BlockID]int),
		changed: make(chan struct{}, 1),
	}
}

// watch sets what is watched; everything from the height on is owed a test.
func (m *memoryWallet) watch(from uint32, scripts ...[]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.scripts, m.from = scripts, from
	m.query = filters.NewQuery(scripts)
	m.covered = nil
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func (m *memoryWallet) Network() wire.CurrencyNet { return cmp.Or(m.net, wire.SimNet) }

func (m *memoryWallet) Locator(ctx context.Context) ([]chain.BlockID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	heights := slices.Sorted(maps.Keys(m.blocks))
	slices.Reverse(heights)
	var ids []chain.BlockID
	for _, h := range heights {
		ids = append(ids, m.blocks[h])
	}
	return ids, nil
}

func (m *memoryWallet) Rewind(ctx context.Context, to chain.BlockID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rewinds = append(m.rewinds, to)
	above := func(h uint32, _ chain.BlockID) bool { return h > to.Height }
	maps.DeleteFunc(m.blocks, above)
	maps.DeleteFunc(m.matched, above)
	m.covered = m.covered.Remove(chain.Range{From: to.Height + 1, To: ^uint32(0)})
	return nil
}

func (m *memoryWallet) Birthday() (uint32, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.from, len(m.scripts) > 0
}

func (m *memoryWallet) NextScan(ctx context.Context, limit uint32) (spv.Scan, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.query == nil || limit < m.from {
		return spv.Scan{}, false, nil
	}
	missing := m.covered.Missing(chain.Range{From: m.from, To: limit})
	if len(missing) == 0 {
		return spv.Scan{}, false, nil
	}
	r := missing[0]
	r.To = min(r.To, r.From+1999)
	return spv.Scan{Range: r, Query: m.query}, true, nil
}

func (m *memoryWallet) Apply(ctx context.Context, b spv.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.applyErr != nil {
		return m.applyErr
	}
	if b.End.Height != b.Scan.Range.To {
		return errors.New("a batch does not end where its range does")
	}
	for _, block := range b.Blocks {
		if block.Msg.BlockHash() != block.ID.Hash {
			return errors.New("wrong block")
		}
		m.matched[block.ID.Height] = block.ID
		m.given[block.ID]++
	}
	m.blocks[b.End.Height] = b.End
	m.covered = m.covered.Add(b.Scan.Range)
	return nil
}

func (m *memoryWallet) Changed() <-chan struct{} { return m.changed }

func (m *memoryWallet) Scanned(limit uint32) (uint32, uint32, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	through, ok := m.covered.Through(m.from)
	return m.from, min(through, limit), ok
}

func (m *memoryWallet) Unscanned(limit uint32) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return count(m.covered.Missing(chain.Range{From: m.from, To: limit}))
}

// count is how many heights some ranges have.
func count(ranges chain.Ranges) (n uint32) {
	for _, r := range ranges {
		n += uint32(r.Len())
	}
	return n
}

// wantMatches checks that exactly the blocks at these heights of a chain were
// delivered.
func (w *world) wantMatches(c *spvtest.Chain, heights ...uint32) {
	w.t.Helper()
	w.wallet.mu.Lock()
	defer w.wallet.mu.Unlock()
	if len(w.wallet.matched) != len(heights) {
		w.t.Errorf("the wallet has blocks %v, want heights %v", slices.Sorted(maps.Keys(w.wallet.matched)), heights)
	}
	for _, h := range heights {
		if got := w.wallet.matched[h]; got != c.ID(h) {
			w.t.Errorf("the wallet has block %v, want %v", got, c.ID(h))
		}
	}
}

// wireHeader is a header as a message holds it.
func wireHeader(c *spvtest.Chain, height uint32) wire.BlockHeader {
	h := c.Header(height)
	return h.Wire()
}

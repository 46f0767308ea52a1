package spv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/slog"
)

// simulation is a plan that is carried out.
type simulation struct {
	t    *testing.T
	plan *plan
	rng  *draw
	dir  string

	net    *spvtest.Network
	chain  *spvtest.Chain // of the honest peers
	wallet *modelWallet
	news   []news // of the chain, on their way to peers

	syncer  *spv.Syncer
	cancel  context.CancelFunc
	done    chan error
	watcher *watcher

	began     time.Time
	changed   time.Time // when the chain last did
	synced    time.Time // since when it is in sync
	started   time.Time // of this run of the Syncer
	first     time.Time // when it was in sync for the first time then
	base      int       // goroutines before there was a peer
	greetings int       // sendheaders before the present start
	failed    bool
	log       *tail
}

// tail keeps the end of a log, and notes that it tells of a sync: one that is over
// within the same instant is seen in no status.
type tail struct {
	mu     sync.Mutex
	lines  []string
	synced bool
}

const tailLines = 300

func (l *tail) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == tailLines {
		l.lines = append(l.lines[:0], l.lines[tailLines/2:]...)
	}
	l.lines = append(l.lines, "  "+string(line))
	l.synced = l.synced || strings.Contains(string(line), "Synced to block")
	return len(line), nil
}

// sawSync reports whether a sync was told of, and forgets it.
func (l *tail) sawSync() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.synced = false }()
	return l.synced
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

// logger makes the logger of a subsystem.
func (l *tail) logger(subsystem string) slog.Logger {
	logger := slog.NewBackend(l).Logger(subsystem)
	logger.SetLevel(slog.LevelDebug)
	return logger
}

// news: a peer hears of the honest chain as it is at that time.
type news struct {
	at   time.Time
	peer *simPeer
}

// simulationStep is how often the rules are checked.
const simulationStep = 200 * time.Millisecond

func newSimulation(t *testing.T, p *plan, dir string) *simulation {
	s := &simulation{
		t:      t,
		plan:   p,
		dir:    dir,
		net:    spvtest.NewNetwork(),
		chain:  simulationChain(p.seed),
		wallet: newModelWallet(),
		base:   runtime.NumGoroutine(),
		log:    new(tail),
	}
	s.rng = &draw{rand.New(rand.NewPCG(p.seed, 11)), s.chain}
	time.Sleep(time.Until(s.chain.Time().Add(time.Hour)))
	s.changed = time.Now()
	for _, peer := range p.peers {
		serves := s.chain
		if peer.fork > 0 {
			serves = s.chain.Fork(s.chain.Height() - peer.fork)
			serves.Mine(int(peer.fork) - 1)
		}
		b := peer.behaviour
		if peer.joins > 0 {
			b.RefuseConnections = true
		}
		peer.peer = spvtest.NewPeer(serves, b)
		s.net.Add(peer.addr, peer.peer)
	}
	s.wallet.watch(0, spvtest.Script(0))
	return s
}

// run carries the plan out and returns how long the sync took after the last
// event.
func (s *simulation) run() time.Duration {
	if s.plan.discover {
		s.bootstrap()
	}
	s.began = time.Now()
	s.start()
	for _, e := range s.plan.events {
		s.advance(s.began.Add(e.at))
		e.do(s)
		synctest.Wait()
	}
	began := time.Now()
	for !s.complete() {
		if time.Since(began) > s.bound() {
			s.failf("not in sync within %v", s.bound())
			return time.Since(began)
		}
		s.step()
	}
	took := time.Since(began)
	s.rest()
	s.checkEnd()
	return took
}

// bound is how long a sync may take, in virtual time.
func (s *simulation) bound() time.Duration {
	return 5*time.Minute + time.Duration(len(s.plan.peers))*20*time.Second
}

// bootstrap makes one address known, of a node that tells all others and is no
// use besides. The Syncer remembers them.
func (s *simulation) bootstrap() {
	const addr = "19.0.0.1:18555"
	b := spvtest.Behaviour{Silent: silentTo("getheaders", "getcfsv2", "getcfilterv2", "getdata")}
	b.Addrs = everyAddr(s.plan)
	s.net.Add(addr, spvtest.NewPeer(s.chain, b))
	s.run1([]string{addr})
	time.Sleep(2 * time.Second)
	s.stop()
}

// start runs the Syncer with what it has on disk.
func (s *simulation) start() {
	var connect []string
	if !s.plan.discover {
		for _, peer := range s.plan.peers {
			connect = append(connect, peer.addr)
		}
	}
	s.run1(connect)
}

func (s *simulation) run1(connect []string) {
	s.t.Helper()
	syncer, err := spv.New(spv.Config{
		Params:   chaincfg.SimNetParams(),
		DataDir:  s.dir,
		Wallets:  []spv.Wallet{s.wallet},
		Connect:  connect,
		MaxPeers: s.plan.maxPeers,
		Dial:     s.net.Dial,
		Log:      s.log.logger,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	s.syncer, s.cancel, s.done = syncer, cancel, make(chan error, 1)
	s.started, s.first = time.Now(), time.Time{}
	s.log.sawSync() // of the run before
	s.greetings = s.net.Count("sendheaders")
	s.watcher = watchStatus(ctx, syncer)
	go func() { s.done <- syncer.Run(ctx) }()
}

func (s *simulation) stop() {
	s.t.Helper()
	if s.syncer == nil {
		return
	}
	s.cancel()
	if err := <-s.done; err != nil {
		s.failf("Run: %v", err)
	}
	if err := s.syncer.Close(); err != nil {
		s.failf("Close: %v", err)
	}
	s.syncer = nil
	synctest.Wait() // the peers have counted all that was sent
}

// advance lets time pass, and checks the rules on the way.
func (s *simulation) advance(until time.Time) {
	for time.Now().Before(until) {
		s.step()
	}
}

func (s *simulation) step() {
	time.Sleep(simulationStep)
	due := slices.IndexFunc(s.news, func(n news) bool { return n.at.After(time.Now()) })
	if due < 0 {
		due = len(s.news)
	}
	for _, n := range s.news[:due] {
		n.peer.peer.SetChain(s.chain)
	}
	s.news = s.news[due:]
	synctest.Wait()
	select {
	case err := <-s.done:
		s.done <- err // for stop
		s.failf("Run has ended: %v", err)
	default:
	}
	s.check()
}

// complete: in sync with the honest chain, and the wallet too.
func (s *simulation) complete() bool {
	st := s.syncer.Status()
	return st.Synced && st.Tip.Hash == s.chain.Tip().Hash && len(s.news) == 0
}

// mine gives the honest chain n more blocks after its last ones, as many as
// depth says, have left it. Payments to the wallet and by the wallet are in them.
func (s *simulation) mine(depth, n int) {
	c := s.chain.Fork(s.chain.Height() - uint32(depth))
	scripts := s.wallet.scripts()
	for range n {
		switch s.rng.IntN(3) {
		case 0:
			c.Mine(1)
		case 1:
			c.MineBlock(c.Pay(pick(s.rng, scripts...), 1e6+s.rng.Int64N(1e8)))
		case 2:
			coins := c.Truth(scripts).Coins
			if len(coins) == 0 {
				c.Mine(1)
				continue
			}
			coin := pick(s.rng, coins...)
			to := pick(s.rng, append(scripts, spvtest.Script(1000))...)
			c.MineTemplate(spvtest.Template{
				Txs:        []*wireTx{c.Spend(outPoints(coin), txOut(coin.Amount-1e4, to))},
				Disapprove: s.rng.IntN(4) == 0,
			})
		}
	}
	s.chain, s.changed = c, time.Now()
	for _, peer := range s.plan.peers {
		delay := 5 * time.Second
		if peer.honest {
			delay = time.Second
		}
		if !peer.stays {
			s.news = append(s.news, news{s.changed.Add(s.rng.pause(0, delay)), peer})
		}
	}
	slices.SortStableFunc(s.news, func(a, b news) int { return a.at.Compare(b.at) })
}

// watchMore has the wallet watch one more script, from the start.
func (s *simulation) watchMore() {
	s.wallet.watch(0, spvtest.Script(uint32(len(s.wallet.scripts()))))
}

// failf reports what is wrong, with all that the seed drew, and ends the
// simulation.
func (s *simulation) failf(format string, args ...any) {
	s.t.Helper()
	if s.failed {
		return
	}
	s.failed = true
	s.t.Fatalf("seed %d after %v: %s\n%v\n%+v\n%s\nlog:\n%v", s.plan.seed, time.Since(s.began), fmt.Sprintf(format, args...),
		s.plan, s.syncer.Status(), s.peerList(), s.log)
}

package spv_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

// siege is a plan that is carried out.
type siege struct {
	t      *testing.T
	plan   *siegePlan
	rng    *draw
	dir    string
	alone  time.Duration // what the first sync takes without adversaries
	result siegeResult

	ctx      context.Context
	net      *spvtest.Network
	chain    *spvtest.Chain // of the honest peer
	honest   *spvtest.Peer
	hostile  []*spvtest.Adversary
	memories []*spvtest.Memory // by adversary
	running  []bool            // by adversary

	wallet *timingWallet
	syncer *spv.Syncer
	cancel context.CancelFunc
	done   chan error
	log    *siegeLog

	began      time.Time // the siege
	life       time.Time // this run of the Syncer
	changed    time.Time // the chain
	connected  time.Time // the honest peer, without a break; zero: not
	synced     time.Time // since when the status says so
	firstSeen  time.Duration
	start      []chain.BlockID // blocks with payments at the start of this life
	tip        chain.BlockID   // at the start of this life
	first      bool            // the first sync of this life is over
	overdue    bool            // and took too long
	payments   []payment       // announced and not found yet
	believed   time.Duration   // how long of this life a claim counted that nobody can make good
	missed     time.Time       // since when the honest peer could be connected to, and is not
	missedLong bool            // which has been reported
	goroutines int             // at the start
	heap       uint64          // bytes after the first life
	failures   int
}

// siegeLog is the tail of a log without the coming and going of adversaries.
type siegeLog struct {
	tail
	honest string
}

func (l *siegeLog) Write(line []byte) (int, error) {
	text := string(line)
	if strings.Contains(text, " PEER: ") && strings.Contains(text, "connect") && !strings.Contains(text, l.honest) {
		return len(line), nil
	}
	return l.tail.Write(line)
}

// logger makes the logger of a subsystem.
func (l *siegeLog) logger(subsystem string) slog.Logger {
	logger := slog.NewBackend(l).Logger(subsystem)
	logger.SetLevel(slog.LevelDebug)
	return logger
}

// payment is a block with a payment to the wallet.
type payment struct {
	block     chain.BlockID
	announced time.Time
	late      bool // it has been reported
}

const (
	// siegeStep is how often the rules are checked while something is waited
	// for, and restStep while nothing is.
	siegeStep = 200 * time.Millisecond
	restStep  = time.Second

	// heapGrowth is by how many bytes the heap may grow; the adversaries remember
	// things too.
	heapGrowth = 64 << 20

	// giveUp is how long a first sync is waited for before the life ends.
	giveUp = 10 * time.Minute
)

// besiege runs a siege and adds up what it measures, also if it fails.
func besiege(t *testing.T, p *siegePlan, all *siegeResult) {
	t.Helper()
	run := func(p *siegePlan, alone time.Duration) (r siegeResult) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			s := newSiege(t, p, dir)
			defer s.net.Close()
			defer func() {
				if r = s.result; alone > 0 {
					all.add(r)
				}
			}()
			s.alone = alone
			s.run()
		})
		return r
	}
	alone := run(p.alone(), 0)
	run(p, alone.firsts[0].took)
}

func newSiege(t *testing.T, p *siegePlan, dir string) *siege {
	s := &siege{
		t:          t,
		plan:       p,
		dir:        dir,
		net:        spvtest.NewNetwork(),
		goroutines: runtime.NumGoroutine(),
		log:        &siegeLog{honest: p.peers[p.honest].addr},
	}
	s.chain = siegeChain().Fork(p.height - 3)
	s.chain.Mine(3)
	s.rng = &draw{rand.New(rand.NewPCG(p.seed, 23)), s.chain}
	time.Sleep(time.Until(s.chain.Time().Add(time.Hour)))
	s.began, s.changed = time.Now(), time.Now()
	memory := s.plan.memory()
	for i, b := range p.peers {
		peer := spvtest.NewPeer(s.chain, spvtest.Behaviour{})
		s.net.Add(b.addr, peer)
		if i == p.honest {
			s.honest = peer
			peer.SetBehaviour(spvtest.Behaviour{Latency: p.latency, DialLatency: p.dial, Addrs: p.told()})
			continue
		}
		own := memory
		if !p.oneMind {
			own = s.plan.memory()
		}
		a := spvtest.NewAdversary(peer, rand.New(rand.NewPCG(b.seed, 24)), own)
		a.PayTo(spvtest.Script(0))
		a.TellOf(p.told())
		s.hostile = append(s.hostile, a)
		s.memories = append(s.memories, own)
	}
	s.running = make([]bool, len(s.hostile))
	return s
}

// run carries the plan out.
func (s *siege) run() {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	s.ctx = ctx
	if s.plan.discover {
		s.meetHonest()
	}
	for _, life := range s.plan.lives {
		s.live(life)
		s.result.virtual = time.Since(s.began)
	}
	if s.alone > 0 {
		s.checkCopies()
	}
	if more := s.failures - maxFailures; more > 0 {
		s.t.Logf("and %d times more", more)
	}
}

// live runs the Syncer once.
func (s *siege) live(life siegeLife) {
	if life.fresh {
		if err := os.RemoveAll(filepath.Join(s.dir, "data")); err != nil {
			s.t.Fatal(err)
		}
		s.wallet = newTimingWallet()
		for i := range uint32(siegeScripts) {
			s.wallet.watch(0, spvtest.Script(i))
		}
		s.result.filters.exist += int(s.chain.Height())
	}
	s.life, s.first, s.firstSeen, s.connected, s.payments, s.overdue = time.Now(), false, 0, time.Time{}, nil, false
	s.believed = 0
	s.tip = s.chain.Tip()
	s.start = nil
	for _, e := range s.chain.Truth(s.wallet.scripts()).History {
		s.start = append(s.start, chain.BlockID{Height: e.Height, Hash: e.Block})
	}
	if life.fresh {
		s.result.blocks.exist += len(s.start)
	}
	for i, b := range s.besiegers() {
		s.hostile[i].Peer().Refuse(b.joins > 0)
	}
	s.honest.Refuse(life.away > 0)
	s.open(s.connect())
	defer s.close()

	// The last half minute is quiet, so that every payment can be found.
	end := s.life.Add(life.lasts)
	next := s.life.Add(s.rng.pause(0, life.every))
	for minute := s.life; time.Now().Before(end); {
		if next.Before(time.Now()) && next.Before(end.Add(-paymentAlways)) {
			s.event()
			next = time.Now().Add(s.rng.pause(0, 2*life.every))
		}
		s.step()
		s.moveHonest(life)
		if time.Since(minute) > time.Minute {
			minute = time.Now()
			s.count()
		}
		switch {
		case s.first && s.alone == 0:
			s.count()
			return // that is all there is to know
		case !s.first && time.Since(s.life) > giveUp:
			s.firstDone(giveUp)
			return
		}
	}
	s.count()
	s.checkClaims()
	if s.first {
		s.checkEnd()
	}
	s.checkHeap()
}

// checkClaims looks for how long claims have counted that nobody can make good,
// where nothing else is ever claimed. Each adversary's may for so long after pauses
// that double, over reconnections too. Most of them do so at the same time, so
// half of all that is a bound.
func (s *siege) checkClaims() {
	lasted := time.Since(s.life)
	turns := 1 + math.Log2(1+float64(lasted)/float64(firstDoubt))
	most := time.Duration(turns*float64(len(s.hostile))*float64(claimCounts)) / 2
	if s.plan.boasts && s.believed > most {
		s.errorf("claims that nobody can make good counted for %v of %v, more than %v", s.believed, lasted, most)
	}
}

// checkHeap looks whether memory has stayed what it was after the first life.
func (s *siege) checkHeap() {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	if s.heap == 0 {
		s.heap = mem.HeapAlloc
	}
	if mem.HeapAlloc > s.heap+heapGrowth {
		s.errorf("the heap has %d MB, and had %d after the first life", mem.HeapAlloc>>20, s.heap>>20)
	}
}

// besiegers are the peers that are not honest.
func (s *siege) besiegers() []*besieger {
	return slices.Delete(slices.Clone(s.plan.peers), s.plan.honest, s.plan.honest+1)
}

// connect lists the only peers to use.
func (s *siege) connect() (addrs []string) {
	if s.plan.discover {
		return nil
	}
	for _, b := range s.plan.peers {
		addrs = append(addrs, b.addr)
	}
	return addrs
}

// open starts the Syncer.
func (s *siege) open(connect []string) {
	var wallet spv.Wallet = s.wallet
	if s.plan.listens {
		wallet = listeningWallet{s.wallet}
	}
	syncer, err := spv.New(spv.Config{
		Params:   chaincfg.SimNetParams(),
		DataDir:  filepath.Join(s.dir, "data"),
		Wallets:  []spv.Wallet{wallet},
		Connect:  connect,
		MaxPeers: max(len(connect), siegeSlots),
		Dial:     s.net.Dial,
		Log:      s.log.logger,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.syncer, s.cancel, s.done = syncer, cancel, make(chan error, 1)
	go func() { s.done <- syncer.Run(ctx) }()
}

// close ends the Syncer as Ctrl-C does.
func (s *siege) close() {
	s.cancel()
	if err := <-s.done; err != nil {
		s.errorf("Run: %v", err)
	}
	if err := s.syncer.Close(); err != nil {
		s.errorf("Close: %v", err)
	}
}

// event: blocks are found, or a reorg happens, and every peer hears of it. The
// honest one announces it.
func (s *siege) event() {
	depth, n := 0, s.rng.between(1, 2)
	c := s.chain
	if s.rng.IntN(5) == 0 {
		depth = s.rng.between(1, 6)
		n = depth + 1
		c = c.Fork(c.Height() - uint32(depth))
	}
	for range n {
		if s.rng.IntN(2) == 0 {
			c.Mine(1)
			continue
		}
		id := c.MineBlock(c.Pay(spvtest.Script(uint32(s.rng.IntN(siegeScripts))), 1e6+s.rng.Int64N(1e8)))
		s.result.blocks.exist++
		if s.first {
			s.payments = append(s.payments, payment{block: id, announced: time.Now().Add(s.plan.latency)})
		}
	}
	s.result.filters.exist += n
	s.chain, s.changed = c, time.Now()
	s.payments = slices.DeleteFunc(s.payments, func(p payment) bool {
		return !s.onChain(p.block)
	})
	for _, a := range s.hostile {
		a.Peer().SetChain(c)
	}
	s.honest.SetChain(c)
}

// onChain reports whether a block is on the honest peer's chain.
func (s *siege) onChain(id chain.BlockID) bool {
	return id.Height <= s.chain.Height() && s.chain.Hash(id.Height) == id.Hash
}

// step lets a while pass, and checks the rules.
func (s *siege) step() {
	d := restStep
	if !s.first || len(s.payments) > 0 {
		d = siegeStep
	}
	for i, b := range s.besiegers() {
		since := time.Since(s.life)
		if b.joins > 0 && since >= b.joins && since < b.joins+d {
			s.hostile[i].Peer().Refuse(false)
		}
		if !s.running[i] && since >= b.joins && time.Since(s.began) >= b.turns {
			s.running[i] = true
			go s.hostile[i].Run(s.ctx)
		}
	}
	time.Sleep(d)
	synctest.Wait()
	select {
	case err := <-s.done:
		s.done <- err
		s.fatalf("Run has ended: %v", err)
	default:
	}
	s.check(d)
}

// check looks whether the rules hold now.
func (s *siege) check(step time.Duration) {
	st := s.syncer.Status()
	if len(s.honest.Clients()) == 0 {
		s.connected = time.Time{}
	} else if s.connected.IsZero() {
		s.connected = time.Now()
	}
	if !st.Synced {
		s.synced = time.Time{}
		if s.first {
			s.result.behind += step
		}
	} else if s.synced.IsZero() {
		s.synced = time.Now()
	}
	if st.Target > s.chain.Height() {
		s.believed += step
	}
	s.checkFirst(st)
	if st.Synced && s.first && s.firstSeen == 0 {
		s.firstSeen = time.Since(s.life)
		s.result.firsts[len(s.result.firsts)-1].synced = s.firstSeen
	}
	s.checkPayments()
	if s.plan.discover {
		s.checkEclipse()
	}
	for i, a := range s.hostile {
		if s.running[i] {
			s.memories[i].Reward(a.Policy(), step, !s.first || !st.Synced || len(s.payments) > 0)
		}
	}
	if n := runtime.NumGoroutine() - s.goroutines; n > (goroutinesPerPeer+1)*(len(s.plan.peers)+1)+goroutinesFixed {
		s.errorf("%d goroutines", n)
	}
	for _, cut := range st.CutOff {
		burst := strings.Contains(cut.Reason, "behind") && cut.Time.Sub(s.changed) < settleIn
		if cut.Addr == s.plan.peers[s.plan.honest].addr && cut.Time.After(time.Now().Add(-step)) && !burst {
			s.errorf("the honest peer was cut off: %s", cut.Reason)
		}
	}
	settled := time.Since(s.changed) > settleIn && s.since(s.connected) > settleIn && s.since(s.synced) > settleIn
	if st.Tip.Hash != s.chain.Tip().Hash && settled {
		s.errorf("in sync at %d %v, but the honest peer is at %d", st.Tip.Height, st.Tip.Hash, s.chain.Height())
	}
}

// since is how long something has been so; zero: it is not.
func (s *siege) since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return time.Since(t)
}

// checkFirst looks whether the first sync is over: all filters up to the tip that
// there was at the start are held, and all payments up to there are in the wallet.
func (s *siege) checkFirst(st spv.Status) {
	if s.first {
		return
	}
	held := st.Filters.Any && st.Filters.Through+6 >= s.tip.Height
	for _, id := range s.start {
		held = held && (!s.wallet.foundAt(id).IsZero() || !s.onChain(id))
	}
	switch took := time.Since(s.life); {
	case held:
		s.firstDone(took)
	case s.alone > 0 && !s.plan.discover && took > (firstSync{alone: s.alone}).bound() && !s.overdue:
		s.overdue = true
		s.errorf("not synced after %v, and alone after %v", took, s.alone)
	}
}

func (s *siege) firstDone(took time.Duration) {
	s.first = true
	s.result.firsts = append(s.result.firsts, firstSync{took: took, alone: s.alone})
}

// checkPayments looks which payments were found, and how late.
func (s *siege) checkPayments() {
	s.payments = slices.DeleteFunc(s.payments, func(p payment) bool {
		at := s.wallet.foundAt(p.block)
		if !at.IsZero() {
			s.result.payments = append(s.result.payments, max(at.Sub(p.announced), 0))
		}
		return !at.IsZero()
	})
	for i := range s.payments {
		p := &s.payments[i]
		if s.connected.IsZero() && s.plan.discover {
			p.announced = time.Now() // nobody has told of it yet
		}
		if time.Since(p.announced) > paymentAlways && !p.late {
			p.late = true
			s.errorf("the payment in block %v is not found after %v", p.block, time.Since(p.announced))
		}
	}
}

// checkEnd looks whether everything is as it must be at the end of a life.
func (s *siege) checkEnd() {
	for _, p := range s.payments {
		s.result.payments = append(s.result.payments, time.Since(p.announced))
	}
	if len(s.payments) == 0 {
		if wrong := s.wallet.wrong(s.chain.Truth(s.wallet.scripts())); wrong != "" {
			s.errorf("the wallet is wrong: %s", wrong)
		}
	}
	peers, err := s.syncer.Peers(s.ctx)
	if err != nil {
		s.errorf("Peers: %v", err)
	}
	for _, p := range peers {
		if p.Addr == s.plan.peers[s.plan.honest].addr && (!p.BannedUntil.IsZero() || p.BanScore > 0) {
			s.errorf("the honest peer has %d points: %v", p.BanScore, p.BanReasons)
		}
	}
}

// count adds up what was asked for since the last time.
func (s *siege) count() {
	for _, v := range s.honest.Violations() {
		s.errorf("a dcrd would have dropped us: %+v", v)
	}
	for _, p := range s.net.Peers() {
		s.result.filters.asked += p.FiltersRequested()
		for _, n := range p.BlockRequests() {
			s.result.blocks.asked += n
		}
		s.result.headers += p.Count(wire.CmdGetHeaders)
		p.ResetCounts()
	}
}

// checkCopies compares what was asked for with what there is.
func (s *siege) checkCopies() {
	if s.plan.discover {
		return // most of those that are asked are hostile, and few filters are needed
	}
	if r := s.result.filters.ratio(); r > mostFilterCopies {
		s.errorf("each filter was asked for %.1f times", r)
	}
	if r := s.result.blocks.ratio(); r > mostBlockCopies {
		s.errorf("each block was asked for %.1f times", r)
	}
	hours := time.Since(s.began).Hours()
	if most := mostHeaderAsks * float64(len(s.plan.peers)) * hours; float64(s.result.headers) > most {
		s.errorf("%d getheaders", s.result.headers)
	}
}

// maxFailures is how many failures of a siege are reported.
const maxFailures = 5

// errorf reports what is wrong; the first time with all there is to know.
func (s *siege) errorf(format string, args ...any) {
	s.t.Helper()
	if s.failures++; s.failures > maxFailures {
		return
	}
	what := fmt.Sprintf(format, args...)
	if s.failures > 1 {
		s.t.Errorf("seed %d after %v: %s", s.plan.seed, time.Since(s.began), what)
		return
	}
	s.t.Errorf("seed %d after %v, %v of this life: %s\n%v%s%+v\nlog:\n%v", s.plan.seed, time.Since(s.began), time.Since(s.life),
		what, s.plan, s.policies(), s.syncer.Status(), &s.log.tail)
}

func (s *siege) fatalf(format string, args ...any) {
	s.t.Helper()
	s.errorf(format, args...)
	s.t.FailNow()
}

// policies lists what is in force, and what has done best.
func (s *siege) policies() string {
	var b strings.Builder
	besiegers := s.besiegers()
	for i, a := range s.hostile {
		if p := a.Policy(); p != nil {
			fmt.Fprintf(&b, "  %s, %d connected: %v\n", besiegers[i].addr, len(a.Peer().Clients()), p)
		}
	}
	if s.plan.oneMind && len(s.memories) > 0 {
		best, share := s.memories[0].Best(3)
		for i, p := range best {
			fmt.Fprintf(&b, "  best (%.0f%%): %v\n", 100*share[i], p)
		}
	}
	return b.String()
}

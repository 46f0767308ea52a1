package spv

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"
)

// engine is the sync state and the one goroutine that owns it. It takes events,
// then lets every stage start whatever should be running now (step). Whoever
// waits for a network, a disk or a wallet does so on another goroutine and
// comes back as an event.
type engine struct {
	syncer *Syncer
	cfg    *Config
	rules  *chain.Rules
	db     *chaindb.DB
	logs   logs

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine started by the engine
	events chan event
	err    error // a local failure; ends run

	now      time.Time // of the event being handled
	chain    *chain.Chain
	registry *registry.Registry
	sessions map[string]*session // connected peers by address

	requests *requests.Table[*unit]     // who is asked for what
	open     []*requests.Request[*unit] // those not done, since the last dispatch

	network  network     // dialing
	headers  headerStage // asking for headers
	filters  filterStage // asking for filters
	store    store       // writing both
	wallets  []*walletState
	outgoing outgoing // transactions to publish
	relay    relay    // transactions of others
	withheld withheld // branches that nobody serves
	stall    stall    // whether anything moves
	crawl    crawl    // the search for somebody faster
	trouble  troubles // what to tell if nothing does
	clock    clock    // whether ours is behind
	away     away     // whether we were there
	progress progress
	target   uint32 // of the last status
	cuts     []Cut

	// following is true from the first moment everything is in sync until all
	// peers are lost. While it is, every peer is asked for sendheaders.
	following bool

	// branch counts reorgs, so that work begun on an old branch is told apart.
	branch int
}

// An event is something that happened elsewhere. apply runs on the engine's
// goroutine.
type event interface {
	apply(*engine)
}

const (
	// maxEvents bounds the queue of events; whoever has one more waits.
	maxEvents = 256

	// Nothing but time may make work possible again (a cooldown that ends).
	// These are the longest times until a look around.
	lookAround       = 3 * time.Second
	lookAroundSynced = 30 * time.Second
)

// newEngine makes the engine of a Run, or the one after last, whose data had to be mended.
func newEngine(ctx context.Context, s *Syncer, last *engine) (*engine, error) {
	ctx, cancel := context.WithCancel(ctx)
	now := s.now()
	tip, work := s.db.Tip()
	e := &engine{
		syncer:   s,
		cfg:      &s.cfg,
		rules:    s.rules,
		db:       s.db,
		logs:     newLogs(s.cfg.Log),
		ctx:      ctx,
		cancel:   cancel,
		events:   make(chan event, maxEvents),
		now:      now,
		chain:    chain.New(s.rules, s.db, tip, work),
		sessions: make(map[string]*session),
		requests: requests.NewTable[*unit](),
	}
	e.relay = newRelay(e.cfg)
	e.network.init(e)
	e.registry = newRegistry(registry.Options{
		MaxConnected:   max(s.cfg.MaxPeers, len(s.cfg.Connect)),
		OnlyPersistent: len(s.cfg.Connect) > 0,
	})
	e.store = newStore(tip)
	if err := errors.Join(e.loadRegistry(), e.trouble.start(s.db, now)); err != nil {
		cancel()
		return nil, err
	}
	if last != nil {
		e.takeOver(last)
	}
	e.filters.held = s.db.Filters()
	e.filters.set = newFilterSet(s.rules)
	for _, w := range s.cfg.Wallets {
		e.wallets = append(e.wallets, newWalletState(w))
	}
	if e.network.discover {
		e.network.book = addrbook.Open(s.cfg.DataDir, e.logs.registry)
	}
	e.progress.start(now, tip.Height)
	e.away.began = now
	return e, nil
}

// takeOver takes what outlives an engine.
func (e *engine) takeOver(last *engine) {
	e.registry.TakeOver(last.registry)
	e.outgoing, e.cuts = last.outgoing, last.cuts
	// What we had comes again; until then peers that are below it tell nothing new.
	if height := last.chain.Tip().Height; height > e.chain.Tip().Height {
		e.headers.pending, e.headers.pendingUntil = height, e.now.Add(mendPatience)
	}
}

// mendPatience is how long a chain that had to be cut off is waited for.
const mendPatience = 10 * time.Minute

// run is the life of the engine.
func (e *engine) run() error {
	defer e.shutdown()
	e.goStore()
	e.goWallets()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for e.err == nil {
		e.now = e.syncer.now()
		e.step()
		st := e.snapshot()
		e.syncer.publish(st)
		e.syncer.feed.set(feedState{e.readable(), st.Synced})
		if err := e.chain.Failed(); err != nil {
			e.fail(err)
			break
		}
		wake := e.wake()
		if wake.Before(e.now) {
			wake = e.now // what is overdue does not tell that we were away
		}
		timer.Reset(wake.Sub(e.syncer.now()))
		do := func() {}
		select {
		case ev := <-e.events:
			do = func() { e.handle(ev) }
		case command := <-e.syncer.commands:
			do = func() { command(e) }
		case <-timer.C:
		case <-e.ctx.Done():
			return nil
		}
		e.now = e.syncer.now()
		e.noticeAway(wake)
		do()
	}
	return e.err
}

// handle applies an event and those that queued up behind it, so that one step
// serves them all.
func (e *engine) handle(ev event) {
	for n := 0; ; n++ {
		e.now = e.syncer.now()
		ev.apply(e)
		if e.err != nil || n == maxEvents {
			return
		}
		select {
		case ev = <-e.events:
		default:
			return
		}
	}
}

// step starts everything that the state calls for. It is idempotent: with
// nothing new it does nothing.
func (e *engine) step() {
	e.requests.Received(e.stats().BytesIn, e.now)
	e.disconnectLagging()
	e.makeRoom()
	e.seedMore()
	e.dialMore()
	e.joinPrefetched()
	e.askFuture()
	e.askHeaders()
	e.prefetchHeaders()
	e.writeMore()
	e.planFilters()
	e.planAudit()
	e.scanMore()
	e.dispatch()
	e.giveUpWithheld()
	e.replaceUseless()
	e.tryStrangers()
	e.tryFaster()
	e.followPeers()
	e.publishMore()
	e.fetchTxs()
}

// wake is when step must run again although no event came.
func (e *engine) wake() time.Time {
	idle := lookAround
	if e.progress.synced {
		idle = lookAroundSynced
	}
	next := e.now.Add(idle)
	for _, t := range []time.Time{
		e.dialTime(), e.seedTime(), e.gatherEnd(), e.headerTime(), e.requests.Deadline(e.open, e.now), e.lagTime(), e.followTime(), e.outgoingTime(), e.registry.ClaimTime(e.now),
		e.relay.due, e.stallTime(), e.crawlTime(), e.futureTime(), e.trouble.time(e.now),
	} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next
}

// post hands an event to the engine. It reports false when the engine is over.
func (e *engine) post(ev event) bool {
	select {
	case e.events <- ev:
		return true
	case <-e.ctx.Done():
		return false
	}
}

// fail ends the engine because of a local failure. If stored headers could not be read,
// everything else follows from that.
func (e *engine) fail(err error) {
	if e.err == nil && e.ctx.Err() == nil {
		e.err = cmp.Or(e.chain.Failed(), err)
	}
}

// shutdown ends every goroutine, then writes what a restart profits from.
func (e *engine) shutdown() {
	e.cancel()
	for _, s := range e.sessions {
		s.peer.Close(context.Canceled)
	}
	e.wg.Wait()
	for drained := false; !drained; {
		select {
		case ev := <-e.events:
			if d, ok := ev.(dialed); ok && d.peer != nil {
				d.peer.Close(context.Canceled)
			}
		default:
			drained = true
		}
	}
	for _, s := range e.sessions {
		e.registry.Disconnected(s.addr, nil, e.now)
		e.logs.peer.Infof("%s disconnected: stopping", s.addr)
	}
	if e.err == nil || mends(e.err) {
		e.err = cmp.Or(e.err, writeRegistry(e.db, e.registry, e.now))
	}
	if e.err == nil && (e.trouble.changed() || e.store.busy) { // that write may not have begun
		e.err = e.trouble.save()(e.db)
	}
	if e.network.book != nil {
		e.err = errors.Join(e.err, e.network.book.Close())
	}
	clear(e.sessions)
	if mends(e.err) {
		e.outgoing.handOver()
	}
	e.now = e.syncer.now()
	e.syncer.publish(e.snapshot())
}

// goWorker starts a goroutine that the engine waits for at the end.
func (e *engine) goWorker(fn func()) {
	e.wg.Add(1)
	go func() {
		defer e.wg.Done()
		fn()
	}()
}

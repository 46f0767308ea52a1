package spv

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"
)

// engine is the sync state and the one goroutine that owns it. It takes events,
// then lets every stage start whatever should be running now (step). Whoever
// waits for a network, a disk or a wallet does so on another goroutine and
// comes back as an event.
type engine struct {
	board    *board
	feed     *feed
	txs      *txFeed
	messages *messageFeed
	commands <-chan func(*engine)
	attached *attached
	chosen   *chosenPeers
	cfg      *Config
	rules    *chain.Rules
	db       *chaindb.DB
	logs     logs

	*loop

	chain    *chain.Chain
	registry *registry.Registry
	sessions sessions // connected peers
	branch   branch   // of the best chain

	requests *requests.Table[*request] // who is asked for what

	network  *network      // dialing
	headers  headerStage   // asking for headers
	filters  filterStage   // asking for filters
	writer   writer        // of chain.db
	disk     disk          // what it has of the headers
	saved    savedRegistry // and of the registry
	wallets  walletStates
	scans    scanStage  // testing blocks for the wallets
	blocks   blockStage // fetching blocks
	fetches  fetchCalls // of the program
	readTip  readTip    // what can be read
	outgoing outgoing   // transactions to publish
	relay    relay      // transactions of others
	mixes    mixOffers  // mixing messages of the program
	unserved unserved   // branches that nobody serves
	stall    stall      // whether anything moves
	crawl    crawl      // the search for somebody faster
	trouble  troubles   // what to tell if nothing does
	clock    clock      // whether ours is behind
	oldTip   saidOldTip // that the tip is old
	away     away       // whether we were there
	progress progress
	cuts     cuts // who was banned or disconnected

	following following // new blocks, once everything was in sync
}

const (
	// Nothing but time may make work possible again (a cooldown that ends).
	// These are the longest times until a look around.
	idlePoll       = 3 * time.Second
	idlePollSynced = 30 * time.Second
)

// newEngine makes the engine of a Run, or the one after last, whose data had to be mended.
func newEngine(ctx context.Context, s *Syncer, last *engine) (*engine, error) {
	now := s.now()
	tip, work := s.db.Tip()
	e := &engine{
		board:    s.board,
		feed:     s.feed,
		txs:      s.txs,
		messages: s.messages,
		commands: s.commands,
		attached: s.wallets,
		chosen:   s.chosen,
		cfg:      &s.cfg,
		rules:    s.rules,
		db:       s.db,
		logs:     newLogs(s.cfg.Log),
		loop:     newLoop(ctx, s.now),
		chain:    chain.New(s.rules, s.db, tip, work),
		sessions: make(sessions),
		requests: requests.NewTable[*request](),
	}
	e.relay = newRelay(e.cfg)
	e.registry = newRegistry(registry.Options{})
	e.writer, e.disk = newWriter(), disk{end: tip, tip: tip}
	if err := errors.Join(e.loadRegistry(), e.trouble.start(s.db, now)); err != nil {
		e.cancel()
		return nil, err
	}
	if last != nil {
		e.takeOver(last)
	}
	e.filters = newFilterStage(s.db.Filters(), s.rules)
	e.network = newNetwork(e)
	e.progress.start(now, tip.Height)
	e.away = away{began: now}
	return e, nil
}

// takeOver takes what outlives an engine.
func (e *engine) takeOver(last *engine) {
	e.registry.TakeOver(last.registry)
	e.outgoing, e.cuts = last.outgoing, last.cuts
	for _, call := range last.fetches.waiting {
		e.beginFetch(call)
	}
	// What we had comes again; until then peers that are below it tell nothing new.
	if height := last.chain.Tip().Height; height > e.chain.Tip().Height {
		e.headers.awaited.set(height, e.now.Add(mendPatience))
	}
}

// mendPatience is how long a chain that had to be cut off is waited for.
const mendPatience = 10 * time.Minute

// run is the life of the engine.
func (e *engine) run() error {
	e.goWriter()
	for _, w := range e.attached.list {
		e.attach(w)
	}
	e.serve()
	err := e.err
	if err != nil {
		err = cmp.Or(e.chain.Failed(), err) // from that everything else follows
	}
	return e.shutdown(err)
}

// serve handles events until there is a failure or the context ends.
func (e *engine) serve() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for e.err == nil {
		e.tick()
		e.step()
		st := e.snapshot()
		e.board.show(st)
		e.feed.set(feedState{e.readable(), st.Synced})
		if err := e.chain.Failed(); err != nil {
			e.fail(err)
			return
		}
		wake := e.wake()
		timer.Reset(wake.Sub(e.read()))
		do := func() {}
		select {
		case ev := <-e.events:
			do = func() { e.handle(ev) }
		case command := <-e.commands:
			do = func() { command(e) }
		case <-timer.C:
		case <-e.ctx.Done():
			return
		}
		e.tick()
		e.noticeAway(wake)
		do()
	}
}

// manyWallets is from how many wallets on a step costs more than to wait for the answers of
// further ones: a third of what a new block costs a thousand.
const manyWallets = 16

// handle applies an event and those that queued up behind it, so that one step
// serves them all.
func (e *engine) handle(ev event) {
	for n := 0; ; n++ {
		e.tick()
		ev.apply(e)
		if e.err != nil || n == maxEvents {
			return
		}
		if len(e.events) == 0 && len(e.wallets) >= manyWallets {
			runtime.Gosched() // more of them are about to answer
		}
		select {
		case ev = <-e.events:
		default:
			return
		}
	}
}

// reconsider has every wallet asked again. Until they have answered nothing is
// in sync.
func (e *engine) reconsider() {
	for _, w := range e.wallets {
		w.reconsider()
	}
	e.board.show(e.snapshot())
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
	e.planCopies()
	e.detachFailed()
	e.scanMore()
	e.dispatch()
	e.giveUpUnserved()
	e.replaceUseless()
	e.tryStrangers()
	e.tryFaster()
	e.followPeers()
	e.publishMore()
	e.fetchTxs()
}

// wake is when step must run again although no event came.
func (e *engine) wake() time.Time {
	idle := idlePoll
	if e.progress.synced {
		idle = idlePollSynced
	}
	a := &alarm{now: e.now, next: e.now.Add(idle)}
	e.dialAlarm(a)
	e.headerAlarm(a)
	e.lagAlarm(a)
	e.followAlarm(a)
	e.stallAlarm(a)
	e.crawlAlarm(a)
	e.outgoing.alarm(a, e.following.on)
	e.trouble.alarm(a)
	e.scans.alarm(a)
	e.walletAlarm(a)
	a.at(e.requests.Deadline(e.openRequests(), e.now))
	a.at(e.registry.ClaimTime(e.now))
	a.at(e.relay.due)
	a.at(e.futureTime())
	return a.next
}

// shutdown ends every goroutine, then writes what a restart profits from. It returns the
// error that the engine has ended with, or else its own.
func (e *engine) shutdown(err error) error {
	e.cancel()
	for _, s := range e.sessions {
		s.peer.Close(context.Canceled)
	}
	e.wg.Wait()
	hangs := e.awaitWallets()
	for len(e.events) > 0 {
		if d, ok := (<-e.events).(dialed); ok && d.peer != nil {
			d.peer.Close(context.Canceled)
		}
	}
	for _, s := range e.sessions {
		e.registry.Disconnected(s.addr, nil, e.now)
		e.network.closed(s.peer.Stats())
		e.logs.peer.Infof("%s disconnected: stopping", s.addr)
	}
	if err == nil || mends(err) {
		err = cmp.Or(err, writeRegistry(e.db, e.registry, e.now))
	}
	if err == nil && (e.trouble.changed() || e.writer.busy) { // that write may not have begun
		err = e.trouble.save()(e.db)
	}
	err = errors.Join(err, e.network.close())
	if hangs != nil && (err == nil || mends(err) && len(e.wallets) == 0) { // nobody to mend for
		err = hangs
	}
	clear(e.sessions)
	if mends(err) {
		e.outgoing.handOver()
	}
	e.tick()
	e.board.show(e.snapshot())
	return err
}

package spv

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/internal/scan"
)

// scanStage tests blocks for all wallets, in one pass at a time (package scan).
type scanStage struct {
	table   scan.Table[*walletState]
	running bool      // a pass is
	waiting time.Time // since when there has been something to test; zero if there is not
}

const (
	// passPatience is how long a pass waits for wallets that are busy, so that they
	// take part in it.
	passPatience = 100 * time.Millisecond

	// maxAwaited is how many blocks may be in batches that are not complete when a pass
	// begins over more than shortScan blocks. It bounds what is in memory while peers are
	// slow: many wallets may each have a batch. New blocks wait for none of them.
	maxAwaited = 4 * scan.MaxMatches
	shortScan  = 500

	// flushEvery is how often a wallet is given what was tested although nothing was
	// found: what it does not have is tested again after a restart.
	flushEvery = 10 * time.Second
)

// want enters what a wallet wants tested.
func (st *scanStage) want(w *walletState, sc Scan, now time.Time) {
	w.wants(sc, now)
	st.table.Put(w, scan.Request{Range: sc.Range, Query: sc.Query})
}

// start begins a pass if there is something to test, and nobody is waited for: of what has
// at most so many blocks.
func (st *scanStage) start(wallets []*walletState, most uint32, now time.Time) (pass *scan.Pass[*walletState], ok bool) {
	if st.running || st.table.Empty() {
		st.waiting = time.Time{}
		return nil, false
	}
	if st.waiting.IsZero() {
		st.waiting = now
	}
	joins := func(w *walletState) bool { return w.batch != nil || w.busy && !w.relaying }
	if now.Sub(st.waiting) < passPatience && slices.ContainsFunc(wallets, joins) {
		return nil, false
	}
	pass, st.running = st.table.Start(most)
	return pass, st.running
}

// alarm is for the end of that wait.
func (st *scanStage) alarm(a *alarm) {
	if !st.running && !st.waiting.IsZero() {
		a.at(st.waiting.Add(passPatience))
	}
}

// fail ends a pass without a result.
func (st *scanStage) fail() {
	st.table.Fail()
	st.running, st.waiting = false, time.Time{}
}

// finish ends a pass. Each wallet that has matches, or is done, gets a batch.
func (st *scanStage) finish(res scan.Result, now time.Time) (begun []*batch) {
	st.running, st.waiting = false, time.Time{}
	for _, d := range st.table.Finish(res, func(w *walletState) bool { return w.outdated(now) }) {
		b := &batch{Delivery: d}
		for _, i := range d.Matches {
			b.matches = append(b.matches, res.Matches[i])
		}
		d.Key.begin(b)
		begun = append(begun, b)
	}
	return begun
}

// batch is what was tested for a wallet, on its way there.
type batch struct {
	scan.Delivery[*walletState]
	matches []scan.Match // its own
}

// complete reports whether all blocks of it are there.
func (b *batch) complete(blocks *blockStage) bool {
	return !slices.ContainsFunc(b.matches, func(m scan.Match) bool { return blocks.get(m.ID.Hash) == nil })
}

// awaited is how many blocks are in batches that are not complete. One that several need
// counts for each.
func (l walletStates) awaited(blocks *blockStage) (n int) {
	for _, w := range l {
		if w.batch != nil && !w.batch.complete(blocks) {
			n += len(w.batch.matches)
		}
	}
	return n
}

// of is what the wallet gets, which has asked for a scan.
func (b *batch) of(sc Scan, blocks *blockStage) Batch {
	var msgs []Block
	for _, m := range b.matches {
		msgs = append(msgs, Block{ID: m.ID, Time: m.Header.Time(), Msg: blocks.get(m.ID.Hash), Disapproved: m.Disapproved})
	}
	return Batch{
		Scan:   Scan{Range: b.Range, Query: sc.Query, Groups: sc.Groups},
		Blocks: msgs, End: b.End.ID, Price: b.End.Price, Disapproved: b.Disapproved,
	}
}

// beginBatch needs the blocks of a batch; endBatch does not any more.
func (e *engine) beginBatch(b *batch) {
	for i := range b.matches {
		e.blocks.need(b.matches[i].ID.Hash, &b.matches[i].Header)
	}
}

func (e *engine) endBatch(w *walletState) {
	for _, m := range w.batch.matches {
		e.blocks.drop(m.ID.Hash)
	}
	w.end()
}

// scanMore starts what the wallets need next.
func (e *engine) scanMore() {
	for _, w := range e.wallets {
		if !w.busy {
			e.walletStep(w)
		}
	}
	if e.fetches.answer(&e.blocks) {
		e.finish(e.blocks.callOff()...)
	}
	e.fetchBlocks()
	most := uint32(math.MaxUint32)
	if e.wallets.awaited(&e.blocks) >= maxAwaited {
		most = shortScan
	}
	pass, ok := e.scans.start(e.wallets, most, e.now)
	if !ok {
		return
	}
	branch := e.branch
	e.goWorker(func() {
		res, err := scan.Run(e.ctx, scanSource{e.db}, pass.Requests)
		e.post(passDone{res, branch, err})
	})
}

// scanSource is chain.db as what a pass reads.
type scanSource struct{ *chaindb.DB }

func (s scanSource) Next(id chain.BlockID) (h chain.Header, ok bool, err error) {
	h, err = s.Header(id.Height + 1)
	if errors.Is(err, chaindb.ErrNotFound) {
		return h, false, nil
	}
	return h, err == nil && h.PrevBlock() == id.Hash, err
}

// passDone: a pass is over.
type passDone struct {
	result scan.Result
	branch branch
	err    error
}

func (ev passDone) apply(e *engine) {
	switch {
	case ev.branch != e.branch: // what was read may be of the old branch
		e.scans.fail()
	case ev.err != nil:
		e.scans.fail()
		e.fail(ev.err)
	default:
		for _, b := range e.scans.finish(ev.result, e.now) {
			e.beginBatch(b)
		}
	}
}

// truncateScans gives up work on blocks that left the best chain.
func (e *engine) truncateScans(fork chain.BlockID) {
	e.scans.table.Clear()
	for _, w := range e.wallets {
		w.position.reorg(fork)
		w.scanned.expire()
		if w.batch != nil && w.batch.End.ID.Height > fork.Height {
			e.endBatch(w)
		}
	}
	e.fetches.reorganized(fork.Height, &e.blocks)
	e.finish(e.blocks.callOff()...)
}

func (e *engine) walletStep(w *walletState) {
	if w.reported && !w.position.found {
		e.locate(w)
	}
	switch {
	case w.busy:
	case !w.reported:
		e.ask(w, func() error { return nil }, nil)
	case !w.position.found:
	case w.batch != nil:
		if w.batch.complete(&e.blocks) {
			e.apply(w)
		}
	case e.scans.table.Has(w):
	case w.watching && w.birthday < e.filters.from: // its filters are planned first
	default:
		limit, ok := e.scanLimit()
		if ok && w.watching && !w.scanned.through(limit) {
			e.askScan(w, limit)
		} else {
			e.relayTo(w)
		}
	}
}

// nextScan is the question to a wallet what to test next.
type nextScan struct {
	limit   uint32
	branch  branch
	changes int // of the wallet, when it was asked

	scan Scan
	some bool // to test
}

func (e *engine) nextScan(w *walletState, limit uint32) *nextScan {
	return &nextScan{limit: limit, branch: e.branch, changes: w.scanned.changes}
}

// ask is called on the wallet's goroutine.
func (q *nextScan) ask(w *walletState) (err error) {
	q.scan, q.some, err = w.wallet.NextScan(w.ctx, q.limit)
	return err
}

// answer takes what the wallet has said.
func (e *engine) answer(w *walletState, q *nextScan) {
	r := q.scan.Range
	switch {
	case q.branch != e.branch:
	case !q.some:
		w.scanned.answer(q.limit, q.changes)
	case r.From > r.To || r.To > q.limit || q.scan.Query == nil || w.odd(q.scan):
		w.fail(fmt.Errorf("%w: blocks %d to %d of %d, birthday %d", ErrScan, r.From, r.To, q.limit, w.birthday))
	case r.From < e.filters.from: // the birthday has moved down
	default:
		e.scans.want(w, q.scan, e.now)
	}
}

// askScan asks a wallet what to test next.
func (e *engine) askScan(w *walletState, limit uint32) {
	next := e.nextScan(w, limit)
	e.call(w, func() error { return next.ask(w) }, func() { e.answer(w, next) })
}

// apply hands a complete batch to the wallet, and asks at once what comes next: with many
// wallets each call less counts.
func (e *engine) apply(w *walletState) {
	given := w.batch
	b := given.of(w.want, &e.blocks)
	limit, ok := e.scanLimit()
	next := e.nextScan(w, limit)
	e.call(w, func() error {
		if err := w.wallet.Apply(w.ctx, b); err != nil || !ok {
			return err
		}
		return next.ask(w)
	}, func() {
		if w.batch == given { // no reorg has ended it
			e.endBatch(w)
		}
		e.logs.wallet.Debugf("Scanned through block %d", b.End.Height)
		if ok {
			e.answer(w, next)
		}
	})
}

// scanDone reports whether no wallet has any block left to test.
func (e *engine) scanDone() bool {
	return !slices.ContainsFunc(e.wallets, func(w *walletState) bool { return !e.tested(w) })
}

// tested reports whether a wallet has no block left to test.
func (e *engine) tested(w *walletState) bool {
	if !w.reported || w.busy && !w.relaying || !w.position.found || w.batch != nil {
		return false
	}
	return !w.watching || w.scanned.through(e.chain.Tip().Height)
}

// owedAll is how many blocks up to a height are still to be tested, for the wallet
// that has the most of them left.
func (e *engine) owedAll(height uint32) (owed uint32) {
	for _, w := range e.wallets {
		if w.watching {
			left := w.owed - min(w.owed, e.scans.table.Tested(w))
			owed = max(owed, left+height-min(height, w.owedTo))
		}
	}
	return owed
}

// scannedAll is the range that every script of every wallet was tested on.
func (e *engine) scannedAll() Span {
	var all commonSpan
	for _, w := range e.wallets {
		if w.watching {
			all.add(w.tested)
		}
	}
	return all.Span
}

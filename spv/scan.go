package spv

import (
	"context"
	"slices"

	"dcrspv/filters"
	"dcrspv/spv/chain"
	"dcrspv/spv/chaindb"
)

// walletState is a wallet as the engine sees it. Calls to the wallet, and the
// matching for it, run on a goroutine of its own, one at a time.
type walletState struct {
	wallet Wallet
	jobs   chan func() event // never full: busy tells
	busy   bool

	// What the wallet last told.
	reported bool
	watching bool
	birthday uint32
	scanned  Span

	// located: the wallet's blocks are on the best chain. locator is what it
	// said when asked; it may have to wait until we have headers that high.
	located bool
	locator []chain.BlockID
	asked   bool

	// fork is the lowest fork since the wallet was on the best chain, if it
	// ever was: better than what the sparse locator can tell.
	fork   chain.BlockID
	forked bool

	// quiet is the height up to which the wallet had no debt when last asked.
	// changes counts the reasons to ask again, so that an answer from before
	// one is told apart.
	quiet   uint32
	isQuiet bool
	changes int

	scan *scan // the blocks that a batch still needs
}

// scan is a batch on its way: the filters are matched, the blocks are fetched.
type scan struct {
	found
	units []*unit
	open  int // units not done
}

const (
	// maxMatches bounds the blocks of one batch, and with it the memory: a
	// block has at most 393,216 bytes (chaincfg MaximumBlockSizes).
	maxMatches = 64
)

func newWalletState(w Wallet) *walletState {
	return &walletState{wallet: w, jobs: make(chan func() event, 1)}
}

// units are the block requests of the present batch.
func (w *walletState) units() []*unit {
	if w.scan == nil {
		return nil
	}
	return w.scan.units
}

// cutAbove gives up work on blocks that left the best chain.
func (w *walletState) cutAbove(fork chain.BlockID) {
	if w.located && !w.forked || w.forked && fork.Height < w.fork.Height {
		w.fork, w.forked = fork, true
	}
	w.located, w.asked, w.locator = false, false, nil
	w.isQuiet = false
	if w.scan != nil && w.scan.batch.End.Height > fork.Height {
		w.dropScan()
	}
}

func (w *walletState) dropScan() {
	for _, u := range w.scan.units {
		u.finish()
	}
	w.scan = nil
}

func (e *engine) goWallets() {
	for _, w := range e.wallets {
		e.goWorker(func() {
			for {
				select {
				case job := <-w.jobs:
					e.post(job())
				case <-w.wallet.Changed():
					e.post(walletChanged{w})
				case <-e.ctx.Done():
					return
				}
			}
		})
	}
}

// walletChanged: the watch set changed, so there may be debt, and from a lower
// height.
type walletChanged struct{ w *walletState }

func (ev walletChanged) apply(*engine) { ev.w.reconsider() }

// reconsider has the wallet asked again for all it wants.
func (w *walletState) reconsider() {
	w.reported = false
	w.isQuiet = false
	w.changes++
}

// reconsider has every wallet asked again. Until they have answered nothing is
// in sync.
func (e *engine) reconsider() {
	for _, w := range e.wallets {
		w.reconsider()
	}
	e.syncer.publish(e.snapshot())
}

// scanMore starts what each wallet needs next.
func (e *engine) scanMore() {
	for _, w := range e.wallets {
		if !w.busy {
			e.walletStep(w)
		}
	}
}

func (e *engine) walletStep(w *walletState) {
	switch {
	case !w.reported:
		e.ask(w, func() error { return nil })
	case !w.located:
		e.locate(w)
	case w.scan != nil:
		if w.scan.open == 0 {
			e.apply(w)
		}
	default:
		limit, ok := e.scanLimit()
		if ok && w.watching && !(w.isQuiet && w.quiet == limit) {
			e.match(w, limit)
		}
	}
}

// work runs a job on the wallet's goroutine. Its event must call reply.
func (w *walletState) work(job func() event) {
	w.busy = true
	w.jobs <- job
}

// report is what a wallet tells after each call.
type report struct {
	w        *walletState
	birthday uint32
	watching bool
	scanned  Span
	err      error
}

// reportOf reads the wallet's summary, on its goroutine.
func reportOf(w *walletState, limit uint32, err error) report {
	r := report{w: w, err: err}
	if err == nil {
		r.birthday, r.watching = w.wallet.Birthday()
		r.scanned.From, r.scanned.Through, r.scanned.Any = w.wallet.Scanned(limit)
	}
	return r
}

// reply takes note of a report.
func (e *engine) reply(r report) bool {
	r.w.busy = false
	if r.err != nil {
		e.fail(r.err)
		return false
	}
	r.w.birthday, r.w.watching, r.w.scanned = r.birthday, r.watching, r.scanned
	return true
}

// ask runs a call that only has an error to return, and then the report.
func (e *engine) ask(w *walletState, call func() error) {
	limit := e.chain.Tip().Height
	w.reported = true // until the wallet changes again
	w.work(func() event { return walletAsked{reportOf(w, limit, call())} })
}

// walletAsked: a call to the wallet is over.
type walletAsked struct{ report }

func (ev walletAsked) apply(e *engine) { e.reply(ev.report) }

// locate finds out where the wallet's blocks leave the best chain, after a
// start or a reorg, and rewinds the wallet to there.
func (e *engine) locate(w *walletState) {
	if !w.asked {
		w.asked = true
		branch, limit := e.branch, e.chain.Tip().Height
		w.work(func() event {
			ids, err := w.wallet.Locator()
			return walletLocated{reportOf(w, limit, err), ids, branch}
		})
		return
	}
	if len(w.locator) == 0 {
		w.located, w.forked = true, false
		return
	}
	if w.locator[0].Height > e.chain.Tip().Height && !e.headersDone() {
		return // chain.db may be new: our headers are still on their way there
	}
	w.located = true
	_, to := e.rules.Genesis()
	if i := slices.IndexFunc(w.locator, e.chain.Contains); i >= 0 {
		to = w.locator[i]
	}
	if w.forked && w.fork.Height > to.Height {
		to = w.fork
	}
	w.forked = false
	if to.Height < w.locator[0].Height {
		e.ask(w, func() error { return w.wallet.Rewind(to) })
	}
}

// walletLocated: the wallet told which blocks it has processed.
type walletLocated struct {
	report
	ids    []chain.BlockID
	branch int
}

func (ev walletLocated) apply(e *engine) {
	if e.reply(ev.report) {
		ev.w.locator = ev.ids
		if ev.branch != e.branch {
			ev.w.asked = false
		}
	}
}

// match asks the wallet what to test next and tests it against the stored
// filters.
func (e *engine) match(w *walletState, limit uint32) {
	branch, changes := e.branch, w.changes
	w.work(func() event {
		ev := walletMatched{limit: limit, branch: branch, changes: changes}
		scan, ok, err := w.wallet.NextScan(limit)
		if err == nil && ok {
			ev.found, err = matchStored(e.ctx, e.db, scan)
			ev.ok = true
			if err != nil {
				ev.stored, err = err, nil
			}
		}
		ev.report = reportOf(w, limit, err)
		return ev
	})
}

// found is what matching a scan against the stored filters gave.
type found struct {
	batch   Batch
	headers []chain.Header // of batch.Blocks
}

// matchStored tests the blocks of a scan. It may cut the scan short. With many
// scripts it takes long enough to look at ctx for each block.
func matchStored(ctx context.Context, db *chaindb.DB, scan Scan) (found, error) {
	f := found{batch: Batch{Scan: scan}}
	var matcher filters.Matcher
	var bad error
	err := db.Blocks(scan.Range, func(height uint32, h *chain.Header, filter []byte) bool {
		if height > 1 && h.VoteBits()&1 == 0 {
			f.batch.Disapproved = append(f.batch.Disapproved, height-1)
		}
		if bad = ctx.Err(); bad != nil {
			return false
		}
		match, err := matcher.Match(scan.Query, h.FilterKey(), filter)
		if err != nil {
			match = true // the header commits to bytes that make no sense: look at the block
		}
		if match && height > 0 { // nobody can spend what the genesis block pays
			f.headers = append(f.headers, *h)
		}
		f.batch.Scan.Range.To = height
		if height == scan.Range.To || len(f.headers) == maxMatches {
			f.batch.End = chain.BlockID{Height: height, Hash: h.Hash()}
			return false
		}
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return found{}, err
	}
	last := f.batch.Scan.Range.To
	for _, h := range f.headers {
		b := Block{ID: chain.BlockID{Height: h.Height(), Hash: h.Hash()}, Time: h.Time()}
		b.Disapproved = slices.Contains(f.batch.Disapproved, h.Height())
		if h.Height() == last {
			next, err := db.Header(last + 1)
			b.Disapproved = err == nil && next.PrevBlock() == b.ID.Hash && next.VoteBits()&1 == 0
		}
		f.batch.Blocks = append(f.batch.Blocks, b)
	}
	return f, nil
}

// walletMatched: a scan was matched against the stored filters.
type walletMatched struct {
	report
	found   found
	ok      bool  // there was debt
	stored  error // the stored data could not be read
	limit   uint32
	branch  int
	changes int
}

func (ev walletMatched) apply(e *engine) {
	if !e.reply(ev.report) || ev.branch != e.branch {
		return // what was read may be of the old branch
	}
	w := ev.w
	switch {
	case !ev.ok:
		w.quiet, w.isQuiet = ev.limit, ev.changes == w.changes
	case ev.stored != nil:
		e.fail(ev.stored)
	default:
		w.scan = &scan{found: ev.found}
		e.blockUnits(w.scan)
	}
}

// apply hands a complete batch to the wallet.
func (e *engine) apply(w *walletState) {
	batch := w.scan.batch
	limit := e.chain.Tip().Height
	w.work(func() event {
		return walletApplied{report: reportOf(w, limit, w.wallet.Apply(batch)), to: batch.End}
	})
}

// walletApplied: a batch is in the wallet.
type walletApplied struct {
	report
	to chain.BlockID
}

func (ev walletApplied) apply(e *engine) {
	ev.w.scan = nil
	if e.reply(ev.report) {
		e.log.Debugf("Scanned through block %d", ev.to.Height)
	}
}

// scanDone reports whether no wallet owes a test of any block.
func (e *engine) scanDone() bool {
	for _, w := range e.wallets {
		if !w.reported || w.busy || !w.located || w.scan != nil {
			return false
		}
		if w.watching && !(w.isQuiet && w.quiet == e.chain.Tip().Height) {
			return false
		}
	}
	return true
}

// scannedAll is the stretch that every script of every wallet was tested on.
func (e *engine) scannedAll() Span {
	all := Span{}
	for _, w := range e.wallets {
		if !w.watching {
			continue
		}
		if !w.scanned.Any {
			return Span{}
		}
		if !all.Any {
			all = w.scanned
			continue
		}
		all.From = max(all.From, w.scanned.From)
		all.Through = min(all.Through, w.scanned.Through)
	}
	return all
}

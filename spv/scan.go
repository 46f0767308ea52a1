package spv

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// walletState is a wallet as the engine sees it. Calls to the wallet, and the
// matching for it, run on a goroutine of its own, one at a time.
type walletState struct {
	wallet  Wallet
	unmined UnminedWallet     // the same, if it is one
	jobs    chan func() event // never full: busy tells
	busy    bool

	reported bool // it has been asked since it last changed

	// What the wallet last told; answered is false before it ever did.
	answered bool
	watching bool
	birthday uint32
	scanned  Span
	owed     uint32 // blocks up to owedTo that are to be tested
	owedTo   uint32
	pending  []*wire.MsgTx // its own transactions that are not in the chain

	heard   heard // transactions of others
	telling bool  // busy with those, which leaves it in sync

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

func newWalletState(w Wallet) *walletState {
	unmined, _ := w.(UnminedWallet)
	return &walletState{wallet: w, unmined: unmined, jobs: make(chan func() event, 1)}
}

// units are the block requests of the present batch.
func (w *walletState) units() []*unit {
	if w.scan == nil {
		return nil
	}
	return w.scan.units
}

// truncateWallet gives up work on blocks that left the best chain.
func (e *engine) truncateWallet(w *walletState, fork chain.BlockID) {
	if w.located && !w.forked || w.forked && fork.Height < w.fork.Height {
		w.fork, w.forked = fork, true
	}
	w.located, w.asked, w.locator = false, false, nil
	w.isQuiet = false
	if w.scan != nil && w.scan.batch.End.Height > fork.Height {
		e.finishAll(w.scan.units)
		w.scan = nil
	}
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
		if w.located && !w.busy {
			e.walletStep(w) // it was not asked, so no answer will bring us back here
		}
	case w.scan != nil:
		if w.scan.open == 0 {
			e.apply(w)
		}
	default:
		limit, ok := e.scanLimit()
		if ok && w.watching && !(w.isQuiet && w.quiet == limit) {
			e.match(w, limit)
		} else {
			e.tellWallet(w)
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
	owed     uint32
	owedTo   uint32
	pending  []*wire.MsgTx
	err      error
}

// reportOf reads the wallet's summary, on its goroutine.
func reportOf(w *walletState, limit uint32, err error) report {
	r := report{w: w, owedTo: limit, err: err}
	if err == nil {
		r.birthday, r.watching = w.wallet.Birthday()
		r.scanned.From, r.scanned.Through, r.scanned.Any = w.wallet.Scanned(limit)
		r.owed = w.wallet.Owed(limit)
		if w.unmined != nil {
			r.pending, r.err = w.unmined.Pending()
		}
	}
	return r
}

// reply takes note of a report.
func (e *engine) reply(r report) bool {
	r.w.busy, r.w.telling = false, false
	if len(r.pending) > 0 || len(r.w.pending) > 0 {
		e.outgoing.changed = true
	}
	if r.err != nil {
		e.fail(r.err)
		return false
	}
	r.w.answered = true
	r.w.birthday, r.w.watching, r.w.scanned, r.w.pending = r.birthday, r.watching, r.scanned, r.pending
	r.w.owed, r.w.owedTo = r.owed, r.owedTo
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
		e.logs.wallet.Debugf("Scanned through block %d", ev.to.Height)
	}
}

// scanDone reports whether no wallet owes a test of any block.
func (e *engine) scanDone() bool {
	for _, w := range e.wallets {
		if !w.reported || w.busy && !w.telling || !w.located || w.scan != nil {
			return false
		}
		if w.watching && !(w.isQuiet && w.quiet == e.chain.Tip().Height) {
			return false
		}
	}
	return true
}

// owedAll is how many blocks up to a height are still to be tested, for the wallet
// that owes the most.
func (e *engine) owedAll(height uint32) (owed uint32) {
	for _, w := range e.wallets {
		if w.watching {
			owed = max(owed, w.owed+height-min(height, w.owedTo))
		}
	}
	return owed
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

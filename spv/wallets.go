package spv

import "github.com/decred/dcrd/wire"

// walletState is a wallet as the engine sees it. Calls to the wallet, and the
// matching for it, run on a goroutine of its own, one at a time.
type walletState struct {
	wallet  Wallet
	unmined UnminedWallet     // the same, if it is one
	jobs    chan func() event // never full: busy tells
	busy    bool

	reported bool // it has been asked since it last changed
	answered bool // it has been asked at all
	summary       // what it said last

	position position // on the best chain
	scanned  scanned  // as far as it wants
	scan     *scan    // the blocks that a batch still needs; nil if there is none

	heard    heard // transactions of others
	relaying bool  // busy with those, which leaves it in sync
}

// summary is what a wallet says of itself after each call.
type summary struct {
	watching bool
	birthday uint32
	tested   Span
	owed     uint32 // blocks up to owedTo that are to be tested
	owedTo   uint32
	pending  []*wire.MsgTx // its own transactions that are not in the chain
}

func newWalletState(w Wallet) *walletState {
	unmined, _ := w.(UnminedWallet)
	return &walletState{wallet: w, unmined: unmined, jobs: make(chan func() event, 1)}
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

// walletChanged: the watch set changed, so there may be blocks to test, and from a lower
// height.
type walletChanged struct{ w *walletState }

func (ev walletChanged) apply(*engine) { ev.w.reconsider() }

// reconsider has the wallet asked again for all it wants.
func (w *walletState) reconsider() {
	w.reported = false
	w.scanned.change()
}

// begin has a batch under way, and end has none.
func (w *walletState) begin(sc *scan) { w.scan = sc }
func (w *walletState) end()           { w.scan = nil }

// requests are those for the blocks of the present batch.
func (w *walletState) requests() []*request {
	if w.scan == nil {
		return nil
	}
	return w.scan.requests
}

// report is what a wallet says after a call.
type report struct {
	w *walletState
	summary
	err error
}

// reportOf reads the wallet's summary, on its goroutine.
func reportOf(w *walletState, limit uint32, err error) report {
	r := report{w: w, err: err}
	if err == nil {
		r.birthday, r.watching = w.wallet.Birthday()
		r.tested = spanOf(w.wallet.Scanned(limit))
		r.owed, r.owedTo = w.wallet.Owed(limit), limit
		if w.unmined != nil {
			r.pending, r.err = w.unmined.Pending()
		}
	}
	return r
}

func spanOf(from, through uint32, ok bool) Span { return Span{From: from, Through: through, Any: ok} }

// work runs a job on the wallet's goroutine. Its event must call reply.
func (w *walletState) work(job func() event) {
	w.busy = true
	w.jobs <- job
}

// ask runs a call that only has an error to return, and then the report.
func (e *engine) ask(w *walletState, call func() error) {
	limit := e.chain.Tip().Height
	w.reported = true // until the wallet changes again
	w.work(func() event { return walletAsked{reportOf(w, limit, call())} })
}

// relay is work for transactions of others.
func (w *walletState) relay(job func() event) {
	w.relaying = true
	w.reported = true // until the wallet changes again
	w.work(job)
}

// reply takes note of a report.
func (e *engine) reply(r report) bool {
	w := r.w
	w.busy, w.relaying = false, false
	if len(r.pending) > 0 || len(w.pending) > 0 {
		e.outgoing.recollect()
	}
	if r.err != nil {
		e.fail(r.err)
		return false
	}
	w.answered, w.summary = true, r.summary
	return true
}

// walletAsked: a call to the wallet is over.
type walletAsked struct{ report }

func (ev walletAsked) apply(e *engine) { e.reply(ev.report) }

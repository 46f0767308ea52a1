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

// summaryOf asks a wallet, on its goroutine.
func (w *walletState) summaryOf(limit uint32) (s summary, err error) {
	s.birthday, s.watching = w.wallet.Birthday()
	s.tested = spanOf(w.wallet.Scanned(limit))
	s.owed, s.owedTo = w.wallet.Owed(limit), limit
	if w.unmined != nil {
		s.pending, err = w.unmined.Pending()
	}
	return s, err
}

func spanOf(from, through uint32, ok bool) Span { return Span{From: from, Through: through, Any: ok} }

// call has a job done on the wallet's goroutine, asks the wallet for its summary, and
// has the engine do what follows. An error is a local failure. then may be nil.
func (e *engine) call(w *walletState, job func() error, then func()) {
	limit := e.chain.Tip().Height
	w.busy = true
	w.jobs <- func() event {
		ev := called{w: w, then: then}
		if ev.err = job(); ev.err == nil {
			ev.summary, ev.err = w.summaryOf(limit)
		}
		return ev
	}
}

// ask is call for what the wallet need not be asked again for before it changes.
func (e *engine) ask(w *walletState, job func() error, then func()) {
	w.reported = true
	e.call(w, job, then)
}

// relayCall is ask for transactions of others.
func (e *engine) relayCall(w *walletState, job func() error, then func()) {
	w.relaying = true
	e.ask(w, job, then)
}

// called: a call to a wallet is over.
type called struct {
	w *walletState
	summary
	err  error
	then func()
}

func (ev called) apply(e *engine) {
	w := ev.w
	w.busy, w.relaying = false, false
	if len(ev.pending) > 0 || len(w.pending) > 0 {
		e.outgoing.recollect()
	}
	if ev.err != nil {
		e.fail(ev.err)
		return
	}
	w.answered, w.summary = true, ev.summary
	if ev.then != nil {
		ev.then()
	}
}

package spv

import (
	"context"
	"slices"
	"time"

	"github.com/decred/dcrd/wire"
)

// walletState is a wallet as the engine sees it. Calls to the wallet run on a goroutine
// of its own, one at a time.
type walletState struct {
	wallet  Wallet
	unmined UnminedWallet // the same, if it is one

	ctx    context.Context // ends when it is detached
	detach context.CancelFunc
	ended  chan struct{} // closed when it is not called any more
	err    error         // that it has returned

	jobs   chan func() event // never full: busy tells
	busy   bool
	called time.Time // when it was last called

	reported bool // it has been asked since it last changed
	answered bool // it has been asked at all
	summary       // what it said last

	position position // on the best chain
	scanned  scanned  // as far as it wants
	want     Scan     // what it last wanted tested
	wantedAt time.Time
	batch    *batch // what was tested; nil if it has that
	oddities int    // scans in a row below its birthday

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

func newWalletState(ctx context.Context, w Wallet) *walletState {
	unmined, _ := w.(UnminedWallet)
	ws := &walletState{wallet: w, unmined: unmined, jobs: make(chan func() event, 1), ended: make(chan struct{})}
	ws.ctx, ws.detach = context.WithCancel(ctx)
	return ws
}

// fail notes an error: the wallet will be detached.
func (w *walletState) fail(err error) { w.err = err }

// walletStates are the wallets of an engine.
type walletStates []*walletState

func (l *walletStates) add(ctx context.Context, w Wallet) *walletState {
	ws := newWalletState(ctx, w)
	*l = append(*l, ws)
	return ws
}

func (l *walletStates) remove(w *walletState) {
	*l = slices.DeleteFunc(slices.Clone(*l), func(other *walletState) bool { return other == w })
}

// of returns what is known of a wallet.
func (l walletStates) of(w Wallet) *walletState {
	return l[slices.IndexFunc(l, func(ws *walletState) bool { return ws.wallet == w })]
}

// goWallet starts the goroutine that calls a wallet. The engine waits for it at the end
// unless the wallet was detached.
func (e *engine) goWallet(w *walletState) {
	go func() {
		defer close(w.ended)
		closed := false // its Changed
		for w.ctx.Err() == nil {
			var changed <-chan struct{}
			if !closed {
				changed = w.wallet.Changed()
			}
			select {
			case job := <-w.jobs:
				e.post(job())
			case _, open := <-changed:
				closed = !open
				e.post(walletChanged{w})
			case <-w.ctx.Done():
			}
		}
	}()
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

// wants notes what it wants tested; begin has a batch under way, and end has none.
func (w *walletState) wants(sc Scan, now time.Time) { w.want, w.wantedAt = sc, now }
func (w *walletState) begin(b *batch)               { w.batch = b }
func (w *walletState) end()                         { w.batch = nil }

// maxOddities is how often a wallet may want blocks below its birthday: it is no fault if
// that has moved between the two questions.
const maxOddities = 10

// odd reports whether it keeps to want blocks below its birthday.
func (w *walletState) odd(sc Scan) bool {
	if w.watching && sc.Range.From >= w.birthday {
		w.oddities = 0
	} else {
		w.oddities++
	}
	return w.oddities >= maxOddities
}

// outdated reports whether it is to have what was tested, whatever was found: it has
// changed since it said what it wants, or that is long ago.
func (w *walletState) outdated(now time.Time) bool {
	return !w.reported || now.Sub(w.wantedAt) >= flushEvery
}

// summaryOf asks a wallet, on its goroutine.
func (w *walletState) summaryOf(limit uint32) (s summary, err error) {
	s.birthday, s.watching = w.wallet.Birthday()
	s.tested = spanOf(w.wallet.Scanned(limit))
	s.owed, s.owedTo = w.wallet.Unscanned(limit), limit
	if w.unmined != nil {
		s.pending, err = w.unmined.Pending(w.ctx)
	}
	return s, err
}

func spanOf(from, through uint32, ok bool) Span { return Span{From: from, Through: through, Any: ok} }

// call has a job done on the wallet's goroutine, asks the wallet for its summary, and
// has the engine do what follows. An error is a local failure. then may be nil.
func (e *engine) call(w *walletState, job func() error, then func()) {
	limit := e.chain.Tip().Height
	w.busy, w.called = true, e.now
	w.jobs <- func() event {
		ev := walletCalled{w: w, then: then}
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

// walletCalled: a call to a wallet is over.
type walletCalled struct {
	w *walletState
	summary
	err  error
	then func()
}

func (ev walletCalled) apply(e *engine) {
	w := ev.w
	if w.ctx.Err() != nil {
		return // it was detached
	}
	w.busy, w.relaying = false, false
	if len(ev.pending) > 0 || len(w.pending) > 0 {
		e.outgoing.recollect()
	}
	if ev.err != nil {
		w.fail(ev.err)
		return
	}
	w.answered, w.summary = true, ev.summary
	if ev.then != nil {
		ev.then()
	}
}

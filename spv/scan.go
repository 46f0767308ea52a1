package spv

import "dcrspv/spv/chain"

// truncateWallet gives up work on blocks that left the best chain.
func (e *engine) truncateWallet(w *walletState, fork chain.BlockID) {
	w.position.reorg(fork)
	w.scanned.expire()
	if w.scan != nil && w.scan.end.Height > fork.Height {
		e.finish(w.scan.requests...)
		w.end()
	}
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
	if w.reported && !w.position.found {
		e.locate(w)
	}
	switch {
	case w.busy:
	case !w.reported:
		e.ask(w, func() error { return nil }, nil)
	case !w.position.found:
	case w.scan != nil:
		if w.scan.open == 0 {
			e.apply(w)
		}
	default:
		limit, ok := e.scanLimit()
		if ok && w.watching && !w.scanned.through(limit) {
			e.match(w, limit)
		} else {
			e.relayTo(w)
		}
	}
}

// match asks the wallet what to test next and tests it against the stored
// filters.
func (e *engine) match(w *walletState, limit uint32) {
	branch, changes, from := e.branch, w.scanned.changes, e.filters.from
	var next Scan
	var some bool   // to test
	var found found // what was read may be of the old branch after a reorg
	var stored error
	e.call(w, func() (err error) {
		if next, some, err = w.wallet.NextScan(limit); some && err == nil && next.Range.From >= from {
			found, stored = matchStored(e.ctx, e.db, next)
		}
		return err
	}, func() {
		switch {
		case branch != e.branch:
		case !some:
			w.scanned.answer(limit, changes)
		case next.Range.From < from:
			w.reconsider() // the birthday has moved down
		case stored != nil:
			e.fail(stored)
		default:
			w.begin(e.newScan(found))
		}
	})
}

// apply hands a complete batch to the wallet.
func (e *engine) apply(w *walletState) {
	batch := w.scan.batch()
	e.call(w, func() error { return w.wallet.Apply(batch) }, func() {
		w.end()
		e.logs.wallet.Debugf("Scanned through block %d", batch.End.Height)
	})
}

// scanDone reports whether no wallet has any block left to test.
func (e *engine) scanDone() bool {
	for _, w := range e.wallets {
		if !w.reported || w.busy && !w.relaying || !w.position.found || w.scan != nil {
			return false
		}
		if w.watching && !w.scanned.through(e.chain.Tip().Height) {
			return false
		}
	}
	return true
}

// owedAll is how many blocks up to a height are still to be tested, for the wallet
// that has the most of them left.
func (e *engine) owedAll(height uint32) (owed uint32) {
	for _, w := range e.wallets {
		if w.watching {
			owed = max(owed, w.owed+height-min(height, w.owedTo))
		}
	}
	return owed
}

// scannedAll is the range that every script of every wallet was tested on.
func (e *engine) scannedAll() (all Span) {
	for _, w := range e.wallets {
		switch {
		case !w.watching:
		case !w.tested.Any:
			return Span{}
		case !all.Any:
			all = w.tested
		default:
			all = spanOf(max(all.From, w.tested.From), min(all.Through, w.tested.Through), true)
		}
	}
	return all
}

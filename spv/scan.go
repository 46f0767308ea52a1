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
		e.ask(w, func() error { return nil })
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
	w.work(func() event {
		ev := walletMatched{limit: limit, branch: branch, changes: changes}
		scan, ok, err := w.wallet.NextScan(limit)
		switch {
		case err != nil || !ok:
		case scan.Range.From < from:
			ev.early = true
		default:
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

// walletMatched: a scan was matched against the stored filters.
type walletMatched struct {
	report
	found   found
	ok      bool  // there was something to test
	early   bool  // but from below the filters: the birthday has moved down
	stored  error // the stored data could not be read
	limit   uint32
	branch  branch
	changes int
}

func (ev walletMatched) apply(e *engine) {
	if !e.reply(ev.report) || ev.branch != e.branch {
		return // what was read may be of the old branch
	}
	w := ev.w
	switch {
	case ev.early:
		w.reconsider()
	case !ev.ok:
		w.scanned.answer(ev.limit, ev.changes)
	case ev.stored != nil:
		e.fail(ev.stored)
	default:
		w.begin(e.newScan(ev.found))
	}
}

// apply hands a complete batch to the wallet.
func (e *engine) apply(w *walletState) {
	batch := w.scan.batch()
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
	ev.w.end()
	if e.reply(ev.report) {
		e.logs.wallet.Debugf("Scanned through block %d", ev.to.Height)
	}
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

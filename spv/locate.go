package spv

import (
	"slices"

	"dcrspv/spv/chain"
)

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
	_, to := e.rules.Genesis()
	if i := slices.IndexFunc(w.locator, e.chain.Contains); i >= 0 {
		to = w.locator[i]
	}
	if e.chain.Failed() != nil {
		return // that a block can't be read does not mean that it has left the chain
	}
	w.located = true
	if w.forked && w.fork.Height > to.Height {
		to = w.fork
	}
	w.forked = false
	if to.Height < w.locator[0].Height {
		e.logs.wallet.Infof("Rewinding from block %d to %d", w.locator[0].Height, to.Height)
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

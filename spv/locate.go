package spv

import (
	"slices"

	"dcrspv/spv/chain"
)

// position is where a wallet's blocks are on the best chain.
type position struct {
	found bool // all of them are on it

	// locator is what the wallet said when it was asked; it may have to wait until
	// we have headers that high.
	locator   []chain.BlockID
	requested bool

	// fork is the lowest fork since the wallet was on the best chain, if it
	// ever was: better than what the sparse locator can tell.
	fork   chain.BlockID
	forked bool
}

// reorg notes that the best chain is another one above a block.
func (p *position) reorg(fork chain.BlockID) {
	if p.found && !p.forked || p.forked && fork.Height < p.fork.Height {
		p.fork, p.forked = fork, true
	}
	p.found, p.requested, p.locator = false, false, nil
}

// request notes that the wallet is asked for its locator. It answers with one, which does
// not count if there was a reorg meanwhile.
func (p *position) request() { p.requested = true }
func (p *position) answer(locator []chain.BlockID, counts bool) {
	p.locator, p.requested = locator, counts
}

// leaves is where the wallet's blocks leave the best chain, if some block of its locator is
// on it: a reorg may have shown a better one.
func (p *position) leaves(on chain.BlockID) chain.BlockID {
	if p.forked && p.fork.Height > on.Height {
		return p.fork
	}
	return on
}

// settle notes that the wallet is on the best chain.
func (p *position) settle() { p.found, p.forked = true, false }

// locate finds out where the wallet's blocks leave the best chain, after a
// start or a reorg, and rewinds the wallet to there.
func (e *engine) locate(w *walletState) {
	p := &w.position
	if !p.requested {
		p.request()
		branch := e.branch
		var locator []chain.BlockID
		e.call(w, func() (err error) {
			locator, err = w.wallet.Locator(w.ctx)
			return err
		}, func() { p.answer(locator, branch == e.branch) })
		return
	}
	if len(p.locator) == 0 {
		p.settle()
		return
	}
	end := p.locator[0]
	if end.Height > e.chain.Tip().Height && !e.headersDone() {
		return // chain.db may be new: our headers are still on their way there
	}
	_, to := e.rules.Genesis()
	if i := slices.IndexFunc(p.locator, e.chain.Contains); i >= 0 {
		to = p.locator[i]
	}
	if e.chain.Failed() != nil {
		return // that a block can't be read does not mean that it has left the chain
	}
	to = p.leaves(to)
	p.settle()
	if to.Height < end.Height {
		e.logs.wallet.Infof("Rewinding from block %d to %d", end.Height, to.Height)
		e.ask(w, func() error { return w.wallet.Rewind(w.ctx, to) }, nil)
	}
}

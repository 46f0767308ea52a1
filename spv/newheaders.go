package spv

import (
	"errors"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// requestHeaders asks a peer for what follows our tip, or its own last header.
func (e *engine) requestHeaders(s *session) {
	from, stop := e.locatorStart(s), chainhash.Hash{}
	if from == e.chain.Tip() {
		stop = e.headers.prefetch.stop(from.Height)
	}
	s.recheck.asked()
	first := e.asksFor(s, max(claimPatience, 2*e.requests.Measured(s.addr, registry.Headers)))
	e.sendHeaderRequest(&headerRequest{s: s, taken: e.takeHeaders, from: from, stop: stop, first: first}, e.chain.Locator(from))
}

// locatorStart is the block that a locator for a peer begins with: our tip, or
// the last header of that peer while its branch is not ours yet or has not been
// reached. For a peer that says it is below our tip it is the block where it
// says it is: it has stated how high it was when it connected, and only headers in
// its answer show that it has the blocks since.
func (e *engine) locatorStart(s *session) chain.BlockID {
	last := s.chain.last
	if e.chain.Known(last.Hash, last.Height) && (s.chain.walking || !e.chain.Contains(last)) {
		return last
	}
	tip := e.chain.Tip()
	if height := e.registry.Height(s.addr); height < tip.Height {
		if stated, ok := e.chain.Block(height); ok {
			return stated
		}
	}
	return tip
}

// takeHeaders adds what a peer answered to our locator. A peer that is done
// without having delivered what it claimed loses the claim. It reports whether
// anything was new.
func (e *engine) takeHeaders(r *headerRequest, batch chain.Batch, count int) bool {
	s := r.s
	before := s.chain.last
	if count == 0 {
		// At the end of its chain; or below MinKnownChainWork, when dcrd
		// answers with nothing (dcrd server.go OnGetHeaders).
		s.chain.answer(false, 0, before)
		e.exhausted(s)
		return false
	}
	update, err := e.addHeaders(s, batch)
	if errors.Is(err, chain.ErrOrphan) && r.branch != e.branch {
		return false // our locator had blocks that have left the best chain since
	}
	if err != nil {
		s.headers.rest(e.now.Add(restFailed))
		e.judge(s, registry.Headers, 0, err)
		return update.Added > 0
	}
	full := count == wire.MaxBlockHeadersPerMsg || batch.Hashes[count-1] == r.stop
	if full && r.overtaken && e.chain.Contains(s.chain.last) {
		s.chain.overtaken()
		return false
	}
	switch more := s.chain.answer(full, update.Added, before); {
	case !more:
		e.exhausted(s)
	case e.registry.Claim(s.addr, e.now) > e.chain.Tip().Height:
		// It is asked on because of what it claims.
	case update.Added > 0, s.recheck.recent(e.now):
		// It is on another branch. Known headers are walked through for as long
		// as a claim would live on them, no longer.
		s.recheck.want()
	}
	return update.Added > 0
}

// addHeaders gives checked headers to the chain and does what follows from a
// new tip.
func (e *engine) addHeaders(s *session, batch chain.Batch) (chain.Update, error) {
	batch = e.unserved.taken(batch, s.addr, e.chain, e.now)
	if len(batch.Headers) == 0 {
		return chain.Update{}, nil
	}
	update, err := e.chain.Add(batch, e.now)
	e.noteFuture(update.Future)
	s.chain.delivered(update.Last)
	if update.Added > 0 {
		e.registry.Brought(s.addr, e.now)
	}
	if update.Best {
		for _, s := range e.sessions {
			e.keepsUp(s) // it may have announced this block
		}
		e.headers.grew(update.Reorged > 0, e.now)
		if update.Reorged > 0 {
			e.reorganize(update.Fork, update.Reorged)
		}
	}
	e.credit(s)
	return update, err
}

// credit notes how high a peer has proved to be, or where its chain parts from
// ours.
func (e *engine) credit(s *session) {
	if height, proved := s.chain.compare(e.chain); proved {
		e.registry.Validated(s.addr, height, e.now)
	}
}

// branch is what the best chain is on: it counts reorgs, so that work that was begun on an
// old branch is told apart.
type branch int

func (b *branch) left() { *b++ }

// reorganize drops all work on blocks that have left the best chain.
func (e *engine) reorganize(fork chain.BlockID, depth int) {
	e.branch.left()
	e.logs.sync.Infof("Reorganized %d blocks: the chains part after block %d", depth, fork.Height)
	e.registry.Reorganized(fork.Height, e.now)
	for _, s := range e.sessions {
		e.credit(s)
		s.recheck.expire() // what it said was about the old branch
	}
	e.finish(e.filters.truncateAbove(fork.Height)...)
	e.reorgDisk(fork)
	e.truncateScans(fork)
}

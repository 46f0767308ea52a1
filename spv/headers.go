package spv

import (
	"context"
	"errors"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// headerStage asks for headers during the initial sync: one peer at a time,
// until no peer claims a chain higher than ours. Locators exist only here and
// in the getheaders that goes with a sendheaders.
type headerStage struct {
	flights  []*headerFlight
	sticky   string   // the peer that delivered last; it is asked again
	prefetch prefetch // headers above known blocks that lie ahead

	// A peer that had delivered headers and left in the middle of it: what it
	// claimed is waited for until the time given, because others may have it.
	pending      uint32
	pendingUntil time.Time
}

// headerFlight is a getheaders at a peer.
type headerFlight struct {
	s      *session
	since  time.Time
	stop   chainhash.Hash // the last block asked for; zero is as many as there are
	branch int            // the engine's when it was asked
	late   bool
	cancel context.CancelFunc
}

const (
	// maxBacklog is how many proven headers may wait for the disk before no
	// more are asked for. How many unproven ones there may be is up to package
	// chain.
	maxBacklog = 4 * wire.MaxBlockHeadersPerMsg

	// claimPatience is how long the claim of a good peer that left counts.
	claimPatience = 20 * time.Second
)

// askHeaders sends the next getheaders if one is due.
func (e *engine) askHeaders() {
	h := &e.headers
	for _, fl := range slices.Concat(h.flights, h.prefetch.flights()) {
		if !fl.late && e.now.Sub(fl.since) >= e.network.pace(registry.Headers).lateHeaders() {
			fl.late = true
			e.logs.sync.Debugf("%s is late with headers", fl.s.addr)
		}
	}
	if e.following || e.chain.Storable() > maxBacklog {
		return
	}
	if e.moreHeaders() {
		return
	}
	s := e.headerPeer()
	if s == nil && (!e.chain.Proven() || !e.heard(e.chain.Tip().Height)) {
		s = e.perhapsMore()
	}
	if s != nil {
		e.requestHeaders(s)
	}
}

// moreHeaders reports whether headers above our tip are on their way.
func (e *engine) moreHeaders() bool {
	h := &e.headers
	return h.prefetch.waiting(e.chain.Tip()) || slices.ContainsFunc(h.flights, func(fl *headerFlight) bool { return !fl.late })
}

// headerPeer chooses whom to ask: any peer that claims more than we have, the
// one that delivered last before others.
func (e *engine) headerPeer() *session {
	ahead := e.registry.Ahead(e.chain.Tip().Height, e.now)
	if slices.Contains(ahead, e.headers.sticky) {
		ahead = append([]string{e.headers.sticky}, ahead...)
	}
	for _, addr := range ahead {
		if s := e.sessions[addr]; s != nil && s.headers == nil && !s.greeted && !e.now.Before(s.restsUntil) {
			return s
		}
	}
	for _, s := range e.sessions {
		if s.doubted && s.headers == nil && !s.greeted {
			return s
		}
	}
	return nil
}

// perhapsMore chooses whom to ask when nobody is believed to have more than we
// have, and yet we can't be sure to have all: there must be more, or everybody's
// claim is doubted and nobody has been asked. A peer that had nothing may have
// been syncing itself: dcrd answers getheaders with nothing until its own chain
// is proven.
func (e *engine) perhapsMore() *session {
	for _, addr := range e.registry.Serving(registry.Headers, 0, e.now) {
		s := e.sessions[addr]
		if s != nil && s.headers == nil && e.now.Sub(s.doubtedAt) >= doubtPause {
			s.doubtedAt = e.now
			return s
		}
	}
	return nil
}

// doubtPause is how long the answer to a doubt holds.
const doubtPause = 30 * time.Second

// doubtView is called when no peer delivers what it should have. Perhaps these
// blocks have left the peers' best chain: dcrd is silent about the filters of a
// side chain. So everybody is asked for headers once, and nobody is blamed.
func (e *engine) doubtView() {
	for _, s := range e.sessions {
		e.doubt(s)
	}
}

// doubt has one peer asked for headers, unless it was not long ago.
func (e *engine) doubt(s *session) {
	if e.now.Sub(s.doubtedAt) < doubtPause {
		return
	}
	s.doubtedAt = e.now
	if s.greeted {
		e.askOn(s)
	} else {
		s.doubted = true
	}
}

// requestHeaders asks a peer that has not been greeted.
func (e *engine) requestHeaders(s *session) {
	ctx, cancel := context.WithCancel(s.ctx)
	fl := &headerFlight{s: s, since: e.now, branch: e.branch, cancel: cancel}
	from := e.locatorStart(s)
	if from == e.chain.Tip() {
		fl.stop = e.headers.prefetch.stop(from.Height)
	}
	s.headers = fl
	s.doubted = false
	e.headers.flights = append(e.headers.flights, fl)
	locator := e.chain.Locator(from)
	e.work(s, func(p Source) event {
		defer cancel()
		start := time.Now()
		headers, err := p.Headers(ctx, locator, fl.stop)
		ev := headersReply{fl: fl, count: len(headers), took: time.Since(start)}
		if err != nil {
			ev.err = err
			return ev
		}
		ev.batch, ev.err = e.rules.Check(headers)
		return ev
	})
}

// locatorStart is the block that a locator for a peer begins with: our tip, or
// the last header of that peer while its branch is not ours yet or has not been
// reached. For a peer that says it is below our tip it is the block where it
// says it is: it has told how high it was when it connected, and only headers in
// its answer show that it has the blocks since.
func (e *engine) locatorStart(s *session) chain.BlockID {
	if e.chain.Known(s.last.Hash, s.last.Height) && (s.below || !e.chain.Contains(s.last)) {
		return s.last
	}
	tip := e.chain.Tip()
	if height := e.registry.Height(s.addr); height < tip.Height {
		if hash, ok := e.chain.Hash(height); ok {
			return chain.BlockID{Height: height, Hash: hash}
		}
	}
	return tip
}

// headersReply: a getheaders of the initial sync was answered, or not.
type headersReply struct {
	fl    *headerFlight
	batch chain.Batch
	count int
	took  time.Duration
	err   error
}

func (ev headersReply) apply(e *engine) {
	s := ev.fl.s
	e.headers.forget(ev.fl)
	if e.sessions[s.addr] != s {
		return
	}
	s.headers = nil
	if ev.err != nil {
		if errors.Is(ev.err, peer.ErrStalled) {
			e.keepClaim(s) // it is cut off, but others may have what it claims
			e.registry.ClaimFailed(s.addr, e.now)
		}
		e.blame(s, registry.Headers, ev.err)
		return
	}
	e.network.pace(registry.Headers).learn(ev.took)
	if e.takeHeaders(ev.fl, ev.batch, ev.count) {
		e.headers.sticky = s.addr
		e.registry.Success(s.addr, registry.Headers, ev.took, e.now)
	}
}

// takeHeaders adds what a peer answered to our locator. A peer that is done
// without having delivered what it claimed loses the claim. It reports whether
// anything was new.
func (e *engine) takeHeaders(fl *headerFlight, batch chain.Batch, count int) bool {
	s := fl.s
	if count == 0 {
		// At the end of its chain; or below MinKnownChainWork, when dcrd
		// answers with nothing (dcrd server.go OnGetHeaders).
		s.told = true
		e.exhausted(s)
		return false
	}
	before := s.last
	update, err := e.addHeaders(s, batch)
	if errors.Is(err, chain.ErrOrphan) && fl.branch != e.branch {
		return false // our locator told of blocks that were given up since
	}
	if err != nil {
		e.blame(s, registry.Headers, err)
		return update.Added > 0
	}
	s.told = true
	full := count == wire.MaxBlockHeadersPerMsg || batch.Hashes[count-1] == fl.stop
	if !e.hasMore(s, full, update, before) {
		e.exhausted(s)
	}
	return update.Added > 0
}

// hasMore reports whether a peer's answer was full and led on. If it held only
// blocks that we know, then the peer's branch leaves our chain further up than
// the locator could tell, and the next locator begins where the answer ended.
func (e *engine) hasMore(s *session, full bool, update chain.Update, before chain.BlockID) bool {
	s.below = full && update.Added == 0 && (s.last.Height > before.Height || s.last != before && !s.below)
	return full && update.Added > 0 || s.below
}

// rest is how long a peer that had nothing more is not asked again, whatever
// else speaks for it.
const rest = time.Second

// exhausted notes that a peer has delivered all it has.
func (e *engine) exhausted(s *session) {
	s.restsUntil = e.now.Add(rest)
	e.registry.ClaimFailed(s.addr, e.now)
}

// addHeaders gives checked headers to the chain and does what follows from a
// new tip.
func (e *engine) addHeaders(s *session, batch chain.Batch) (chain.Update, error) {
	batch = e.withoutWithheld(batch, s.addr)
	if len(batch.Headers) == 0 {
		return chain.Update{}, nil
	}
	update, err := e.chain.Add(batch, e.now)
	if update.Last.Height > 0 {
		s.last = update.Last
	}
	if update.Best {
		e.network.tip.Store(e.chain.Tip().Height)
		if update.Reorged > 0 {
			e.reorganize(update.Fork, update.Reorged)
		}
	}
	e.credit(s)
	return update, err
}

// credit notes how high a peer has proved to be, or where its chain parts from
// ours: blocks of another branch than the best one prove no height.
func (e *engine) credit(s *session) {
	fork, known := e.chain.Fork(s.last)
	s.elsewhere, s.fork = known && fork < s.last.Height, fork
	if known && !s.elsewhere && s.last.Height > 0 {
		e.registry.Validated(s.addr, s.last.Height, e.now)
	}
}

// reorganize drops all work on blocks that have left the best chain.
func (e *engine) reorganize(fork chain.BlockID, depth int) {
	e.branch++
	e.logs.sync.Infof("Reorganized %d blocks: the chains part after block %d", depth, fork.Height)
	e.registry.Reorganized(fork.Height)
	for _, s := range e.sessions {
		e.credit(s)
	}
	e.filters.cutAbove(fork.Height)
	e.reorgDisk(fork)
	for _, w := range e.wallets {
		w.cutAbove(fork)
	}
}

// headersDone reports whether no credible peer is ahead of us. It is false
// until there has been a fair chance to hear from everybody.
func (e *engine) headersDone() bool {
	tip := e.chain.Tip().Height
	switch {
	case len(e.sessions) == 0,
		!e.chain.Proven(),
		e.network.gathering(e),
		!e.heard(tip),
		e.registry.Target(e.now) > tip,
		e.headers.pending > tip && e.now.Before(e.headers.pendingUntil):
		return false
	}
	for _, fl := range e.headers.flights {
		if !fl.late {
			return false
		}
	}
	return true
}

// heard reports whether somebody can tell that there is nothing above our tip: a
// peer that claims no more, or one that was asked and has answered. That nobody
// answers is no proof, however long it lasts.
func (e *engine) heard(tip uint32) bool {
	for addr, s := range e.sessions {
		if s.told || e.registry.Height(addr) <= tip {
			return true
		}
	}
	return false
}

// keepClaim remembers what a peer claimed that is leaving although it had
// delivered.
func (e *engine) keepClaim(s *session) {
	if e.ctx.Err() != nil {
		return
	}
	if s.last.Height == 0 {
		if e.following {
			// It claimed more than we have, and left before it was asked: one
			// that does so each time is not to keep us out of sync.
			e.registry.ClaimFailed(s.addr, e.now)
		}
		return
	}
	claim := e.registry.Claim(s.addr)
	if claim > e.chain.Tip().Height {
		e.headers.pending, e.headers.pendingUntil = claim, e.now.Add(claimPatience)
	}
}

func (h *headerStage) forget(fl *headerFlight) {
	h.flights = slices.DeleteFunc(h.flights, func(f *headerFlight) bool { return f == fl })
}

func (h *headerStage) release(s *session) {
	h.flights = slices.DeleteFunc(h.flights, func(f *headerFlight) bool { return f.s == s })
	h.prefetch.release(s)
	s.headers = nil
}

// headerTime is when a getheaders becomes late or an absent peer's claim ends.
func (e *engine) headerTime() (next time.Time) {
	if e.headers.pendingUntil.After(e.now) {
		next = e.headers.pendingUntil
	}
	for _, fl := range slices.Concat(e.headers.flights, e.headers.prefetch.flights()) {
		t := fl.since.Add(e.network.pace(registry.Headers).lateHeaders())
		if !fl.late && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// isLocal reports whether an error is our own doing: a request that we called
// off, or the end of everything. It is never blamed on a peer.
func isLocal(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

package spv

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"slices"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/peer"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// headerStage asks for headers during the initial sync, until every peer that
// claims a chain higher than ours was asked. Locators exist only here and in the
// getheaders that goes with a sendheaders.
//
// One peer is asked at a time. If it is late, measured against what others take,
// as many again are asked as have been. The fastest one goes first, but each peer
// gets its chance to show how fast it is (explore.go).
type headerStage struct {
	flights  []*headerFlight
	prefetch prefetch // headers above known blocks that lie ahead

	grown   time.Time // when the best chain last got longer
	settled int       // requests since a peer that was not measured was tried
	turn    bool      // of the rechecks, before the claims

	// A peer that had delivered headers and left in the middle of it: what it
	// claimed is waited for until the time given, because others may have it.
	pending      uint32
	pendingUntil time.Time
}

// headerAsk is the asking of one peer.
type headerAsk struct {
	flight *headerFlight // its request
	asked  bool          // it was asked in this connection
	took   time.Duration // its last answer, of any size; 0 is none

	// recheck: it is to be asked although it claims no more than we have, because
	// nobody delivers. recheckedAt is when that was decided.
	recheck     bool
	recheckedAt time.Time

	restsUntil time.Time // when it may be asked again
}

// headerFlight is a getheaders at a peer.
type headerFlight struct {
	s     *session
	since time.Time

	first bool // its claim counts from this request on

	from   chain.BlockID  // what is asked for begins above it
	stop   chainhash.Hash // the last block asked for; zero is as many as there are
	branch int            // the engine's when it was asked
	late   bool
	cancel context.CancelFunc

	known     bool // how fast its peer was, when it was asked
	faded     bool // it was known, and became late
	overtaken bool // what it asks for has come from others
}

const (
	// maxBacklog is how many proven headers may wait for the disk before no
	// more are asked for. How many unproven ones there may be is up to package
	// chain.
	maxBacklog = 4 * wire.MaxBlockHeadersPerMsg

	// claimPatience is how long a claim counts after its peer was asked, unless
	// it delivers: only new, valid headers give it more time. That of a good peer
	// that leaves counts as long.
	claimPatience = 5 * time.Second

	// rest is how long a peer that had nothing more is not asked again, whatever
	// else speaks for it.
	rest = time.Second

	// restFailed is rest for a peer that has failed, if nobody else is left.
	restFailed = 3 * time.Second

	// grownPatience is how long what has come last is given to go on: then the
	// best chain is taken for complete, whoever else may be asked.
	grownPatience = time.Second

	// joinedPatience is how long after the last header of the best chain, or the
	// first peer, the initial sync waits for peers that join: whoever comes later is
	// asked, but not waited for, so that nobody can prolong it by coming back.
	joinedPatience = 5 * time.Second
)

// askHeaders sends the getheaders that are due.
func (e *engine) askHeaders() {
	h := &e.headers
	e.keepComing()
	for _, fl := range h.allFlights() {
		waited := e.now.Sub(fl.since)
		if !fl.late && waited >= e.requests.LateAfter(fl.s.addr, registry.Headers) && !e.excusesHeaders(fl) {
			fl.late, fl.faded = true, fl.known
			e.requests.Overdue(fl.s.addr, registry.Headers, waited)
			e.logs.sync.Debugf("%s is late with headers", fl.s.addr)
		}
	}
	if e.following || e.chain.Storable() > maxBacklog {
		return
	}
	if !e.moreHeaders() {
		e.askMore()
	}
	e.explore()
}

// excusesHeaders reports whether a peer is not late with headers: our line is as full as
// it gets and its answers are among what comes in, or this one will be there in twice
// the time that others take.
func (e *engine) excusesHeaders(fl *headerFlight) bool {
	return e.keepsPace(fl) || e.requests.Excused(fl.s.addr, registry.Headers, e.now.Sub(fl.since), e.moves(fl.s))
}

// askMore asks one peer, or as many as there are late ones. While those still dawdle
// that had been fast, before others did what they were asked for, it is a few more: as
// many as their number has binary digits. So they can't keep us one after the other.
func (e *engine) askMore() {
	late, faded := 0, uint(0)
	for _, fl := range e.headers.flights {
		switch {
		case !fl.overtaken:
			late++
		case fl.faded:
			faded++
		}
	}
	for range max(late, 1) + bits.Len(faded) {
		s := e.headerPeer()
		if s == nil && (!e.chain.Proven() || !e.heard(e.chain.Tip().Height)) {
			s = e.lastResortPeer()
		}
		if s == nil {
			return
		}
		e.requestHeaders(s)
	}
}

// moreHeaders reports whether headers above our tip may be on their way, from a
// peer that is not late.
func (e *engine) moreHeaders() bool {
	h := &e.headers
	return h.prefetch.waiting(e.chain.Tip()) || slices.ContainsFunc(h.flights, func(fl *headerFlight) bool { return !fl.late })
}

// headerPeer chooses whom to ask next, by turns among those that claim more than
// we have and those that are to be asked once more: neither kind holds up the
// other, however many there are.
func (e *engine) headerPeer() *session {
	e.headers.turn = !e.headers.turn
	if e.headers.turn {
		return cmp.Or(e.claimingPeer(), e.recheckPeer(), e.restingPeer())
	}
	return cmp.Or(e.recheckPeer(), e.claimingPeer(), e.restingPeer())
}

// restingPeer chooses one that claims more than we have and rests after a failure,
// when nobody else is left.
func (e *engine) restingPeer() *session {
	for _, addr := range e.registry.RestingAhead(e.chain.Tip().Height, e.now) {
		if s := e.sessions[addr]; s != nil && e.mayAskHeaders(s) {
			return s
		}
	}
	return nil
}

// mayAskHeaders reports whether a peer may have a getheaders of the initial sync.
func (e *engine) mayAskHeaders(s *session) bool {
	return s.headers.flight == nil && !s.following.on && !e.now.Before(s.headers.restsUntil)
}

// requestHeaders asks a peer that does not announce yet.
func (e *engine) requestHeaders(s *session) {
	ctx, cancel := context.WithCancel(s.ctx)
	known := e.requests.Measured(s.addr, registry.Headers) > 0
	fl := &headerFlight{s: s, since: e.now, branch: e.branch, cancel: cancel, known: known}
	from := e.locatorStart(s)
	fl.from = from
	if from == e.chain.Tip() {
		fl.stop = e.headers.prefetch.stop(from.Height)
	}
	s.headers.flight, s.headers.asked, s.headers.recheck = fl, true, false
	fl.first = e.asksFor(s, max(claimPatience, 2*e.requests.Measured(s.addr, registry.Headers)))
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
	last := s.chain.last
	if e.chain.Known(last.Hash, last.Height) && (s.chain.walking || !e.chain.Contains(last)) {
		return last
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
	if s.headers.flight != ev.fl {
		return // the peer is lost, or was asked again with sendheaders
	}
	e.headers.forget(ev.fl)
	s.headers.flight = nil
	if ev.err != nil {
		if errors.Is(ev.err, peer.ErrStalled) {
			e.keepClaim(s) // it is disconnected, but others may have what it claims
		}
		s.headers.restsUntil = e.now.Add(restFailed)
		e.judge(s, registry.Headers, 0, ev.err)
		return
	}
	took := min(ev.took, e.now.Sub(ev.fl.since)) // without the time that we were away
	s.headers.took = max(took, 1)
	if ev.count == wire.MaxBlockHeadersPerMsg {
		e.requests.Learn(s.addr, registry.Headers, fullAnswer, took)
	}
	if e.takeHeaders(ev.fl, ev.batch, ev.count) {
		e.registry.Success(s.addr, registry.Headers, took, e.now)
	}
}

// takeHeaders adds what a peer answered to our locator. A peer that is done
// without having delivered what it claimed loses the claim. It reports whether
// anything was new.
func (e *engine) takeHeaders(fl *headerFlight, batch chain.Batch, count int) bool {
	s := fl.s
	before := s.chain.last
	if count == 0 {
		// At the end of its chain; or below MinKnownChainWork, when dcrd
		// answers with nothing (dcrd server.go OnGetHeaders).
		s.chain.answer(false, 0, before)
		e.exhausted(s)
		return false
	}
	update, err := e.addHeaders(s, batch)
	if errors.Is(err, chain.ErrOrphan) && fl.branch != e.branch {
		return false // our locator told of blocks that were given up since
	}
	if err != nil {
		s.headers.restsUntil = e.now.Add(restFailed)
		e.judge(s, registry.Headers, 0, err)
		return update.Added > 0
	}
	full := count == wire.MaxBlockHeadersPerMsg || batch.Hashes[count-1] == fl.stop
	if full && fl.overtaken && e.chain.Contains(s.chain.last) {
		s.chain.overtaken()
		return false
	}
	switch more := s.chain.answer(full, update.Added, before); {
	case !more:
		e.exhausted(s)
	case e.registry.Claim(s.addr, e.now) > e.chain.Tip().Height:
		// It is asked on because of what it claims.
	case update.Added > 0, e.now.Sub(s.headers.recheckedAt) < recheckPause:
		// It is on another branch. Known headers are walked through for as long
		// as a claim would live on them, no longer.
		s.headers.recheck = true
	}
	return update.Added > 0
}

// exhausted notes that a peer has delivered all it has. That is no fault of one that
// did not claim more than we have.
func (e *engine) exhausted(s *session) {
	s.headers.restsUntil = e.now.Add(rest)
	if e.claimsMore(s) {
		e.registry.ClaimFailed(s.addr, e.now)
	}
}

// claimsMore reports whether a peer says that it has more than we have.
func (e *engine) claimsMore(s *session) bool {
	return e.registry.Height(s.addr) > e.chain.Tip().Height
}

// asksFor notes that a peer is asked for what it claims beyond what we have, and
// until when that counts. It reports whether this is the first time.
func (e *engine) asksFor(s *session, patience time.Duration) (first bool) {
	return e.claimsMore(s) && e.registry.Asked(s.addr, e.now.Add(patience))
}

// addHeaders gives checked headers to the chain and does what follows from a
// new tip.
func (e *engine) addHeaders(s *session, batch chain.Batch) (chain.Update, error) {
	batch = e.withoutWithheld(batch, s.addr)
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
		e.headers.grown = e.now
		for _, s := range e.sessions {
			e.keepsUp(s) // it may have announced this block
		}
		for _, fl := range e.headers.flights {
			if !fl.s.chain.walking && update.Reorged == 0 {
				fl.late, fl.overtaken = true, true
			}
		}
		e.network.tip.Store(e.chain.Tip().Height)
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

// reorganize drops all work on blocks that have left the best chain.
func (e *engine) reorganize(fork chain.BlockID, depth int) {
	e.branch++
	e.logs.sync.Infof("Reorganized %d blocks: the chains part after block %d", depth, fork.Height)
	e.registry.Reorganized(fork.Height, e.now)
	for _, s := range e.sessions {
		e.credit(s)
		s.headers.recheckedAt = time.Time{} // what it said was about the old branch
	}
	e.finishAll(e.filters.truncateAbove(fork.Height))
	e.reorgDisk(fork)
	for _, w := range e.wallets {
		e.truncateWallet(w, fork)
	}
}

func (h *headerStage) forget(fl *headerFlight) {
	h.flights = slices.DeleteFunc(h.flights, func(f *headerFlight) bool { return f == fl })
}

// allFlights are the requests at the tip and further up.
func (h *headerStage) allFlights() []*headerFlight {
	return slices.Concat(h.flights, h.prefetch.flights())
}

func (h *headerStage) release(s *session) {
	h.flights = slices.DeleteFunc(h.flights, func(f *headerFlight) bool { return f.s == s })
	h.prefetch.release(s)
	s.headers.flight = nil
}

// headerTime is when a getheaders becomes late, an absent peer's claim ends or the
// best chain counts as complete.
func (e *engine) headerTime() (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(e.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	sooner(e.headers.pendingUntil)
	if !e.following {
		sooner(e.headers.grown.Add(grownPatience))
		sooner(e.joinUntil())
	}
	for _, fl := range e.headers.allFlights() {
		if !fl.late {
			sooner(fl.since.Add(e.requests.LateAfter(fl.s.addr, registry.Headers)))
			sooner(e.paceUntil(fl))
		}
	}
	return next
}

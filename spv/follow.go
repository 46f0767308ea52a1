package spv

import (
	"errors"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// following is whether new blocks are followed: from the first moment everything is in
// sync until all peers are lost. While it is on, every peer is asked for sendheaders.
type following struct{ on bool }

func (f *following) begin() { f.on = true }
func (f *following) end()   { f.on = false }

// followState is a peer's announcements of new blocks.
type followState struct {
	on    bool // sendheaders was sent
	since time.Time

	requested time.Time // when the getheaders in flight after that was sent; zero is none
	answered  bool      // the first one was
	orphans   int       // announcements in a row that link to nothing
}

// begin notes that sendheaders goes out, with a getheaders.
func (f *followState) begin(now time.Time) { *f = followState{on: true, since: now, requested: now} }

func (f *followState) excuse(away time.Duration) {
	if !f.requested.IsZero() {
		f.requested = f.requested.Add(away)
	}
}

// forget has another getheaders sent although one may be on its way: it was about a
// chain that was given up.
func (f *followState) forget() { f.requested = time.Time{} }

const (
	// newcomerPatience is claimPatience once we are in sync: who says now that
	// there is more than all others have has little time to prove it.
	newcomerPatience = 2 * time.Second

	// answerTime is how long a peer may take for a getheaders once it has
	// sendheaders, before a claim it has made stops counting.
	answerTime = 10 * time.Second

	// settleTime is how long Settled waits for the first such answer.
	settleTime = 3 * time.Second
)

// followPeers turns announcements on once the initial sync is complete, and at
// once for peers that join later. sendheaders goes out together with a
// getheaders, so that a peer on another branch, or with a newer block, tells.
func (e *engine) followPeers() {
	if e.following.on {
		e.refuteClaims()
	} else if e.caughtUp() {
		e.following.begin()
		e.progress.finishInitial(e.now)
		e.logs.sync.Infof("Synced to block %d; now following %d peers", e.chain.Tip().Height, len(e.sessions))
	}
	if !e.following.on {
		return
	}
	for _, s := range e.sessions {
		if !s.following.on {
			e.enableAnnouncements(s)
		}
	}
}

func (e *engine) enableAnnouncements(s *session) {
	s.following.begin(e.now)
	if r := s.headers.request; r != nil {
		r.cancel() // late or walking, and answered by the next request
		e.headers.requests.end(s)
	}
	e.asksFor(s, newcomerPatience)
	if err := s.peer.SendHeaders(e.chain.Locator(e.locatorStart(s))); err != nil {
		s.peer.Close(err)
		return
	}
	e.registry.SentHeaders(s.addr)
	e.announceOutgoing(s)
}

// askOn sends a getheaders to a peer that announces, unless one is in flight.
func (e *engine) askOn(s *session) {
	if !s.following.requested.IsZero() {
		return
	}
	s.following.requested = e.now
	e.asksFor(s, newcomerPatience)
	if err := s.peer.RequestHeaders(e.chain.Locator(e.locatorStart(s))); err != nil {
		s.peer.Close(err)
	}
}

// refuteClaims ends the credit of peers that claim more than we have and don't
// answer when asked for it.
func (e *engine) refuteClaims() {
	for _, addr := range e.registry.Ahead(e.chain.Tip().Height, e.now) {
		s := e.sessions[addr]
		switch {
		case s == nil || !s.following.on || e.now.Before(s.headers.restsUntil):
		case s.following.requested.IsZero():
			e.askOn(s)
		case e.now.Sub(s.following.requested) >= answerTime:
			s.following.requested = time.Time{}
			e.registry.ClaimFailed(addr, e.now)
		}
	}
}

// announcedHeaders: headers that no call waited for. From a peer that announces they are
// an announcement or the answer to our getheaders, which look the same.
type announcedHeaders struct {
	s     *session
	batch chain.Batch
	err   error
	count int
}

func (ev announcedHeaders) apply(e *engine) {
	s := ev.s
	if !s.following.on {
		if n := len(ev.batch.Hashes); n > 0 {
			s.chain.announced(ev.batch.Hashes[n-1])
			e.keepsUp(s)
		}
		return // not wanted yet, and not punished
	}
	asked := !s.following.requested.IsZero()
	before := s.chain.last
	var update chain.Update
	err := ev.err
	if err == nil && ev.count > 0 {
		update, err = e.addHeaders(s, ev.batch)
	}
	if errors.Is(err, chain.ErrOrphan) {
		e.orphan(s, err)
		return
	}
	s.following.requested, s.following.answered = time.Time{}, true
	if ev.count > 0 {
		s.following.orphans = 0
	}
	switch {
	case err != nil:
		e.judge(s, registry.Headers, 0, err)
	case s.chain.answer(ev.count == wire.MaxBlockHeadersPerMsg, update.Added, before):
		e.askOn(s) // there is more
	case asked:
		e.exhausted(s) // this is all it has
	}
}

// maxOrphans is how many times in a row a peer may announce what links to nothing
// we know, each answered with a getheaders, before it counts as a fault.
const maxOrphans = 10

// orphan: headers that link to nothing we know. They are an announcement, since
// an answer to our getheaders links to our locator: in a reorg dcrd announces
// the new branch header by header, and we may have missed the first. What lies
// between is asked for.
func (e *engine) orphan(s *session, err error) {
	f := &s.following
	if !f.requested.IsZero() && e.now.Sub(f.requested) < answerTime {
		return // it has been
	}
	f.requested = time.Time{}
	if f.orphans++; f.orphans > maxOrphans {
		e.judge(s, registry.Headers, 0, err)
	}
	if e.sessions.has(s) {
		e.askOn(s)
	}
}

// announcedBlock: an inv. Before sendheaders it only shows that the peer keeps
// up; after it dcrd announces by headers, so a hash that is not known yet is
// asked about.
type announcedBlock struct {
	s    *session
	hash chainhash.Hash
}

func (ev announcedBlock) apply(e *engine) {
	s := ev.s
	s.chain.announced(ev.hash)
	if e.keepsUp(s) || !s.following.on || !s.following.requested.IsZero() {
		return
	}
	if s.following.orphans++; s.following.orphans > maxOrphans {
		e.judge(s, registry.Headers, 0, chain.ErrOrphan) // it announces what it does not have
	}
	if e.sessions.has(s) {
		e.askOn(s)
	}
}

// settled reports whether every peer has had its say since it announces.
func (e *engine) settled() bool {
	for _, s := range e.sessions {
		if f := &s.following; !f.answered && (!f.on || e.now.Sub(f.since) < settleTime) {
			return false
		}
	}
	return true
}

// followTime is when a peer's time to answer ends.
func (e *engine) followTime() (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(e.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, s := range e.sessions {
		f := &s.following
		if f.on && !f.answered {
			sooner(f.since.Add(settleTime))
		}
		if !f.requested.IsZero() {
			sooner(f.requested.Add(answerTime))
		}
	}
	return next
}

package spv

import (
	"errors"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

const (
	// answerTime is how long a peer may take for a getheaders once it has
	// sendheaders, before a claim it has made stops counting.
	answerTime = 10 * time.Second

	// settleTime is how long Settled waits for the first such answer.
	settleTime = 3 * time.Second
)

// followPeers turns announcements on once the initial sync is complete, and at
// once for those who join later. sendheaders goes out together with a
// getheaders, so that a peer on another branch, or with a newer block, tells.
func (e *engine) followPeers() {
	if e.following {
		e.refuteClaims()
	} else if e.synced() {
		e.following = true
		e.progress.finishInitial(e.now)
		e.logs.sync.Infof("Synced to block %d; now following %d peers", e.chain.Tip().Height, len(e.sessions))
	}
	if !e.following {
		return
	}
	for _, s := range e.sessions {
		if !s.greeted {
			e.greet(s)
		}
	}
}

func (e *engine) greet(s *session) {
	if s.headers != nil {
		s.headers.cancel() // late, and answered by the next request
		e.headers.release(s)
	}
	s.greeted, s.greetedAt, s.asked = true, e.now, e.now
	if err := s.peer.SendHeaders(e.chain.Locator(e.locatorStart(s))); err != nil {
		e.lost(s, err)
		return
	}
	e.registry.SentHeaders(s.addr)
	e.announceOutgoing(s)
}

// askOn sends a getheaders to a greeted peer unless one is in flight.
func (e *engine) askOn(s *session) {
	if !s.asked.IsZero() {
		return
	}
	s.asked = e.now
	if err := s.peer.RequestHeaders(e.chain.Locator(e.locatorStart(s))); err != nil {
		e.lost(s, err)
	}
}

// refuteClaims ends the credit of peers that claim more than we have and don't
// answer when asked for it.
func (e *engine) refuteClaims() {
	for _, addr := range e.registry.Ahead(e.chain.Tip().Height, e.now) {
		s := e.sessions[addr]
		switch {
		case s == nil || !s.greeted || e.now.Before(s.restsUntil):
		case s.asked.IsZero():
			e.askOn(s)
		case e.now.Sub(s.asked) >= answerTime:
			s.asked = time.Time{}
			e.registry.ClaimFailed(addr, e.now)
		}
	}
}

// announcedHeaders: headers that no call waited for. To a greeted peer they are
// an announcement or the answer to our getheaders, which look the same.
type announcedHeaders struct {
	s     *session
	batch chain.Batch
	err   error
	count int
}

func (ev announcedHeaders) apply(e *engine) {
	s := ev.s
	if e.sessions[s.addr] != s {
		return
	}
	if !s.greeted {
		if n := len(ev.batch.Hashes); n > 0 {
			s.announced = ev.batch.Hashes[n-1]
		}
		return // not wanted yet, and not punished
	}
	asked := !s.asked.IsZero()
	before := s.last
	var update chain.Update
	err := ev.err
	if err == nil && ev.count > 0 {
		update, err = e.addHeaders(s, ev.batch)
	}
	if errors.Is(err, chain.ErrOrphan) {
		e.orphan(s, err)
		return
	}
	s.asked, s.answered, s.told = time.Time{}, true, s.told || err == nil
	if ev.count > 0 {
		s.orphans = 0
	}
	switch {
	case err != nil:
		e.blame(s, registry.Headers, err)
	case e.hasMore(s, ev.count == wire.MaxBlockHeadersPerMsg, update, before):
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
	if !s.asked.IsZero() && e.now.Sub(s.asked) < answerTime {
		return // it has been
	}
	s.asked = time.Time{}
	if s.orphans++; s.orphans > maxOrphans {
		e.blame(s, registry.Headers, err)
	}
	if e.sessions[s.addr] == s {
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
	if e.sessions[s.addr] != s {
		return
	}
	s.announced = ev.hash
	if !s.greeted || e.keepsUp(s) || !s.asked.IsZero() {
		return
	}
	if s.orphans++; s.orphans > maxOrphans {
		e.blame(s, registry.Headers, chain.ErrOrphan) // it announces what it does not have
	}
	if e.sessions[s.addr] == s {
		e.askOn(s)
	}
}

// settled reports whether every peer has had its say since it was greeted.
func (e *engine) settled() bool {
	for _, s := range e.sessions {
		if !s.answered && (!s.greeted || e.now.Sub(s.greetedAt) < settleTime) {
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
		if s.greeted && !s.answered {
			sooner(s.greetedAt.Add(settleTime))
		}
		if !s.asked.IsZero() {
			sooner(s.asked.Add(answerTime))
		}
	}
	return next
}

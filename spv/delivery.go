package spv

import (
	"context"
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// publishCall is a call of Publish that waits for its answer: for the peers to ask for
// the transaction, to have it, and for one that was not told to announce it.
type publishCall struct {
	answer chan PublishResult
	until  time.Time // when those who have not asked are not waited for any more

	arriving  map[*session]bool // who has asked for it and may not have it yet
	delivered []string
	listener  *session // who is told last; nil once all are
	listened  bool     // there was a listener
	announced []string // who has announced it
}

const (
	// publishTime is how long peers have to ask for a new transaction once they are
	// told, and the listener to announce it before. Nodes send announcements after
	// half a second (dcrd peer: DefaultTrickleInterval).
	publishTime = 5 * time.Second

	// deliverTime is how long a peer that has asked for it has to get it.
	deliverTime = 10 * time.Second

	// listenFrom is how many peers there have to be for one of them to listen.
	listenFrom = 3
)

// listener chooses a peer to leave out until the others have had their time. A node
// announces a transaction to nobody who has announced it before (dcrd: known
// inventory), so only from one that we did not tell can we hear that the others have
// taken it. It is the one connected for the longest.
func (e *engine) listener(p *publication) (listener *session) {
	if !e.relay.wanted || len(e.sessions) < listenFrom {
		return nil
	}
	for _, s := range e.sessions {
		if p.told[s.addr] {
			return nil
		}
		if listener == nil || s.since.Before(listener.since) || s.since.Equal(listener.since) && s.addr < listener.addr {
			listener = s
		}
	}
	return listener
}

// noteAnnounced takes note of announcements of what is being published, by those who
// do not have it from us.
func (e *engine) noteAnnounced(s *session, hashes []chainhash.Hash) {
	if len(e.outgoing.order) == 0 {
		return
	}
	for _, hash := range hashes {
		p := e.outgoing.txs[hash]
		if p != nil && p.call != nil && !slices.Contains(p.taken, s.addr) && !slices.Contains(p.call.announced, s.addr) {
			p.call.announced = append(p.call.announced, s.addr)
		}
	}
}

// deliverer is a Source that can tell what has arrived; a *peer.Peer is one.
type deliverer interface {
	Delivered(context.Context) error
}

// confirm finds out when a peer that has asked for a transaction has it.
func (e *engine) confirm(s *session, p *publication) {
	d, ok := s.peer.(deliverer)
	if p.call == nil || !ok {
		return
	}
	call := p.call
	call.arriving[s] = true
	e.goWorker(func() {
		ctx, cancel := context.WithTimeout(s.ctx, deliverTime)
		defer cancel()
		err := d.Delivered(ctx)
		e.post(txArrived{s: s, call: call, ok: err == nil})
	})
}

// txArrived: a peer has a transaction, or there is no hope for it any more.
type txArrived struct {
	s    *session
	call *publishCall
	ok   bool
}

func (ev txArrived) apply(*engine) {
	delete(ev.call.arriving, ev.s)
	if ev.ok {
		ev.call.delivered = append(ev.call.delivered, ev.s.addr)
	}
}

// answerPublish answers the caller of Publish when there is nothing left to wait for.
// Before that the listener is told: it may be the only one that wants to know.
func (e *engine) answerPublish(hash chainhash.Hash, p *publication) {
	c := p.call
	if c == nil {
		return
	}
	if s := c.listener; s != nil {
		heard := len(c.announced) > 0
		if e.now.Before(c.until) && !(heard && c.settled(p)) {
			return
		}
		c.listener = nil
		if e.sessions.has(s) {
			e.announce(s, []chainhash.Hash{hash})
		}
		if !heard {
			c.until = e.now.Add(publishTime)
		}
	}
	late := !e.now.Before(c.until) && len(c.arriving) == 0
	if late || c.settled(p) || !e.now.Before(c.until.Add(deliverTime)) {
		p.settle()
	}
}

// settled reports whether nothing more can come: whoever was told has asked for the
// transaction, and has it or never will, or had it before.
func (c *publishCall) settled(p *publication) bool {
	for addr := range p.told {
		if !slices.Contains(p.taken, addr) && !slices.Contains(c.announced, addr) {
			return false
		}
	}
	return len(c.arriving) == 0
}

// deadline is when answerPublish has to be called although nothing happens.
func (c *publishCall) deadline(now time.Time) time.Time {
	if now.Before(c.until) {
		return c.until
	}
	return c.until.Add(deliverTime)
}

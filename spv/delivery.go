package spv

import (
	"context"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// listenFrom is how many peers there have to be for one of them to listen.
const listenFrom = 3

// listener chooses a peer to leave out until the others have had their time. A node
// announces a transaction to nobody who has announced it before (dcrd: known
// inventory), so only from one that it was not announced to can we hear that the others have
// taken it. It is the one connected for the longest.
func (e *engine) listener(p *publication) (listener *session) {
	if !e.relay.wanted || len(e.sessions) < listenFrom {
		return nil
	}
	for _, s := range e.sessions {
		if p.announcedTo[s.addr] {
			return nil
		}
		if listener == nil || s.since.Before(listener.since) || s.since.Equal(listener.since) && s.addr < listener.addr {
			listener = s
		}
	}
	return listener
}

// announce offers transactions to a peer.
func (e *engine) announce(s *session, hashes []chainhash.Hash) {
	if len(hashes) == 0 {
		return
	}
	if err := s.peer.Announce(hashes); err != nil {
		e.logs.peer.Debugf("%s: announcing transactions: %v", s.addr, err)
		return
	}
	for _, hash := range hashes {
		e.outgoing.txs[hash].announced(s.addr)
	}
}

// announceOutgoing offers a peer what was not announced to it.
func (e *engine) announceOutgoing(s *session) {
	var hashes []chainhash.Hash
	for _, hash := range e.outgoing.order {
		p := e.outgoing.txs[hash]
		if !p.announcedTo[s.addr] && (p.call == nil || p.call.listener != s) {
			hashes = append(hashes, hash)
		}
	}
	e.announce(s, hashes)
}

// announceAll offers it to all who follow.
func (e *engine) announceAll() {
	for _, s := range e.sessions {
		if s.following.on {
			e.announceOutgoing(s)
		}
	}
}

// noteAnnounced takes note of announcements of what is being published, by those who
// do not have it from us.
func (e *engine) noteAnnounced(s *session, hashes []chainhash.Hash) {
	if len(e.outgoing.order) == 0 {
		return
	}
	for _, hash := range hashes {
		if p := e.outgoing.txs[hash]; p != nil && p.call != nil && !slices.Contains(p.requestedBy, s.addr) {
			p.call.heard(s.addr)
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
	call.sent(s)
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

func (ev txArrived) apply(*engine) { ev.call.arrived(ev.s, ev.ok) }

// answerPublish answers the caller of Publish when there is nothing left to wait for.
// Before that it is announced to the listener.
func (e *engine) answerPublish(hash chainhash.Hash, p *publication) {
	c := p.call
	if c == nil {
		return
	}
	if c.listener != nil {
		s, ok := c.tell(p.complete(), e.now)
		if !ok {
			return
		}
		if e.sessions.has(s) {
			e.announce(s, []chainhash.Hash{hash})
		}
	}
	if c.over(p.complete(), e.now) {
		p.settle()
	}
}

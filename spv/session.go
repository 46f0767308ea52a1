package spv

import (
	"context"
	"maps"
	"slices"
	"time"
)

// session is a connected peer as the engine sees it. Each part has one writer:
// the file that declares its type.
type session struct {
	addr  string
	peer  Source
	since time.Time       // when it was connected
	ctx   context.Context // ends with the connection

	chain     peerChain    // what it has shown of its chain
	headers   headerAsk    // asking it for headers, before it announces them
	recheck   recheckState // asking it for headers once more
	following followState  // its announcements of new blocks
	lag       lagState     // whether it is behind
	relaying  relayState   // transactions on their way from it
	conduct   conduct      // what was not held against it yet
	presence  presence     // whether the connection still stands
}

// sessions are the connected peers by address.
type sessions map[string]*session

func (all sessions) add(s *session) { all[s.addr] = s }

// has reports whether a session is still there.
func (all sessions) has(s *session) bool { return all[s.addr] == s }

// newest is the peer that was connected last.
func (all sessions) newest() *session {
	return slices.MaxFunc(slices.Collect(maps.Values(all)), func(a, b *session) int { return a.since.Compare(b.since) })
}

// A task is a request to a peer: the wait for the network and the verification
// of what came. It returns the event to post.
type task func(p Source) event

// startSession gives a new connection its reader. (The peer has two goroutines
// more, one that writes and one that pings.)
func (e *engine) startSession(addr string, p Source) {
	ctx, cancel := context.WithCancel(e.ctx)
	s := &session{addr: addr, peer: p, since: e.now, ctx: ctx}
	e.sessions.add(s)
	e.goWorker(func() {
		defer cancel()
		err := p.Run(ctx, &handler{e: e, s: s})
		e.post(disconnected{s: s, err: err})
	})
}

// work does a task on a goroutine of its own.
func (e *engine) work(s *session, t task) {
	e.goWorker(func() { e.post(t(s.peer)) })
}

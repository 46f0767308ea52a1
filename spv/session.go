package spv

import (
	"context"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/requests"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// session is a connected peer as the engine sees it. Each part has one writer:
// the file that declares its type.
type session struct {
	addr  string
	peer  Source
	since time.Time       // when it was connected
	ctx   context.Context // ends with the connection
	tasks chan task       // never full: the engine counts what is in flight

	workers int // goroutines that do tasks
	busy    int // tasks that they have

	unsure bool // whether the connection still stands: see away

	chain     peerChain   // what it has shown of its chain
	headers   headerAsk   // asking it for headers, before it announces them
	following followState // its announcements of new blocks
	lag       lagState    // whether it is behind
	relaying  relayState  // transactions on their way from it
	conduct   conduct     // what was not held against it yet
}

// A task is a request to a peer: the wait for the network and the verification
// of what came, both on a worker goroutine. It returns the event to post.
type task func(p Source) event

// startSession gives a new connection its reader. (The peer has two goroutines
// more, one that writes and one that pings.)
func (e *engine) startSession(addr string, p Source) *session {
	ctx, cancel := context.WithCancel(e.ctx)
	s := &session{addr: addr, peer: p, since: e.now, ctx: ctx}
	s.tasks = make(chan task, requests.MaxWindow+1) // and one for headers
	e.goWorker(func() {
		defer cancel()
		err := p.Run(ctx, &handler{e: e, s: s})
		e.post(disconnected{s: s, err: err})
	})
	return s
}

// work hands a task to the session's workers. There are as many as it ever had
// tasks at a time.
func (e *engine) work(s *session, t task) {
	s.tasks <- t
	if s.busy++; s.busy <= s.workers {
		return
	}
	s.workers++
	e.goWorker(func() {
		for {
			select {
			case t := <-s.tasks:
				e.post(taskDone{s, t(s.peer)})
			case <-s.ctx.Done():
				return
			}
		}
	})
}

// taskDone: a worker is free again, and this is what it found.
type taskDone struct {
	s      *session
	result event
}

func (ev taskDone) apply(e *engine) {
	ev.s.busy--
	ev.result.apply(e)
}

// disconnected: a connection is over.
type disconnected struct {
	s   *session
	err error
}

func (ev disconnected) apply(e *engine) {
	if e.ctx.Err() != nil {
		return // we are shutting down, which takes care of it
	}
	e.lost(ev.s, e.judgeEnd(ev.s, ev.err))
}

// lost forgets a connection that has ended, but not what the peer claimed.
func (e *engine) lost(s *session, reason error) {
	if e.sessions[s.addr] == s {
		e.keepClaim(s)
		e.drop(s, reason)
	}
}

// drop forgets a connection and gives its work back. It may be called again
// for the same session.
func (e *engine) drop(s *session, reason error) {
	if e.sessions[s.addr] != s {
		return
	}
	s.peer.Close(reason)
	delete(e.sessions, s.addr)
	e.network.gone = e.network.gone.plus(s.peer.Stats())
	e.registry.Disconnected(s.addr, reason, e.now)
	e.trouble.failed(failure{addr: s.addr, err: reason, at: e.now})
	e.logs.peer.Infof("%s disconnected: %v", s.addr, reason)
	e.requests.Leave(s.addr)
	e.headers.release(s)
	e.forgetHeard(s)
	e.relay.forsaken(s, e.now)
	if len(e.sessions) == 0 {
		// The whole initial sync starts over in this same Syncer: whoever
		// comes next may be far ahead.
		e.following = false
	}
}

// handler receives what a peer says without being asked. Its methods run on
// the peer's reader and wait until the engine has dealt with it, so that a flood
// costs the flooder, and no peer has more than one message in memory.
type handler struct {
	e *engine
	s *session
}

// tell posts an event and waits until it was applied.
func (h *handler) tell(ev event) {
	applied := make(chan struct{})
	if !h.e.post(told{ev, applied}) {
		return
	}
	select {
	case <-applied:
	case <-h.e.ctx.Done():
	}
}

// told is an event whose maker waits for it.
type told struct {
	event
	applied chan struct{}
}

func (ev told) apply(e *engine) {
	defer close(ev.applied)
	ev.event.apply(e)
}

func (h *handler) Headers(headers []chain.Header) {
	batch, err := h.e.rules.Check(headers)
	h.tell(announcedHeaders{s: h.s, batch: batch, err: err, count: len(headers)})
}

func (h *handler) Inv(inv []*wire.InvVect) {
	var txs []chainhash.Hash
	var block *chainhash.Hash
	for _, item := range inv {
		switch item.Type {
		case wire.InvTypeTx:
			txs = append(txs, item.Hash)
		case wire.InvTypeBlock:
			// Only the last one matters: dcrd announces in order, and a
			// getheaders brings those before it.
			block = &item.Hash
		}
	}
	if block != nil {
		h.tell(announcedBlock{s: h.s, hash: *block})
	}
	if len(txs) > 0 && h.e.relay.wanted {
		h.tell(announcedTxs{s: h.s, hashes: txs})
	}
}

func (h *handler) GetData(inv []*wire.InvVect) {
	h.tell(wantsData{s: h.s, inv: inv})
}

func (h *handler) Addrs(addrs []string) {
	h.tell(gossip{s: h.s, addrs: addrs})
}

func (h *handler) Tx(tx *wire.MsgTx) {
	if h.e.relay.wanted {
		h.tell(newArrivedTx(h.s, tx))
	}
}

func (h *handler) NotFound(txs []chainhash.Hash) {
	h.tell(missingTxs{s: h.s, hashes: txs})
}

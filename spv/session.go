package spv

import (
	"context"
	"errors"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/peer"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// session is a connected peer as the engine sees it.
type session struct {
	addr  string
	peer  Source
	since time.Time       // when it was connected
	ctx   context.Context // ends with the connection
	tasks chan task       // never full: the engine counts what is in flight

	workers  int           // goroutines that do tasks
	busy     int           // tasks that they have
	window   window        // how many filter and block requests it may have
	inflight int           // and how many it has
	headers  *headerFlight // the header request in flight, before greeted

	// last is the newest header this peer delivered. It may be on a branch
	// that is not the best one; the next locator starts there.
	last chain.BlockID

	// elsewhere: last is not of the best chain, and the peer's own parts from it
	// after the block at height fork.
	elsewhere bool
	fork      uint32

	// below: last is of our chain, and the peer's own branch begins above it.
	below bool

	told   bool // it has answered a getheaders
	lacked int  // requests that it may have had a reason not to answer

	// announced is the last block it announced before we wanted
	// announcements: nothing is done with it but to see that the peer keeps up.
	announced chainhash.Hash

	// doubted: it should be asked for headers although it claims no more than
	// we have, because nobody delivers. doubtedAt is when that was decided.
	doubted   bool
	doubtedAt time.Time

	restsUntil time.Time // when it may be asked for headers again

	// greeted: sendheaders was sent. asked is when the getheaders in flight
	// after that was sent; answered tells that the first one was answered.
	greeted   bool
	greetedAt time.Time
	asked     time.Time
	answered  bool
	orphans   int // announcements in a row that link to nothing

	askedTxs int // transactions on their way from it

	lagsSince time.Time // when it was first seen to be behind; zero if it is not
}

// lacks reports whether a peer has shown that its chain is another one than ours
// at a height.
func (s *session) lacks(height uint32) bool { return s.elsewhere && height > s.fork }

// A task is a request to a peer: the wait for the network and the verification
// of what came, both on a worker goroutine. It returns the event to post.
type task func(p Source) event

// startSession gives a new connection its reader. (The peer has two goroutines
// more, one that writes and one that pings.)
func (e *engine) startSession(addr string, p Source) *session {
	ctx, cancel := context.WithCancel(e.ctx)
	s := &session{addr: addr, peer: p, since: e.now, ctx: ctx, window: window{size: firstWindow}}
	s.tasks = make(chan task, maxWindow+1) // and one for headers
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
		return // it is we who are stopping: shutdown takes care of it
	}
	if errors.Is(ev.err, peer.ErrProtocol) && e.sessions[ev.s.addr] == ev.s {
		e.strike(ev.s, registry.Protocol, ev.err)
	}
	e.lost(ev.s, ev.err)
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
	e.network.gone = e.network.gone.Plus(s.peer.Stats())
	e.registry.Disconnected(s.addr, reason, e.now)
	e.logs.peer.Infof("%s disconnected: %v", s.addr, reason)
	e.releaseUnits(s)
	e.headers.release(s)
	if len(e.sessions) == 0 {
		// The whole initial sync starts over in this same Syncer: whoever
		// comes next may be far ahead.
		e.following = false
	}
}

// handler receives what a peer says without being asked. Its methods run on
// the peer's reader and wait when the engine is busy, so that a flood costs
// the flooder.
type handler struct {
	e *engine
	s *session
}

func (h *handler) Headers(headers []chain.Header) {
	batch, err := h.e.rules.Check(headers)
	h.e.post(announcedHeaders{s: h.s, batch: batch, err: err, count: len(headers)})
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
		h.e.post(announcedBlock{s: h.s, hash: *block})
	}
	if len(txs) > 0 && h.e.relay.wanted {
		h.e.post(announcedTxs{s: h.s, hashes: txs})
	}
}

func (h *handler) GetData(inv []*wire.InvVect) {
	h.e.post(wantsData{s: h.s, inv: inv})
}

func (h *handler) Addrs(addrs []string) {
	h.e.post(gossip{s: h.s, addrs: addrs})
}

func (h *handler) Tx(tx *wire.MsgTx) {
	if h.e.relay.wanted {
		h.e.post(newArrivedTx(h.s, tx, h.e.cfg.Params.MaxTxSize))
	}
}

func (h *handler) NotFound(txs []chainhash.Hash) {
	h.e.post(missingTxs{s: h.s, hashes: txs})
}

package spv

import (
	"slices"
	"sync"
	"time"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/container/lru"
	"github.com/decred/dcrd/wire"
)

// relay fetches the transactions that peers announce, each one once, and hands
// them to the wallets that want to hear of them. All of them are fetched:
// asking only for our own would tell which ones those are. Nothing about them
// is verified but their form. Mixing messages are fetched in the same way while the
// program listens to them (mixes.go).
type relay struct {
	wanted    bool // some wallet listens
	seen      func() *lru.Set[wire.InvVect]
	requested map[wire.InvVect]*txRequest
	due       time.Time // before it none of them has taken too long; zero: none is on its way
}

// relayState is how many transactions and mixing messages are on their way from a peer.
type relayState struct {
	requested int
	late      int // how many it did not send as it should, or not in time
}

// txRequest is an announced transaction, or mixing message, on its way. Their hashes say
// nothing of which of the two it is: only who announces something as what it is can send it.
type txRequest struct {
	item   wire.InvVect
	s      *session
	since  time.Time
	others []*session // who announced it too, in order
}

// due is when another peer is asked.
func (r *txRequest) due() time.Time {
	if r.item.Type == wire.InvTypeMix {
		return r.since.Add(mixPatience)
	}
	return r.since.Add(txPatience)
}

const (
	// maxSeenTxs is how many announcements are remembered, so that the same
	// transaction is not fetched from each peer.
	maxSeenTxs = 10_000

	// maxRequestedTxs bounds the transactions on their way from one peer. dcrd
	// drops a client with more than 1000 outstanding (server.go OnGetData).
	maxRequestedTxs = 500

	// maxTxSize is the size of the longest transaction that nodes relay (dcrd's
	// mempool, MaxStandardTxSize).
	maxTxSize = 100_000

	// txPatience is how long a peer may take for a transaction that it has
	// announced, before another one is asked.
	txPatience = 30 * time.Second

	// mixPatience is that for a mixing message: a mix ends without those who are late.
	mixPatience = 5 * time.Second
)

func newRelay(cfg *Config) relay {
	r := relay{
		wanted: !cfg.NoRelay, // a wallet that hears of them may be attached later
		seen: sync.OnceValue(func() *lru.Set[wire.InvVect] {
			return lru.NewSet[wire.InvVect](maxSeenTxs)
		}),
		requested: make(map[wire.InvVect]*txRequest),
	}
	return r
}

// announcedTxs: a peer announced transactions, or mixing messages. Before everything is
// in sync they are ignored: whether they concern a wallet is not known yet.
type announcedTxs struct {
	s      *session
	kind   wire.InvType
	hashes []chainhash.Hash
}

func (ev announcedTxs) apply(e *engine) {
	e.noteAnnounced(ev.s, ev.hashes)
	switch {
	case !e.fetching():
	case ev.kind == wire.InvTypeTx && e.hearing(ev.s), ev.kind == wire.InvTypeMix && e.mixing(ev.s):
		e.fetch(ev.s, ev.kind, ev.hashes)
	}
}

// fetching reports whether anything is fetched.
func (e *engine) fetching() bool { return e.relay.wanted && e.following.on }

// mixing reports whether the program wants mixing messages, and a peer can be asked for
// them.
func (e *engine) mixing(s *session) bool {
	_, ok := s.peer.(MessageSource)
	return ok && e.messages.mixes()
}

// fetch asks a peer for what it has announced, unless that was seen before, and turns to
// it later for what others are being asked for.
func (e *engine) fetch(s *session, kind wire.InvType, hashes []chainhash.Hash) {
	r := &e.relay
	var ask []chainhash.Hash
	for _, hash := range hashes {
		item := wire.InvVect{Type: kind, Hash: hash}
		if req := r.requested[item]; req != nil {
			if req.s != s && !slices.Contains(req.others, s) {
				gone := func(s *session) bool { return !e.sessions.has(s) }
				req.others = append(slices.DeleteFunc(req.others, gone), s)
			}
			continue
		}
		if r.seen().Contains(item) || e.outgoing.txs[hash] != nil || s.relaying.requested+len(ask) >= maxRequestedTxs {
			continue
		}
		r.seen().Put(item)
		ask = append(ask, hash)
	}
	e.requestTxs(s, kind, ask)
}

// fetchAgain is fetch for what the program wants whether it was seen or not.
func (e *engine) fetchAgain(s *session, kind wire.InvType, hashes []chainhash.Hash) {
	for _, hash := range hashes {
		if item := (wire.InvVect{Type: kind, Hash: hash}); e.relay.requested[item] == nil {
			e.relay.unlearn(item)
		}
	}
	e.fetch(s, kind, hashes)
}

func (e *engine) requestTxs(s *session, kind wire.InvType, hashes []chainhash.Hash) {
	if len(hashes) == 0 {
		return
	}
	for _, hash := range hashes {
		item := wire.InvVect{Type: kind, Hash: hash}
		req := e.relay.requested[item]
		if req == nil {
			req = &txRequest{item: item}
			e.relay.requested[item] = req
		}
		req.s, req.since = s, e.now
		if due := req.due(); e.relay.due.IsZero() || due.Before(e.relay.due) {
			e.relay.due = due
		}
	}
	s.relaying.requested += len(hashes)
	if err := askFor(s.peer, kind, hashes); err != nil {
		s.peer.Close(err)
	}
}

// askFor asks a peer for transactions or mixing messages.
func askFor(p Source, kind wire.InvType, hashes []chainhash.Hash) error {
	if kind == wire.InvTypeTx {
		return p.RequestTxs(hashes)
	}
	getData := wire.NewMsgGetDataSizeHint(uint(len(hashes)))
	for _, hash := range hashes {
		getData.InvList = append(getData.InvList, wire.NewInvVect(kind, &hash))
	}
	return p.(MessageSource).Send(getData)
}

// arrivedTx: a peer sent a transaction.
type arrivedTx struct {
	s    *session
	hash chainhash.Hash
	tx   *wire.MsgTx
	err  error // malformed
}

// newArrivedTx looks at the form of a transaction, on the reader's goroutine.
func newArrivedTx(s *session, tx *wire.MsgTx) arrivedTx {
	return arrivedTx{s: s, hash: tx.TxHash(), tx: tx, err: standalone.CheckTransactionSanity(tx, maxTxSize)}
}

func (ev arrivedTx) apply(e *engine) {
	req := e.relay.requested[wire.InvVect{Type: wire.InvTypeTx, Hash: ev.hash}]
	if req == nil || req.s != ev.s {
		return // nobody asked for it, or no longer
	}
	if ev.err != nil {
		// The hash leaves out the signatures: another one's may be well formed.
		e.logs.peer.Debugf("%s: transaction %s: %v", ev.s.addr, ev.hash, ev.err)
		req.s.relaying.late++
		e.askOther(req)
		return
	}
	e.endTxRequest(req)
	e.logs.wallet.Tracef("%s sent transaction %s", ev.s.addr, ev.hash)
	e.txs.send(ev.tx)
	for _, w := range e.wallets {
		if w.unmined != nil {
			w.heard.add(ev.s.addr, ev.tx)
		}
	}
}

func (e *engine) endTxRequest(req *txRequest) {
	delete(e.relay.requested, req.item)
	req.s.relaying.requested--
}

// missingTxs: a peer does not have transactions or mixing messages that it announced.
// They have been mined meanwhile, or dropped.
type missingTxs struct {
	s      *session
	hashes []chainhash.Hash
}

func (ev missingTxs) apply(e *engine) {
	for _, hash := range ev.hashes {
		for _, kind := range []wire.InvType{wire.InvTypeTx, wire.InvTypeMix} {
			if req := e.relay.requested[wire.InvVect{Type: kind, Hash: hash}]; req != nil && req.s == ev.s {
				e.askOther(req)
			}
		}
	}
}

// askOther asks the peer that announced a transaction too and has been late the
// least, if there is one: a transaction that everybody knows is not kept from us by
// peers that are quick to announce it and don't send it.
func (e *engine) askOther(req *txRequest) {
	e.endTxRequest(req)
	slices.SortStableFunc(req.others, func(a, b *session) int { return a.relaying.late - b.relaying.late })
	for len(req.others) > 0 {
		s := req.others[0]
		req.others = req.others[1:]
		if e.sessions.has(s) && s.relaying.requested < maxRequestedTxs {
			e.relay.requested[req.item] = req
			e.requestTxs(s, req.item.Type, []chainhash.Hash{req.item.Hash})
			return
		}
	}
	e.relay.unlearn(req.item) // whoever announces it next is asked
}

// fetchTxs moves requests on that are not answered. What waits in the peers'
// memory pools from before we were in sync is not asked for: dcrd counts each
// mempool message towards a ban (server.go OnMemPool).
func (e *engine) fetchTxs() {
	r := &e.relay
	if !e.fetching() {
		for item := range r.requested {
			r.unlearn(item)
		}
		clear(r.requested)
		r.due = time.Time{}
		return
	}
	if r.due.IsZero() || e.now.Before(r.due) {
		return // hundreds may be on their way, and there is a step for each that comes
	}
	for _, req := range r.requested {
		if !e.now.Before(req.due()) || !e.sessions.has(req.s) {
			req.s.relaying.late++
			e.askOther(req)
		}
	}
	r.due = time.Time{}
	for _, req := range r.requested {
		if t := req.due(); r.due.IsZero() || t.Before(r.due) {
			r.due = t
		}
	}
}

// learn keeps from fetching what is announced.
func (r *relay) learn(item wire.InvVect) { r.seen().Put(item) }

// unlearn has it fetched again when it is announced.
func (r *relay) unlearn(item wire.InvVect) { r.seen().Delete(item) }

// forsaken has the requests looked at that a peer can't answer any more.
func (r *relay) forsaken(s *session, now time.Time) {
	if s.relaying.requested > 0 {
		r.due = now
	}
}

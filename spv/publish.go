package spv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// ErrNoPeers is returned by Publish when there is nobody to tell.
var ErrNoPeers = errors.New("no peers are connected")

// PublishResult tells what became of a transaction. A peer that has it already, or
// that does not want it, does not ask for it; Decred peers say nothing about a
// transaction that they refuse.
type PublishResult struct {
	Told      []string // whom it was announced to
	Taken     []string // who asked for it since
	Delivered []string // who of those has it for certain

	// Listened: at least three peers were connected, and one was told only after the
	// others had had their time, to hear whether it announces the transaction first.
	// Announced are those who did that and did not have it from us: it has spread,
	// unless they lie. That nobody did in time proves nothing.
	Listened  bool
	Announced []string
}

// outgoing holds the transactions on offer: those that Publish was called with,
// and those that wallets want in the chain. They are served on request,
// announced to peers that join, and again to all from time to time.
type outgoing struct {
	txs   map[chainhash.Hash]*publication
	order []chainhash.Hash // of arrival, so that parents come before children
	again time.Time        // when to announce all of them again

	changed bool // what wallets want in the chain may have changed
}

type publication struct {
	tx      *wire.MsgTx
	told    map[string]bool
	taken   []string
	expires time.Time // when the offer of Publish ends
	pending bool      // a wallet wants it in the chain

	call      *publishCall // of Publish; nil if none waits
	published bool         // Publish was called before
}

const (
	// maxOutgoing bounds the transactions kept for peers.
	maxOutgoing = 1000

	// offerTime is how long a published transaction is on offer that no wallet
	// has taken charge of.
	offerTime = time.Hour

	// announceEvery is how often what is on offer is announced again: a peer
	// may have dropped it. One that has it does not ask.
	announceEvery = 10 * time.Minute
)

// Publish announces a transaction to all connected peers and returns who asked
// for it within 5 seconds, or 10 if one of them listens first, sooner if all did, and
// who of them has it, for which they have 10 seconds more: those it names as Delivered have it even if the Syncer stops
// now. A second call tells of those that asked after it. It stays on offer for an hour.
// A transaction that an UnminedWallet has as pending is on offer until it is in
// the chain or can't get there any more, also over restarts: whoever has it there before
// the call loses nothing, whatever happens during it. It must be complete
// and signed; the caller must not change it afterwards.
func (s *Syncer) Publish(ctx context.Context, tx *wire.MsgTx) (PublishResult, error) {
	answer := make(chan PublishResult, 1)
	var failed error
	err := s.do(ctx, func(e *engine) { failed = e.publishTx(tx, answer) })
	if err != nil {
		return PublishResult{}, err
	}
	if failed != nil {
		return PublishResult{}, failed
	}
	select {
	case result := <-answer:
		return result, nil
	case <-ctx.Done():
		return PublishResult{}, ctx.Err()
	case <-s.stopped:
		return PublishResult{}, ErrNotRunning
	}
}

func (e *engine) publishTx(tx *wire.MsgTx, answer chan PublishResult) error {
	if len(e.sessions) == 0 {
		return ErrNoPeers
	}
	hash := tx.TxHash()
	p := e.outgoing.add(hash, tx)
	if p.call != nil {
		return fmt.Errorf("transaction %s is being published already", hash)
	}
	// Who took it because a wallet has it has taken it all the same; it will not ask
	// again.
	p.taken = slices.DeleteFunc(p.taken, func(addr string) bool { return p.published || e.sessions[addr] == nil })
	p.published = true
	p.call = &publishCall{answer: answer, until: e.now.Add(publishTime), arriving: make(map[*session]bool)}
	p.call.listener = e.listener(p)
	p.call.listened = p.call.listener != nil
	clear(p.told)
	p.expires = e.now.Add(offerTime)
	for _, s := range e.sessions {
		if s != p.call.listener {
			e.announce(s, []chainhash.Hash{hash})
		}
		if slices.Contains(p.taken, s.addr) {
			e.confirm(s, p)
		}
	}
	return nil
}

// add puts a transaction on offer. If it is, the new one replaces it: the hash does not
// cover the signatures.
func (o *outgoing) add(hash chainhash.Hash, tx *wire.MsgTx) *publication {
	if p := o.txs[hash]; p != nil {
		p.tx = tx
		return p
	}
	if o.txs == nil {
		o.txs = make(map[chainhash.Hash]*publication)
	}
	if len(o.order) == maxOutgoing {
		o.remove(o.order[0])
	}
	p := &publication{tx: tx, told: make(map[string]bool)}
	o.txs[hash] = p
	o.order = append(o.order, hash)
	return p
}

// recollect has it looked at what the wallets want in the chain.
func (o *outgoing) recollect() { o.changed = true }

func (o *outgoing) remove(hash chainhash.Hash) {
	if p := o.txs[hash]; p != nil {
		p.settle()
	}
	delete(o.txs, hash)
	o.order = slices.DeleteFunc(o.order, func(h chainhash.Hash) bool { return h == hash })
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
		e.outgoing.txs[hash].told[s.addr] = true
	}
}

// announceOutgoing offers a peer what it has not been told of.
func (e *engine) announceOutgoing(s *session) {
	var hashes []chainhash.Hash
	for _, hash := range e.outgoing.order {
		p := e.outgoing.txs[hash]
		if !p.told[s.addr] && (p.call == nil || p.call.listener != s) {
			hashes = append(hashes, hash)
		}
	}
	e.announce(s, hashes)
}

// wantsData: a peer sent getdata.
type wantsData struct {
	s   *session
	inv []*wire.InvVect
}

func (ev wantsData) apply(e *engine) {
	s := ev.s
	if !e.sessions.has(s) {
		return
	}
	var missing []*wire.InvVect
	for _, iv := range ev.inv {
		p := e.outgoing.txs[iv.Hash]
		if p == nil || iv.Type != wire.InvTypeTx || !p.told[s.addr] {
			missing = append(missing, iv)
			continue
		}
		if err := s.peer.Serve(p.tx); err != nil {
			return
		}
		if !slices.Contains(p.taken, s.addr) {
			p.taken = append(p.taken, s.addr)
			e.confirm(s, p)
		}
	}
	if len(missing) > 0 {
		s.peer.NotFound(missing) // a full queue closes the connection by itself
	}
}

// publishMore keeps the offers up to date: it answers callers of Publish, ends
// what has expired, and announces what is due.
func (e *engine) publishMore() {
	o := &e.outgoing
	if o.changed {
		o.changed = false
		e.collectPending()
	}
	for _, hash := range slices.Clone(o.order) {
		p := o.txs[hash]
		e.answerPublish(hash, p)
		if !p.pending && !e.now.Before(p.expires) {
			o.remove(hash)
		}
	}
	if len(o.order) == 0 || !e.following.on || e.now.Before(o.again) {
		return
	}
	if !o.again.IsZero() {
		for _, p := range o.txs {
			clear(p.told)
		}
	}
	o.again = e.now.Add(announceEvery)
	for _, s := range e.sessions {
		if s.following.on {
			e.announceOutgoing(s)
		}
	}
}

// collectPending takes over what the wallets want in the chain now.
func (e *engine) collectPending() {
	o := &e.outgoing
	for _, p := range o.txs {
		p.pending = false
	}
	added := false
	for _, w := range e.wallets {
		for _, tx := range w.pending {
			hash := tx.TxHash()
			added = added || o.txs[hash] == nil
			o.add(hash, tx).pending = true
		}
	}
	for _, s := range e.sessions {
		if added && s.following.on {
			e.announceOutgoing(s)
		}
	}
}

// handOver answers those who wait, and leaves what is on offer for another engine, whose
// peers know nothing of it.
func (o *outgoing) handOver() {
	for _, p := range o.txs {
		p.settle()
		clear(p.told)
	}
}

// settle answers the caller of Publish.
func (p *publication) settle() {
	if p.call == nil {
		return
	}
	p.call.answer <- PublishResult{
		Told: slices.Sorted(maps.Keys(p.told)), Taken: slices.Clone(p.taken), Delivered: p.call.delivered,
		Listened: p.call.listened, Announced: p.call.announced,
	}
	p.call = nil
}

// outgoingTime is when the next caller of Publish is answered, an offer ends, or
// all are announced again.
func (e *engine) outgoingTime() (next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, p := range e.outgoing.txs {
		if p.call != nil {
			sooner(p.call.deadline(e.now))
		}
		if !p.pending {
			sooner(p.expires)
		}
	}
	if len(e.outgoing.order) > 0 && e.following.on {
		sooner(e.outgoing.again)
	}
	return next
}

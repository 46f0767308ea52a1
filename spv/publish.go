package spv

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// ErrNoPeers is returned by Publish when there is nobody to tell.
var ErrNoPeers = errors.New("no peers are connected")

// PublishResult tells what became of a transaction. A peer that has it already, or
// that does not want it, does not ask for it; Decred peers say nothing about a
// transaction that they refuse.
type PublishResult struct {
	AnnouncedTo []string // whom it was announced to
	RequestedBy []string // who asked for it since
	Delivered   []string // who of those has it for certain

	// Listened: at least three peers were connected, and it was announced to one only after
	// the others had had their time, to hear whether it announces the transaction first.
	// Announced are those who did that and did not have it from us: it has spread,
	// unless they lie. That nobody did in time proves nothing.
	Listened  bool
	Announced []string
}

// Publish announces a transaction to all connected peers and returns who asked
// for it within 5 seconds, or 10 if one of them listens first, sooner if all did, and
// who of them has it, for which they have 10 seconds more: peers named as Delivered have
// it even if the Syncer stops now. A second call names peers that asked after the first.
// It stays on offer for an hour.
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

// Offer puts transactions on offer for an hour, parents before children, and does not wait
// for anybody: they are announced to all who are connected, and to who connects later. It
// works without peers too. What is said of transactions at Publish holds for these.
func (s *Syncer) Offer(ctx context.Context, txs ...*wire.MsgTx) error {
	return s.do(ctx, func(e *engine) {
		for _, tx := range txs {
			e.outgoing.offer(tx, e.now)
		}
		for _, session := range e.sessions {
			e.announceOutgoing(session)
		}
	})
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
	connected := func(addr string) bool { return e.sessions[addr] != nil }
	p.publish(newPublishCall(answer, e.listener(p), e.now), connected, e.now)
	for _, s := range e.sessions {
		if s != p.call.listener {
			e.announce(s, []chainhash.Hash{hash})
		}
		if slices.Contains(p.requestedBy, s.addr) {
			e.confirm(s, p)
		}
	}
	return nil
}

// wantsData: a peer sent getdata.
type wantsData struct {
	s   *session
	inv []*wire.InvVect
}

func (ev wantsData) apply(e *engine) {
	s := ev.s
	var missing []*wire.InvVect
	for _, iv := range ev.inv {
		p := e.outgoing.txs[iv.Hash]
		if p == nil || iv.Type != wire.InvTypeTx || !p.announcedTo[s.addr] {
			missing = append(missing, iv)
			continue
		}
		if err := s.peer.Serve(p.tx); err != nil {
			return
		}
		if p.requested(s.addr) {
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
	if o.collect(e.wallets) {
		e.announceAll()
	}
	for _, hash := range slices.Clone(o.order) {
		p := o.txs[hash]
		e.answerPublish(hash, p)
		if !p.pending && !e.now.Before(p.expires) {
			o.remove(hash)
		}
	}
	if e.following.on && o.due(e.now) {
		e.announceAll()
	}
}

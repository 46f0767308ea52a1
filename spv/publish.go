package spv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// ErrNoPeers is returned by Publish when there is nobody to tell.
var ErrNoPeers = errors.New("no peers are connected")

// PublishResult tells who took a transaction: the peers that asked for it after
// it was announced. A peer that has it already, or that does not want it, does
// not ask; Decred peers say nothing about a transaction that they refuse.
type PublishResult struct {
	Told  []string // whom it was announced to
	Taken []string // who asked for it
}

// outgoing holds the transactions that were published in this run. They are
// served on request and announced to peers that join.
type outgoing struct {
	txs   map[chainhash.Hash]*publication
	order []chainhash.Hash
}

type publication struct {
	tx     *wire.MsgTx
	told   map[string]bool
	taken  []string
	until  time.Time // when the caller is answered
	answer chan PublishResult
}

const (
	// maxOutgoing bounds the transactions kept for peers.
	maxOutgoing = 1000

	// publishTime is how long peers have to ask for a new transaction.
	publishTime = 5 * time.Second
)

// Publish announces a transaction to all connected peers and returns who asked
// for it within 5 seconds, sooner if all did. The transaction stays on offer
// while the Syncer runs. It must be complete and signed; the caller must not
// change it afterwards.
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
	p := e.outgoing.txs[hash]
	if p != nil && p.answer != nil {
		return fmt.Errorf("transaction %s is being published already", hash)
	}
	if p == nil {
		e.outgoing.add(hash, tx)
		p = e.outgoing.txs[hash]
	}
	clear(p.told)
	p.answer, p.until = answer, e.now.Add(publishTime)
	for _, s := range e.sessions {
		e.announce(s, hash, p)
	}
	return nil
}

func (o *outgoing) add(hash chainhash.Hash, tx *wire.MsgTx) {
	if o.txs == nil {
		o.txs = make(map[chainhash.Hash]*publication)
	}
	if len(o.order) == maxOutgoing {
		delete(o.txs, o.order[0])
		o.order = o.order[1:]
	}
	o.order = append(o.order, hash)
	o.txs[hash] = &publication{tx: tx, told: make(map[string]bool)}
}

func (e *engine) announce(s *session, hash chainhash.Hash, p *publication) {
	inv := wire.NewMsgInv()
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash))
	if err := s.peer.Send(inv); err != nil {
		e.log.Debugf("%s: announcing %s: %v", s.addr, hash, err)
		return
	}
	p.told[s.addr] = true
}

// announceOutgoing offers everything to a peer that has joined.
func (e *engine) announceOutgoing(s *session) {
	for hash, p := range e.outgoing.txs {
		if !p.told[s.addr] {
			e.announce(s, hash, p)
		}
	}
}

// wantsData: a peer sent getdata.
type wantsData struct {
	s   *session
	inv []*wire.InvVect
}

func (ev wantsData) apply(e *engine) {
	s := ev.s
	if e.sessions[s.addr] != s {
		return
	}
	missing := wire.NewMsgNotFound()
	for _, iv := range ev.inv {
		p := e.outgoing.txs[iv.Hash]
		if p == nil || iv.Type != wire.InvTypeTx || !p.told[s.addr] {
			missing.AddInvVect(iv)
			continue
		}
		if err := s.peer.Send(p.tx); err != nil {
			return
		}
		p.taken = append(p.taken, s.addr)
	}
	if len(missing.InvList) > 0 {
		s.peer.Send(missing) // a full queue closes the connection by itself
	}
}

// settleOutgoing answers the callers of Publish.
func (e *engine) settleOutgoing() {
	for _, p := range e.outgoing.txs {
		if p.answer == nil || len(p.taken) < len(p.told) && e.now.Before(p.until) {
			continue
		}
		result := PublishResult{Taken: p.taken}
		for addr := range p.told {
			result.Told = append(result.Told, addr)
		}
		p.answer <- result
		p.answer = nil
	}
}

// outgoingTime is when the next caller of Publish is answered.
func (e *engine) outgoingTime() (next time.Time) {
	for _, p := range e.outgoing.txs {
		if p.answer != nil && (next.IsZero() || p.until.Before(next)) {
			next = p.until
		}
	}
	return next
}

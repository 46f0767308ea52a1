package wallet

import (
	"cmp"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// pendingMsg is a pending transaction, decoded.
type pendingMsg struct {
	pendingTx
	id  hash
	msg *wire.MsgTx
	own bool // given to AddUnmined
}

// hearsay: all that is known of it is that a peer has sent it.
func (p *pendingMsg) hearsay() bool { return p.origin == fromPeer && !p.own }

// readPending reads the pending transactions in order of arrival, dead ones too.
func (b *buckets) readPending() ([]*pendingMsg, error) {
	var out []*pendingMsg
	err := b.unmined.ForEach(func(k, v []byte) error {
		p, ok := decodePending(v)
		msg, parsed := parseTx(p.raw)
		if !ok || !parsed || len(k) != chainhash.HashSize {
			return corrupt("unmined transaction %.40x", k)
		}
		out = append(out, &pendingMsg{p, hash(k), msg, b.own.Get(k) != nil})
		return nil
	})
	slices.SortFunc(out, func(a, b *pendingMsg) int { return cmp.Compare(a.seq, b.seq) })
	return out, err
}

// pool is the pending transactions in memory, during one change.
type pool struct {
	byID   map[hash]*pendingMsg
	spends map[outPoint][]*pendingMsg // in order of arrival
	fresh  map[*pendingMsg]bool       // those that came, or are to be looked for, in this change
}

func (p *pool) add(m *pendingMsg) {
	p.byID[m.id] = m
	for _, in := range m.msg.TxIn {
		if op := spent(in); op != nothing {
			p.spends[op] = append(p.spends[op], m)
		}
	}
}

func (p *pool) remove(m *pendingMsg) {
	delete(p.byID, m.id)
	for _, in := range m.msg.TxIn {
		op := spent(in)
		left := slices.DeleteFunc(slices.Clone(p.spends[op]), func(x *pendingMsg) bool { return x == m })
		if len(left) == 0 {
			delete(p.spends, op)
		} else {
			p.spends[op] = left
		}
	}
}

// nothing is what inputs name that spend no output: those of coinbases, votes
// and treasury spends.
var nothing = outPoint{index: wire.MaxPrevOutIndex}

func spent(in *wire.TxIn) outPoint {
	return outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
}

// pending are the pending transactions.
func (c *change) pending() *pool {
	if c.pool == nil {
		c.pool = &pool{byID: make(map[hash]*pendingMsg), spends: make(map[outPoint][]*pendingMsg), fresh: make(map[*pendingMsg]bool)}
		all, err := c.readPending()
		if err != nil {
			c.fail(err)
		}
		for _, p := range all {
			c.pool.add(p)
		}
	}
	return c.pool
}

// inOrder lists the pending transactions in order of arrival.
func (p *pool) inOrder() []*pendingMsg {
	out := make([]*pendingMsg, 0, len(p.byID))
	for _, m := range p.byID {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *pendingMsg) int { return cmp.Compare(a.seq, b.seq) })
	return out
}

// has reports whether a transaction read earlier is still pending.
func (p *pool) has(m *pendingMsg) bool { return p.byID[m.id] == m }

func (c *change) savePending(p *pendingMsg) {
	c.put(c.unmined, p.id[:], p.encode())
	if !c.pending().has(p) {
		c.pending().add(p)
		c.pool.fresh[p] = true
	}
	c.w.contest(p)
}

func (c *change) dropPending(p *pendingMsg) {
	c.del(c.unmined, p.id[:])
	c.pending().remove(p)
	delete(c.w.shares.sent, p.id)
	if c.w.contested[p.id] != nil {
		delete(c.w.contested, p.id)
		c.w.query = nil
	}
}

// eachChild calls fn for the pending transactions that may be mined and spend
// outputs of p.
func (c *change) eachChild(p *pendingMsg, fn func(*pendingMsg)) {
	for i := range p.msg.TxOut {
		for _, child := range c.pending().spends[outPoint{p.id, uint32(i)}] {
			if child.dead == alive {
				fn(child)
			}
		}
	}
}

// parentsFirst sorts pending transactions so that each stands behind those whose
// outputs it spends, and otherwise as they are.
func parentsFirst(all []*pendingMsg) []*pendingMsg {
	byID := make(map[hash]*pendingMsg, len(all))
	for _, p := range all {
		byID[p.id] = p
	}
	out := make([]*pendingMsg, 0, len(all))
	var place func(p *pendingMsg)
	place = func(p *pendingMsg) {
		delete(byID, p.id)
		for _, in := range p.msg.TxIn {
			if parent := byID[in.PreviousOutPoint.Hash]; parent != nil {
				place(parent)
			}
		}
		out = append(out, p)
	}
	for _, p := range all {
		if byID[p.id] == p {
			place(p)
		}
	}
	return out
}

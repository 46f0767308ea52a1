package wallet

import (
	"cmp"
	"math"
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

	proven []bool // by input: its script was run and holds
	behind hash   // see Unmined.Behind
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
		out = append(out, &pendingMsg{pendingTx: p, id: hash(k), msg: msg, own: b.own.Get(k) != nil})
		return nil
	})
	slices.SortFunc(out, bySeq)
	return out, err
}

// bySeq orders by arrival.
func bySeq(a, b *pendingMsg) int { return cmp.Compare(a.seq, b.seq) }

// pool is the pending transactions in memory. Nothing of it is handed out: callers
// get copies.
type pool struct {
	byID   map[hash]*pendingMsg
	own    map[hash]*pendingMsg
	spends map[outPoint][]*pendingMsg // in order of arrival

	heard, heardBytes int // how many are hearsay, and their length

	// due: before the tip has this height none of them changes by that alone.
	due uint64
}

func newPool() *pool {
	return &pool{
		byID: make(map[hash]*pendingMsg), own: make(map[hash]*pendingMsg),
		spends: make(map[outPoint][]*pendingMsg), due: math.MaxUint64,
	}
}

func (p *pool) add(m *pendingMsg) {
	p.byID[m.id] = m
	if m.own {
		p.own[m.id] = m
	}
	p.count(m, 1)
	for _, in := range m.msg.TxIn {
		if op := spent(in); op != nothing {
			p.spends[op] = append(p.spends[op], m)
		}
	}
}

// count keeps the sums of the hearsay.
func (p *pool) count(m *pendingMsg, sign int) {
	if m.hearsay() {
		p.heard += sign
		p.heardBytes += sign * len(m.raw)
	}
}

func (p *pool) remove(m *pendingMsg) {
	delete(p.byID, m.id)
	delete(p.own, m.id)
	p.count(m, -1)
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
func (c *change) pending() *pool { return c.w.pool }

// inOrder lists the pending transactions in order of arrival.
func (p *pool) inOrder() []*pendingMsg {
	out := make([]*pendingMsg, 0, len(p.byID))
	for _, m := range p.byID {
		out = append(out, m)
	}
	slices.SortFunc(out, bySeq)
	return out
}

// has reports whether a transaction read earlier is still pending.
func (p *pool) has(m *pendingMsg) bool { return p.byID[m.id] == m }

func (c *change) savePending(p *pendingMsg) {
	c.put(c.unmined, p.id[:], p.encode())
	if !c.pending().has(p) {
		c.pending().add(p)
		c.freshen(p)
		c.suspectSpenders(p.id, p.msg)
	}
	c.pending().due = min(c.pending().due, c.w.due(p))
	c.w.contest(p)
}

func (c *change) dropPending(p *pendingMsg) {
	c.del(c.unmined, p.id[:])
	c.pending().remove(p)
	if p.own {
		c.pending().due = 0 // what it needed may be stale
	}
	delete(c.w.shares.sent, p.id)
	if c.w.contested[p.id] != nil {
		delete(c.w.contested, p.id)
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

package wallet

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
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
	grown  bool                       // there are some that were not stored before
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
		c.pool = &pool{byID: make(map[hash]*pendingMsg), spends: make(map[outPoint][]*pendingMsg)}
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
		c.pool.grown = true
	}
	c.w.contest(p)
}

func (c *change) dropPending(p *pendingMsg) {
	c.del(c.unmined, p.id[:])
	c.pending().remove(p)
	if c.w.contested[p.id] != nil {
		delete(c.w.contested, p.id)
		c.w.query = nil
	}
}

// spenders are the pending transactions that may be mined and spend an output.
func (c *change) spenders(op outPoint) (out []*pendingMsg) {
	for _, p := range c.pending().spends[op] {
		if p.dead == alive {
			out = append(out, p)
		}
	}
	return out
}

// eachChild calls fn for the pending transactions that may be mined and spend
// outputs of p.
func (c *change) eachChild(p *pendingMsg, fn func(*pendingMsg)) {
	for i := range p.msg.TxOut {
		for _, child := range c.spenders(outPoint{p.id, uint32(i)}) {
			fn(child)
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

// netUnmined lists the pending transactions that may be mined, with their
// effect. Of those that spend the same output only one has any: an own one
// before others, and then the first.
func (b *buckets) netUnmined() ([]Unmined, error) {
	all, err := b.readPending()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p *pendingMsg) bool { return p.dead != alive })
	n := netting{
		paid: make(map[outPoint]dcrutil.Amount), spent: make(map[outPoint]bool),
		net: make(map[hash]dcrutil.Amount), lost: make(map[hash]bool),
	}
	for _, p := range parentsFirst(all) {
		b.addPaid(n.paid, p)
	}
	// What an own one needs comes before it, whosever it is.
	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b *pendingMsg) int {
		switch {
		case a.own && !b.own:
			return -1
		case b.own && !a.own:
			return 1
		}
		return 0
	})
	for _, p := range parentsFirst(ranked) {
		n.take(b, p)
	}
	var out []Unmined
	for _, p := range all {
		out = append(out, Unmined{TxID: p.id, Net: n.net[p.id], Own: p.own, Tx: p.msg})
	}
	return out, nil
}

// netting finds the effect of pending transactions one after the other.
type netting struct {
	paid  map[outPoint]dcrutil.Amount // to watched scripts
	spent map[outPoint]bool
	net   map[hash]dcrutil.Amount
	lost  map[hash]bool // spends what another one spends
}

func (n *netting) take(b *buckets, p *pendingMsg) {
	for _, in := range p.msg.TxIn {
		if n.spent[spent(in)] || n.lost[in.PreviousOutPoint.Hash] {
			n.lost[p.id] = true
			return
		}
	}
	for _, in := range p.msg.TxIn {
		op := spent(in)
		n.spent[op] = op != nothing
		amount, ok := n.paid[op]
		if coin, known := decodeCoin(b.coins.Get(outPointKey(&op.hash, op.index))); known && !ok {
			amount = coin.amount
		}
		n.net[p.id] -= amount
	}
	for i := range p.msg.TxOut {
		n.net[p.id] += n.paid[outPoint{p.id, uint32(i)}]
	}
}

// addPaid notes what a pending transaction pays to watched scripts.
func (b *buckets) addPaid(paid map[outPoint]dcrutil.Amount, p *pendingMsg) {
	tree := treeOf(p.msg)
	for i, out := range p.msg.TxOut {
		if out.Version != 0 {
			continue
		}
		kind, raw := untag(tree, out.Version, out.PkScript)
		op := outPoint{p.id, uint32(i)}
		watched := len(raw) > 0 && (scriptWatched(b.scripts.Get(raw)) || b.pointAwaited(op, raw))
		if watched && (kind != Ticket || b.paysFor(paid, p)) {
			paid[op] = dcrutil.Amount(out.Value)
		}
	}
}

// paysFor reports whether the wallet pays for a pending ticket, or is paid by
// it: see addTicket.
func (b *buckets) paysFor(paid map[outPoint]dcrutil.Amount, p *pendingMsg) bool {
	for _, in := range p.msg.TxIn {
		op := spent(in)
		if _, ok := paid[op]; ok || b.coins.Get(outPointKey(&op.hash, op.index)) != nil {
			return true
		}
	}
	first := p.msg.TxOut[0]
	_, own := untag(wire.TxTreeStake, first.Version, first.PkScript)
	for _, out := range p.msg.TxOut[1:] {
		raw := commitmentScript(out.Version, out.PkScript)
		if raw == nil {
			continue
		}
		if scriptWatched(b.scripts.Get(raw)) || bytes.Equal(own, raw) && b.pointAwaited(outPoint{p.id, 0}, raw) {
			return true
		}
	}
	return false
}

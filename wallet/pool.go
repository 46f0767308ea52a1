package wallet

import (
	"math"
	"slices"

	"github.com/decred/dcrd/wire"
)

// pool is the pending transactions in memory. Nothing of it is handed out: callers
// get copies.
type pool struct {
	byID   map[hash]*pendingTx
	own    map[hash]*pendingTx
	spends map[outPoint][]*pendingTx // in order of arrival

	heard, heardBytes int // how many are unverified, and their length

	keep uint64 // for how many blocks a transaction of somebody else is kept

	// due: before the tip has this height none of them changes by that alone.
	due uint64
}

func newPool(keep uint64) *pool {
	return &pool{
		byID: make(map[hash]*pendingTx), own: make(map[hash]*pendingTx),
		spends: make(map[outPoint][]*pendingTx), keep: keep, due: math.MaxUint64,
	}
}

func (p *pool) add(tx *pendingTx) {
	p.byID[tx.id] = tx
	if tx.own {
		p.own[tx.id] = tx
	}
	p.count(tx, 1)
	for _, in := range tx.msg.TxIn {
		if op := spent(in); op != nothing {
			p.spends[op] = append(p.spends[op], tx)
		}
	}
	p.watchDue(tx)
}

// count keeps the sums of what is unverified.
func (p *pool) count(tx *pendingTx, sign int) {
	if tx.unverified() {
		p.heard += sign
		p.heardBytes += sign * len(tx.raw)
	}
}

func (p *pool) remove(tx *pendingTx) {
	delete(p.byID, tx.id)
	delete(p.own, tx.id)
	p.count(tx, -1)
	for _, in := range tx.msg.TxIn {
		op := spent(in)
		left := slices.DeleteFunc(slices.Clone(p.spends[op]), func(x *pendingTx) bool { return x == tx })
		if len(left) == 0 {
			delete(p.spends, op)
		} else {
			p.spends[op] = left
		}
	}
}

// drop is remove, for good.
func (p *pool) drop(tx *pendingTx) {
	p.remove(tx)
	if tx.own {
		p.due = 0 // what it needed may be stale
	}
}

// replace gives a transaction other signatures, and with fromOwner makes it the owner's.
func (p *pool) replace(tx *pendingTx, msg *wire.MsgTx, raw []byte, from origin) {
	p.remove(tx)
	tx.resign(msg, raw, from)
	p.add(tx)
}

// watchDue notes when the height alone changes a transaction.
func (p *pool) watchDue(tx *pendingTx) { p.due = min(p.due, tx.due(p.keep)) }

// findDue finds the next height at which one changes. What is stale at a height and still
// there is needed: that is due when what needs it is gone.
func (p *pool) findDue(height uint32) {
	p.due = math.MaxUint64
	for _, tx := range p.byID {
		if !tx.isActive() || !p.isStale(tx, height) {
			p.watchDue(tx)
		}
	}
}

// isStale reports whether a transaction of somebody else has waited for too long.
func (p *pool) isStale(tx *pendingTx, height uint32) bool {
	return !tx.own && uint64(height) >= tx.staleAt(p.keep)
}

// isFull reports whether there is no room for so many bytes more that are unverified.
func (p *pool) isFull(size int) bool { return p.heard >= maxSeen || p.heardBytes+size > maxSeenBytes }

// inOrder lists the pending transactions in order of arrival.
func (p *pool) inOrder() []*pendingTx {
	out := make([]*pendingTx, 0, len(p.byID))
	for _, tx := range p.byID {
		out = append(out, tx)
	}
	slices.SortFunc(out, bySeq)
	return out
}

// has reports whether a transaction read earlier is still pending.
func (p *pool) has(tx *pendingTx) bool { return p.byID[tx.id] == tx }

// children are the pending transactions that spend outputs of one.
func (p *pool) children(id hash, msg *wire.MsgTx) (out []*pendingTx) {
	for i := range msg.TxOut {
		out = append(out, p.spends[outPoint{id, uint32(i)}]...)
	}
	return out
}

// needed are the pending transactions that own ones spend outputs of, directly
// or through others.
func (p *pool) needed() map[hash]bool {
	set := make(map[hash]bool)
	var mark func(*pendingTx)
	mark = func(tx *pendingTx) {
		for _, in := range tx.msg.TxIn {
			if parent := p.byID[in.PreviousOutPoint.Hash]; parent != nil && !set[parent.id] {
				set[parent.id] = true
				mark(parent)
			}
		}
	}
	for _, tx := range p.own {
		mark(tx)
	}
	return set
}

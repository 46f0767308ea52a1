package wallet

import "github.com/decred/dcrd/wire"

// keepEnded is for how many blocks a pending transaction that can't be mined any
// more is kept, in case a reorg brings it back.
const keepEnded = 4096

// classify tells whether a transaction that is not in the chain can get into it, and if
// not since which height, because of a transaction of which tree, and of which one if
// that is known.
func (c *change) classify(msg *wire.MsgTx) (state pendingState, height uint32, tree int8, by hash) {
	if tip, ok := c.w.tip(); ok && msg.Expiry != wire.NoExpiryValue && tip.Height+1 >= msg.Expiry {
		return expired, msg.Expiry - 1, 0, hash{}
	}
	for _, in := range msg.TxIn { // what does not end with the price comes first
		prev := &in.PreviousOutPoint
		if coin, ok := c.coin(outPointKey(&prev.Hash, prev.Index)); ok && coin.spent {
			r, _, _ := c.tx(coin.spentBy) // none yet of one that is just being applied
			return conflicted, coin.spentHeight, r.tree, coin.spentBy
		}
		if p := c.w.pool.byID[prev.Hash]; p != nil && !p.isActive() {
			state, height, tree, by = p.stateOfChildren(), p.endHeight, p.endTree, prev.Hash
			if state == conflicted {
				return state, height, tree, by
			}
		}
	}
	if state != active {
		return state, height, tree, by
	}
	if c.w.price.tooCheap(msg) {
		return superseded, c.tipHeight(), wire.TxTreeStake, hash{}
	}
	return active, 0, 0, hash{}
}

// addPending makes a transaction pending, unless it is in the chain or pending
// already, or so old that it would not be kept. See pendingTx for arrived and since.
func (c *change) addPending(msg *wire.MsgTx, id hash, from origin, arrived, since uint32) {
	p := c.newPending(msg, id, from, arrived, since)
	switch waits := c.w.pool.byID[id]; {
	case c.txs.Get(id[:]) != nil || c.w.pool.isStale(p, c.tipHeight()):
	case waits == nil:
		c.admit(p)
	case waits.unverified() && from == fromBlock: // what a block has is proven
		c.resign(waits, msg, fromBlock)
	}
}

// admit makes a transaction pending.
func (c *change) admit(p *pendingTx) {
	p.arrive(c.unmined.NextSequence())
	state, height, tree, by := c.classify(p.msg)
	p.end(state, height, tree)
	c.savePending(p)
	c.unlogged.add(p.id)
	if !p.isActive() {
		c.logEnd(p, by)
		// Those that spend it may have come before it.
		c.endChildren(p)
	}
}

// logEnd logs that a pending transaction can't be mined.
func (c *change) logEnd(p *pendingTx, by hash) {
	kind := map[pendingState]EventKind{conflicted: EventConflicted, expired: EventExpired, superseded: EventSuperseded}[p.state]
	if by != (hash{}) {
		kind = EventConflicted
	}
	c.event(Event{Kind: kind, Tx: p.id, By: by, Own: p.own})
}

// end notes that a pending transaction, and those that spend it, can't be mined. What is
// known from a peer alone is not kept then: should that change, the peer will say so;
// but what an own one spends is kept while only the price is too low. That the price is
// too low is the least of reasons: it may come down.
func (c *change) end(p *pendingTx, why pendingState, height uint32, tree int8, by hash) {
	if !p.isActive() && (p.state != superseded || why == superseded) {
		return
	}
	p.end(why, height, tree)
	if p.unverified() && !(why == superseded && c.w.pool.needed()[p.id]) {
		c.dropPending(p)
	} else {
		c.savePending(p)
	}
	c.logEnd(p, by)
	c.endChildren(p)
}

// endChildren is end for what spends a transaction that can't be mined.
func (c *change) endChildren(p *pendingTx) {
	for _, child := range c.w.pool.children(p.id, p.msg) {
		if c.w.pool.has(child) {
			c.end(child, p.stateOfChildren(), p.endHeight, p.endTree, p.id)
		}
	}
}

// confirm settles the pending transactions that a mined one decides: those that
// spend the same outputs, and itself. It reports whether it was pending.
func (c *change) confirm(t *blockTx) bool {
	if len(c.w.pool.byID) == 0 {
		return false // no need to hash every transaction of a block
	}
	for _, in := range t.msg.TxIn {
		for _, p := range c.w.pool.spends[spent(in)] {
			if p.id != t.id() {
				c.end(p, conflicted, t.height, t.tree, t.id())
			}
		}
	}
	p := c.w.pool.byID[t.id()]
	if p == nil {
		return false
	}
	c.w.shares.giveBack(p.id)
	c.dropPending(p)
	if !p.isActive() { // it seemed so, and what spends it with it
		c.reactivate(func(child *pendingTx) bool { return child.state == p.stateOfChildren() })
	}
	c.evictChildren(p) // mined below a birthday it may pay nothing
	return true
}

// drop removes a pending transaction for good, and those that spend it, ended ones
// too: nothing brings them back without it.
func (c *change) drop(p *pendingTx) {
	if !c.w.pool.has(p) {
		return
	}
	c.dropPending(p)
	if p.isActive() {
		c.remove(p.id)
	} else if p.own { // its end is in the log
		c.del(c.own, p.id[:])
	}
	c.dropSpenders(p.msg, p.id)
}

// remove logs that a transaction is no part of the wallet any more, unless it
// came and went in one change.
func (c *change) remove(id hash) {
	if c.own.Get(id[:]) != nil && !c.lost.by[byChain] { // it may come back with the reach
		c.del(c.own, id[:])
	}
	if !c.unlogged[id] {
		c.event(Event{Kind: EventRemoved, Tx: id})
	}
}

func (c *change) dropSpenders(msg *wire.MsgTx, id hash) {
	for _, p := range c.w.pool.children(id, msg) {
		c.drop(p)
	}
}

// reactivate looks again at ended transactions whose reason may be gone.
func (c *change) reactivate(maybe func(*pendingTx) bool) {
	for again := true; again && c.err == nil; {
		again = false
		for _, p := range c.w.pool.inOrder() {
			if p.isActive() || !maybe(p) {
				continue
			}
			if state, _, _, _ := c.classify(p.msg); state == active {
				p.end(active, 0, 0)
				c.savePending(p)
				again = true // for those that spend it
			}
		}
	}
}

// evict removes a transaction of somebody else, and those of others that concern
// the wallet only through it.
func (c *change) evict(p *pendingTx) {
	c.dropPending(p)
	c.remove(p.id)
	c.evictChildren(p)
}

// evictChildren removes the transactions of others that concerned the wallet only
// through one that is no longer pending: what becomes of them would not be seen.
func (c *change) evictChildren(p *pendingTx) {
	for _, child := range c.w.pool.children(p.id, p.msg) {
		if child.isActive() && c.w.pool.has(child) && !child.own && !c.concerns(child.msg) {
			c.evict(child)
		}
	}
}

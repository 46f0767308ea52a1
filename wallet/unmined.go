package wallet

import (
	"context"
	"math"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// keepDead is for how many blocks a pending transaction that can't be mined any
// more is kept, in case a reorg revives it.
const keepDead = 4096

// concerns reports whether a transaction that is not in the chain pays watched
// scripts, or spends coins or pending outputs of the wallet, or makes or spends a
// watched outpoint.
func (c *change) concerns(tx *wire.MsgTx) bool {
	found := c.spendsOurs(tx, anyBirthday) || c.owedByTicket(tx, anyBirthday)
	c.eachOutput(tx, treeOf(tx), func(uint32, CoinKind, *script) { found = true })
	return found
}

// anyBirthday is above that of any entry: of what waits none is too late.
const anyBirthday = math.MaxUint32

// spendsOurs reports whether a transaction spends coins or pending outputs of
// the wallet, or a watched outpoint that it has not found yet, of entries with at most
// that birthday.
func (c *change) spendsOurs(tx *wire.MsgTx, born uint32) bool {
	for _, in := range tx.TxIn {
		prev := &in.PreviousOutPoint
		p := c.w.points[spent(in)]
		if c.coins.Get(outPointKey(&prev.Hash, prev.Index)) != nil || c.pendingPays(prev, born) || p != nil && p.Birthday() <= born {
			return true
		}
	}
	return false
}

// pendingPays reports whether an output of a pending transaction is the wallet's, by an
// entry with at most that birthday.
func (c *change) pendingPays(op *wire.OutPoint, born uint32) bool {
	p := c.pending().byID[op.Hash]
	if p == nil || uint64(op.Index) >= uint64(len(p.msg.TxOut)) {
		return false
	}
	if op.Index == 0 && c.owedByTicket(p.msg, born) {
		return true
	}
	out := p.msg.TxOut[op.Index]
	kind, raw := untag(treeOf(p.msg), out.Version, out.PkScript)
	if out.Version != 0 || out.Value == 0 || kind == Ticket {
		return false
	}
	return slices.ContainsFunc(c.w.entries(outPoint{op.Hash, op.Index}, string(raw)), func(s *script) bool {
		return s.awaits() && s.Birthday() <= born
	})
}

// treeOf is the tree that a transaction goes into.
func treeOf(tx *wire.MsgTx) int8 {
	if stake.DetermineTxType(tx) == stake.TxTypeRegular {
		return wire.TxTreeRegular
	}
	return wire.TxTreeStake
}

// fate tells whether a transaction that is not in the chain can get into it.
func (c *change) fate(msg *wire.MsgTx) (d death, height uint32, tree int8, by hash) {
	if tip, ok := c.w.tip(); ok && msg.Expiry != wire.NoExpiryValue && tip.Height+1 >= msg.Expiry {
		return expired, msg.Expiry - 1, 0, hash{}
	}
	for _, in := range msg.TxIn { // what does not end with the price comes first
		prev := &in.PreviousOutPoint
		if coin, ok := c.coin(outPointKey(&prev.Hash, prev.Index)); ok && coin.spent {
			r, _, _ := c.tx(coin.spentBy) // none yet of one that is just being applied
			return conflicted, coin.spentHeight, r.tree, coin.spentBy
		}
		if p := c.pending().byID[prev.Hash]; p != nil && p.dead != alive {
			d, height, tree, by = p.childDeath(), p.deadHeight, p.deadTree, prev.Hash
			if d == conflicted {
				return d, height, tree, by
			}
		}
	}
	if d != alive {
		return d, height, tree, by
	}
	if c.w.tooCheap(msg) {
		return superseded, c.tipHeight(), wire.TxTreeStake, hash{}
	}
	return alive, 0, 0, hash{}
}

// childDeath is why what spends a dead transaction can't be mined either: as long as
// that is so.
func (p *pendingMsg) childDeath() death {
	if p.dead == superseded {
		return superseded
	}
	return conflicted
}

// pend makes a transaction pending, unless it is in the chain or pending
// already, or so old that it would not be kept. arrived and since are those of
// pendingTx.
func (c *change) pend(msg *wire.MsgTx, id hash, from origin, arrived, since uint32) {
	p := c.newPending(msg, id, from, arrived, since)
	switch waits := c.pending().byID[id]; {
	case c.txs.Get(id[:]) != nil || c.stale(p):
	case waits == nil:
		c.admit(p)
	case waits.hearsay() && from == fromBlock: // what a block has is proven
		c.resign(waits, msg, fromBlock)
	}
}

func (c *change) newPending(msg *wire.MsgTx, id hash, from origin, arrived, since uint32) *pendingMsg {
	return &pendingMsg{
		pendingTx: pendingTx{origin: from, arrived: arrived, since: since},
		id:        id, msg: msg, own: c.own.Get(id[:]) != nil,
	}
}

// admit makes a transaction pending.
func (c *change) admit(p *pendingMsg) {
	msg, id := p.msg, p.id
	raw, err := msg.Bytes()
	if err != nil {
		c.fail(err)
		return
	}
	p.seq, p.raw = c.unmined.NextSequence(), raw
	var by hash
	p.dead, p.deadHeight, p.deadTree, by = c.fate(msg)
	c.savePending(p)
	c.untold[id] = true
	if p.dead != alive {
		c.tellDead(p, by)
		// Those that spend it may have come before it.
		c.killChildren(p)
	}
}

// tellDead logs that a pending transaction can't be mined.
func (c *change) tellDead(p *pendingMsg, by hash) {
	kind := map[death]EventKind{conflicted: EventConflicted, expired: EventExpired, superseded: EventSuperseded}[p.dead]
	if by != (hash{}) {
		kind = EventConflicted
	}
	c.event(Event{Kind: kind, Tx: p.id, By: by, Own: p.own})
}

// kill makes a pending transaction, and those that spend it, dead. What is known
// from a peer alone is not kept then: should it come back to life, so will the
// peer's word; but what an own one spends is kept while only the price is too low. That
// the price is too low is the least of reasons: it may come down.
func (c *change) kill(p *pendingMsg, why death, height uint32, tree int8, by hash) {
	if p.dead != alive && (p.dead != superseded || why == superseded) {
		return
	}
	p.dead, p.deadHeight, p.deadTree = why, height, tree
	if p.hearsay() && !(why == superseded && c.pending().needed()[p.id]) {
		c.dropPending(p)
	} else {
		c.savePending(p)
	}
	c.tellDead(p, by)
	c.killChildren(p)
}

// killChildren makes dead what spends a dead transaction.
func (c *change) killChildren(p *pendingMsg) {
	for i := range p.msg.TxOut {
		for _, child := range c.pending().spends[outPoint{p.id, uint32(i)}] {
			c.kill(child, p.childDeath(), p.deadHeight, p.deadTree, p.id)
		}
	}
}

// confirm settles the pending transactions that a mined one decides: those that
// spend the same outputs, and itself. It reports whether it was pending.
func (c *change) confirm(t *blockTx) bool {
	if len(c.pending().byID) == 0 {
		return false // no need to hash every transaction of a block
	}
	for _, in := range t.msg.TxIn {
		for _, p := range c.pending().spends[spent(in)] {
			if p.id != t.id() {
				c.kill(p, conflicted, t.height, t.tree, t.id())
			}
		}
	}
	p := c.pending().byID[t.id()]
	if p == nil {
		return false
	}
	c.w.shares.giveBack(p.id)
	c.dropPending(p)
	if p.dead != alive { // seemed so, and those that spend it with it
		c.revive(func(child *pendingMsg) bool { return child.dead == p.childDeath() })
	}
	c.evictChildren(p) // mined below a birthday it may pay nothing
	return true
}

// drop removes a pending transaction for good, and those that spend it, dead ones
// too: nothing revives them without it.
func (c *change) drop(p *pendingMsg) {
	if !c.pending().has(p) {
		return
	}
	c.dropPending(p)
	if p.dead == alive {
		c.remove(p.id)
	} else if p.own { // that it is dead was told
		c.del(c.own, p.id[:])
	}
	c.dropSpenders(p.msg, p.id)
}

// remove tells that a transaction is no part of the wallet any more, unless it
// came and went in one change.
func (c *change) remove(id hash) {
	if c.own.Get(id[:]) != nil && !c.withdrawn { // it may come back with the reach
		c.del(c.own, id[:])
	}
	if !c.untold[id] {
		c.event(Event{Kind: EventRemoved, Tx: id})
	}
}

func (c *change) dropSpenders(msg *wire.MsgTx, id hash) {
	for i := range msg.TxOut {
		for _, p := range slices.Clone(c.pending().spends[outPoint{id, uint32(i)}]) {
			c.drop(p)
		}
	}
}

// revive looks again at dead transactions whose reason may be gone.
func (c *change) revive(maybe func(*pendingMsg) bool) {
	for again := true; again && c.err == nil; {
		again = false
		for _, p := range c.pending().inOrder() {
			if p.dead == alive || !maybe(p) {
				continue
			}
			if d, _, _, _ := c.fate(p.msg); d == alive {
				p.dead, p.deadHeight, p.deadTree = alive, 0, 0
				c.savePending(p)
				again = true // for those that spend it
			}
		}
	}
}

// Unmined is a transaction that is not in the chain but may get into it.
type Unmined struct {
	TxID chainhash.Hash
	Tx   *wire.MsgTx

	// Net is the effect on the wallet: credits less debits, or 0 if another one
	// comes first that spends the same output.
	Net     dcrutil.Amount
	Credits []Credit // what it pays to the wallet
	Debits  []Debit  // what it takes from it, be that mined or not

	// Own: it was given to AddUnmined. Of the others, which peers have sent or
	// which were in a block that left the chain, what they spend of others is not
	// verified: anybody can make up one that pays the wallet. One with Debits is
	// signed with the wallet's keys.
	Own bool

	// Behind is the one that comes first, if this one spends an output that another
	// one does too, or what one makes that does; zero if none. An own one is not
	// announced while that is so. If the first is dropped, it is the next one's turn.
	Behind chainhash.Hash
}

// Unmined lists the transactions that are not in the chain but may get into
// it, in order of arrival.
func (w *Wallet) Unmined(ctx context.Context) (out []Unmined, err error) {
	err = w.view(ctx, func(b *buckets) error {
		all, err := b.readPending()
		for _, u := range b.effects(all) {
			out = append(out, *u)
		}
		return err
	})
	return out, err
}

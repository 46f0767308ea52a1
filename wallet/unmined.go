package wallet

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// keepDead is for how many blocks a pending transaction that can't be mined any
// more is kept, in case a reorg revives it.
const keepDead = 4096

// pendingMsg is a pending transaction, decoded.
type pendingMsg struct {
	pendingTx
	id  hash
	msg *wire.MsgTx
}

// readPending reads the pending transactions in order of arrival, dead ones too.
func (b *buckets) readPending() ([]*pendingMsg, error) {
	var out []*pendingMsg
	err := b.unmined.ForEach(func(k, v []byte) error {
		p, ok := decodePending(v)
		msg, parsed := parseTx(p.raw)
		if !ok || !parsed || len(k) != chainhash.HashSize {
			return corrupt("unmined transaction %.40x", k)
		}
		out = append(out, &pendingMsg{p, hash(k), msg})
		return nil
	})
	slices.SortFunc(out, func(a, b *pendingMsg) int { return cmp.Compare(a.seq, b.seq) })
	return out, err
}

func (c *change) pending() []*pendingMsg {
	out, err := c.readPending()
	if err != nil {
		c.fail(err)
	}
	return out
}

func (c *change) savePending(p *pendingMsg) {
	c.put(c.unmined, p.id[:], p.encode())
	c.inputs = nil
}

func (c *change) dropPending(id hash) {
	c.del(c.unmined, id[:])
	c.inputs = nil
}

// spenders are the pending transactions that may be mined and spend an output.
func (c *change) spenders(op outPoint) []*pendingMsg {
	if c.inputs == nil {
		c.inputs = make(map[outPoint][]*pendingMsg)
		for _, p := range c.pending() {
			if p.dead != alive {
				continue
			}
			for _, in := range p.msg.TxIn {
				op := outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
				c.inputs[op] = append(c.inputs[op], p)
			}
		}
	}
	return c.inputs[op]
}

// concerns reports whether a transaction that is not in the chain pays watched
// scripts, or spends coins or pending outputs of the wallet.
func (c *change) concerns(tx *wire.MsgTx, id hash) bool {
	found := false
	c.eachOutput(tx, treeOf(tx), func(uint32, CoinKind, *script) { found = true })
	for _, in := range tx.TxIn {
		prev := &in.PreviousOutPoint
		found = found || prev.Hash != id && (c.coins.Get(outPointKey(&prev.Hash, prev.Index)) != nil || c.pendingPays(prev))
	}
	return found
}

// pendingPays reports whether an output of a pending transaction is the
// wallet's.
func (c *change) pendingPays(op *wire.OutPoint) bool {
	v := c.unmined.Get(op.Hash[:])
	if v == nil {
		return false
	}
	p, _ := decodePending(v)
	msg, ok := parseTx(p.raw)
	found := false
	if ok {
		c.eachOutput(msg, treeOf(msg), func(i uint32, _ CoinKind, _ *script) { found = found || i == op.Index })
	}
	return found
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
	for _, in := range msg.TxIn {
		prev := &in.PreviousOutPoint
		if coin, ok := c.coin(outPointKey(&prev.Hash, prev.Index)); ok && coin.spent {
			r, _, _ := c.tx(coin.spentBy)
			return conflicted, coin.spentHeight, r.tree, coin.spentBy
		}
		if v := c.unmined.Get(prev.Hash[:]); v != nil {
			if p, ok := decodePending(v); ok && p.dead != alive {
				return conflicted, p.deadHeight, p.deadTree, prev.Hash
			}
		}
	}
	return alive, 0, 0, hash{}
}

// pend makes a transaction pending, unless it is in the chain or pending
// already.
func (c *change) pend(msg *wire.MsgTx, id hash) {
	if c.txs.Get(id[:]) != nil || c.unmined.Get(id[:]) != nil {
		return
	}
	raw, err := msg.Bytes()
	if err != nil {
		c.fail(err)
		return
	}
	seq, err := c.unmined.NextSequence()
	if err != nil {
		c.fail(err)
	}
	p := &pendingMsg{pendingTx{seq: seq, raw: raw}, id, msg}
	var by hash
	p.dead, p.deadHeight, p.deadTree, by = c.fate(msg)
	c.savePending(p)
	c.tell(p, by)
}

// tell logs the state of a pending transaction.
func (c *change) tell(p *pendingMsg, by hash) {
	kind := EventUnmined
	switch p.dead {
	case conflicted:
		kind = EventConflicted
	case expired:
		kind = EventExpired
	}
	c.event(Event{Kind: kind, Tx: p.id, By: by})
}

// kill makes a pending transaction, and those that spend it, dead.
func (c *change) kill(p *pendingMsg, why death, height uint32, tree int8, by hash) {
	if p.dead != alive {
		return
	}
	p.dead, p.deadHeight, p.deadTree = why, height, tree
	c.savePending(p)
	c.tell(p, by)
	for i := range p.msg.TxOut {
		for _, child := range c.spenders(outPoint{p.id, uint32(i)}) {
			c.kill(child, conflicted, height, tree, p.id)
		}
	}
}

// confirm settles the pending transactions that a mined one decides: those that
// spend the same outputs, and itself. It reports whether it was pending.
func (c *change) confirm(t *blockTx, height uint32) bool {
	for _, in := range t.msg.TxIn {
		op := outPoint{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
		for _, p := range c.spenders(op) {
			if p.id != t.id() {
				c.kill(p, conflicted, height, t.tree, t.id())
			}
		}
	}
	if !c.anyPending() {
		return false
	}
	id := t.id()
	if c.unmined.Get(id[:]) == nil {
		return false
	}
	c.dropPending(id)
	return true
}

// anyPending saves hashing every transaction of a block when nothing is pending.
func (c *change) anyPending() bool {
	k, _ := c.unmined.Cursor().First()
	return k != nil
}

// drop removes a pending transaction for good, and those that spend it.
func (c *change) drop(p *pendingMsg) {
	if c.unmined.Get(p.id[:]) == nil {
		return
	}
	c.dropPending(p.id)
	c.event(Event{Kind: EventRemoved, Tx: p.id})
	c.dropSpenders(p.msg, p.id)
}

func (c *change) dropSpenders(msg *wire.MsgTx, id hash) {
	for i := range msg.TxOut {
		for _, p := range c.spenders(outPoint{id, uint32(i)}) {
			c.drop(p)
		}
	}
}

// revive looks again at dead transactions whose reason may be gone.
func (c *change) revive(maybe func(*pendingMsg) bool) {
	for again := true; again && c.err == nil; {
		again = false
		for _, p := range c.pending() {
			if p.dead == alive || !maybe(p) {
				continue
			}
			if d, _, _, _ := c.fate(p.msg); d == alive {
				p.dead, p.deadHeight, p.deadTree = alive, 0, 0
				c.savePending(p)
				c.tell(p, hash{})
				again = true // for those that spend it
			}
		}
	}
}

// expire ends pending transactions whose expiry height the chain has reached:
// from that height on they are not allowed in a block (dcrd blockchain:
// IsExpired). Those long dead are removed.
func (c *change) expire() {
	tip, _ := c.w.tip()
	for _, p := range c.pending() {
		switch {
		case p.dead != alive:
			if uint64(p.deadHeight)+keepDead < uint64(tip.Height) {
				c.dropPending(p.id)
			}
		case p.msg.Expiry != wire.NoExpiryValue && tip.Height+1 >= p.msg.Expiry:
			c.kill(p, expired, p.msg.Expiry-1, 0, hash{})
		}
	}
}

// AddUnmined tells the wallet of a transaction that is not in the chain, as a
// rule one that is being published. It counts in Balance.Unconfirmed and comes
// back from Unmined until it is mined or can't be any more; it never locks a
// coin. Adding it again is harmless. A transaction that neither pays watched
// scripts nor spends coins of the wallet is not taken: its fate would not be
// seen.
//
// Errors: ErrConflict, ErrExpired.
func (w *Wallet) AddUnmined(ctx context.Context, tx *wire.MsgTx) (taken bool, err error) {
	tx = tx.Copy()
	id := tx.TxHash()
	err = w.update(ctx, func(c *change) {
		if c.txs.Get(id[:]) != nil {
			taken = true
			return
		}
		if !c.concerns(tx, id) {
			return
		}
		switch d, height, _, by := c.fate(tx); d {
		case expired:
			c.fail(fmt.Errorf("%w: transaction %v, from height %d on", ErrExpired, id, tx.Expiry))
			return
		case conflicted:
			c.fail(fmt.Errorf("%w: what transaction %v spends was spent at height %d by %v", ErrConflict, id, height, by))
			return
		}
		c.eachOutput(tx, treeOf(tx), func(_ uint32, _ CoinKind, s *script) { c.use(s) })
		c.pend(tx, id)
		taken = true
	})
	return taken && err == nil, err
}

// DropUnmined forgets a transaction that is not in the chain, and those that
// spend it. Should it be mined after all, it is found as any other.
func (w *Wallet) DropUnmined(ctx context.Context, txid chainhash.Hash) error {
	return w.update(ctx, func(c *change) {
		for _, p := range c.pending() {
			if p.id == txid {
				c.drop(p)
			}
		}
	})
}

// Unmined is a transaction that is not in the chain but may get into it.
type Unmined struct {
	TxID chainhash.Hash
	Net  dcrutil.Amount // effect on the wallet; 0 if an earlier one spends the same output
	Tx   *wire.MsgTx
}

// Unmined lists the transactions that are not in the chain but may get into
// it, in order of arrival. They are worth publishing again.
func (w *Wallet) Unmined(ctx context.Context) (out []Unmined, err error) {
	err = w.view(ctx, func(b *buckets) error {
		out, err = b.netUnmined()
		return err
	})
	return out, err
}

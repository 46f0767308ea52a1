package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

const (
	// maxSeen and maxSeenBytes bound what is kept of transactions that peers
	// have sent: whoever knows an address of the wallet can make them up.
	maxSeen      = 1000
	maxSeenBytes = 4 << 20

	// maxSeenTx is what nodes relay at most (dcrd mempool: maxStandardTxSize).
	maxSeenTx = 100_000

	// keepStale is for how long a transaction of somebody else is kept.
	keepStale = 24 * time.Hour
)

// Pending lists the transactions given to AddUnmined that are to be announced:
// neither mined nor in conflict with a mined one nor expired nor superseded. Parents come
// before children.
func (w *Wallet) Pending() (out []*wire.MsgTx, err error) {
	err = w.view(context.Background(), func(b *buckets) error {
		all, err := b.readPending()
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(p *pendingMsg) bool { return !p.own || p.dead != alive })
		for _, p := range parentsFirst(all) {
			out = append(out, p.msg)
		}
		return nil
	})
	return out, err
}

// Seen tells the wallet of transactions that a peer has sent, from an address, and
// that no block holds. Nothing about them is verified. Those that pay watched scripts or spend
// coins of the wallet, or outputs that a pending one pays it, or that make or
// spend watched outpoints, are kept: they
// count in Balance.Unconfirmed and are listed by Unmined, but never lock or
// spend a coin. One that AddUnmined knows stays the owner's.
//
// They go when they are mined, when they conflict with a mined one, when they
// expire, and when they are not mined within a day's worth of blocks. Of more
// than 1000, or 4 MiB, the oldest go first. A peer may fill as much of that as it
// leaves to all others; what of its transactions was not mined counts until it is
// forgiven, 4 a block for all peers together. more tells whether anything else of
// it would be taken before the next block.
func (w *Wallet) Seen(from string, txs []*wire.MsgTx) (more bool, err error) {
	left := slices.Clone(txs)
	err = w.update(context.Background(), func(c *change) {
		c.hears = &from
		c.w.shares.settle(c.tipHeight())
		for again := true; again && c.err == nil; { // a child may come before its parent
			again = false
			for i, tx := range left {
				if tx != nil && c.see(tx, from) {
					left[i], again = nil, true
				}
			}
		}
		more = c.w.shares.more(from, 0)
	})
	return more, err
}

// see takes a transaction that a peer has sent, if it concerns the wallet and
// may be what it seems to be.
func (c *change) see(tx *wire.MsgTx, from string) bool {
	size := tx.SerializeSize()
	if !c.w.shares.more(from, size) || !c.concerns(tx) || !plausible(tx) {
		return false
	}
	id := tx.TxHash()
	if c.txs.Get(id[:]) != nil || c.pending().byID[id] != nil {
		return false
	}
	if d, _, _, _ := c.fate(tx); d != alive {
		return false
	}
	if !c.makeRoom(size) {
		return false
	}
	c.w.shares.take(from, id, size)
	height := c.tipHeight()
	c.pend(tx.Copy(), id, fromPeer, height, height)
	return true
}

// plausible reports whether a transaction that a peer has sent can be one that
// waits to be mined. Votes can't: they are for the very next block or none.
func plausible(tx *wire.MsgTx) bool {
	if len(tx.TxIn) == 0 || tx.SerializeSize() > maxSeenTx || !mayReturn(tx, treeOf(tx), 1) {
		return false
	}
	for _, in := range tx.TxIn {
		if spent(in) == nothing {
			return false // makes money
		}
	}
	sum := int64(0)
	for _, out := range tx.TxOut {
		if out.Value < 0 || out.Value > dcrutil.MaxAmount {
			return false
		}
		if sum += out.Value; sum > dcrutil.MaxAmount {
			return false
		}
	}
	return true
}

// makeRoom makes room for one more transaction from a peer. It fails if all that
// wait are needed.
func (c *change) makeRoom(size int) bool {
	count, bytes := 1, size
	var oldest []*pendingMsg
	for _, p := range c.pending().inOrder() {
		if p.hearsay() {
			count++
			bytes += len(p.raw)
			oldest = append(oldest, p)
		}
	}
	full := func() bool { return count > maxSeen || bytes > maxSeenBytes }
	if !full() {
		return true
	}
	needed := c.pending().needed()
	for _, p := range oldest {
		if full() && c.pending().has(p) && !needed[p.id] {
			count--
			bytes -= len(p.raw)
			c.evict(p)
		}
	}
	return !full()
}

// stale reports whether a transaction of somebody else has waited for too long.
func (c *change) stale(p *pendingMsg) bool {
	perBlock := max(c.w.params.TargetTimePerBlock, 1)
	return !p.own && uint64(c.tipHeight()) > uint64(p.arrived)+uint64(keepStale/perBlock)
}

// needed are the pending transactions that own ones spend outputs of, directly
// or through others.
func (p *pool) needed() map[hash]bool {
	set := make(map[hash]bool)
	var mark func(*pendingMsg)
	mark = func(m *pendingMsg) {
		for _, in := range m.msg.TxIn {
			if parent := p.byID[in.PreviousOutPoint.Hash]; parent != nil && !set[parent.id] {
				set[parent.id] = true
				mark(parent)
			}
		}
	}
	for _, m := range p.byID {
		if m.own {
			mark(m)
		}
	}
	return set
}

// evict removes a transaction of somebody else, and those of others that concern
// the wallet only through it.
func (c *change) evict(p *pendingMsg) {
	c.dropPending(p)
	c.remove(p.id)
	c.evictChildren(p)
}

// evictChildren removes the transactions of others that concerned the wallet only
// through one that is no longer pending: what becomes of them would not be seen.
func (c *change) evictChildren(p *pendingMsg) {
	var children []*pendingMsg
	c.eachChild(p, func(child *pendingMsg) { children = append(children, child) })
	for _, child := range children {
		if c.pending().has(child) && !child.own && !c.concerns(child.msg) {
			c.evict(child)
		}
	}
}

// ownMark is something to be seen: in a transaction under way, bbolt does not
// tell a key without a value from none.
var ownMark = []byte{1}

// markOwn notes that a transaction is the owner's, now and after a reorg.
func (c *change) markOwn(id hash) {
	if c.own.Get(id[:]) == nil {
		c.put(c.own, id[:], ownMark)
	}
}

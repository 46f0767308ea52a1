package wallet

import (
	"context"
	"errors"
	"slices"

	"github.com/decred/dcrd/wire"
)

const (
	// maxSeen and maxSeenBytes bound what is kept of transactions that peers
	// have sent: whoever knows an address of the wallet can make them up.
	maxSeen      = 1000
	maxSeenBytes = 4 << 20

	// maxSeenTx is what nodes relay at most (dcrd mempool: maxStandardTxSize).
	maxSeenTx = 100_000

	// maxParts bounds how many outputs of the wallet one makes and spends: each is
	// told in an event, and each that is spent takes time to check.
	maxParts = 100
)

// AddRelayed tells the wallet of transactions that a peer has sent, from an address, and
// that no block holds. Those that pay watched scripts or spend
// coins of the wallet, or outputs that a pending one pays it, or that make or
// spend watched outpoints, are kept: they
// count in Balance.Unconfirmed and are listed by Unmined, but never lock or
// spend a coin. One that AddUnmined knows stays the owner's.
//
// They are checked as far as the wallet knows what they spend: the form, the sums, and
// of its own coins the signatures. What can't be mined is not taken, and of who has
// sent what never can be nothing more before the next block. Nor is one with more than
// 100 inputs and outputs that are the wallet's.
//
// They go when they are mined, when they conflict with a mined one, when they
// expire, when what they spend is found and they turn out not to be valid, and when
// they are not mined within a day's worth of blocks. Of more
// than 1000, or 4 MiB, the oldest go first. A peer may fill as much of that as it
// leaves to all others; what of its transactions was not mined counts until it is
// forgiven, 4 a block for all peers together. more tells whether anything else of
// it would be taken before the next block.
func (w *Wallet) AddRelayed(ctx context.Context, from string, txs []*wire.MsgTx) (more bool, err error) {
	left := slices.Clone(txs)
	err = w.updateFrom(ctx, &from, func(c *change) {
		c.w.shares.settle(c.tipHeight())
		for again := true; again && c.err == nil; { // a child may come before its parent
			again = false
			for i, tx := range left {
				if tx != nil && c.see(tx, from) {
					left[i], again = nil, true
				}
			}
			c.await() // so may what has an address behind the gap awaited
		}
		more = c.w.shares.more(from, 1)
	})
	return more, err
}

// see takes a transaction that a peer has sent, if it concerns the wallet and
// may be what it seems to be.
func (c *change) see(tx *wire.MsgTx, from string) bool {
	size := tx.SerializeSize()
	if !c.w.shares.more(from, places(size, 0)) || !c.concerns(tx) || !plausible(tx, size) {
		return false
	}
	id := tx.TxHash()
	if c.txs.Get(id[:]) != nil || c.w.pool.byID[id] != nil {
		return false
	}
	if state, _, _, _ := c.classify(tx); state != active {
		return false
	}
	height := c.tipHeight()
	p := c.newPending(tx.Copy(), id, fromPeer, height, height)
	credits, debits := c.credits(p), c.debits(tx)
	n := places(size, eventBytes(credits, debits))
	if len(credits)+debits > maxParts || !c.w.shares.more(from, n) {
		return false
	}
	if err := c.check(p); err != nil {
		if errors.Is(err, ErrInvalid) {
			c.w.shares.distrust(from)
		}
		return false
	}
	if !c.makeRoom(size) {
		return false
	}
	c.w.shares.take(from, id, n)
	c.admit(p)
	return true
}

// plausible reports whether a transaction that a peer has sent can be one that
// waits to be mined. Votes can't: they are for the very next block or none.
func plausible(tx *wire.MsgTx, size int) bool {
	return len(tx.TxIn) > 0 && size <= maxSeenTx && mayReturn(tx, treeOf(tx), 1) &&
		!slices.ContainsFunc(tx.TxIn, makesMoney)
}

// debits is how many coins and pending outputs of the wallet a transaction spends.
func (c *change) debits(tx *wire.MsgTx) (n int) {
	for _, in := range tx.TxIn {
		if c.isOurs(&in.PreviousOutPoint) {
			n++
		}
	}
	return n
}

// makeRoom makes room for one more transaction from a peer. It fails if all that
// wait are needed.
func (c *change) makeRoom(size int) bool {
	pool := c.w.pool
	if !pool.isFull(size) {
		return true
	}
	needed := pool.needed()
	for _, p := range pool.inOrder() {
		if pool.isFull(size) && pool.has(p) && p.unverified() && !needed[p.id] {
			c.evict(p)
		}
	}
	return !pool.isFull(size)
}

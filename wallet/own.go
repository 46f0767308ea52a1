package wallet

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// AddUnmined tells the wallet of a transaction of its owner that is not in the
// chain, as a rule one that is about to be published: given before, it is not forgotten
// whatever happens meanwhile. It counts in Balance.Unconfirmed and comes
// back from Unmined until it is mined or can't be any more; it never locks a
// coin. Adding it again is harmless; the signatures given last count. A transaction that
// neither pays watched scripts nor spends coins of the wallet, nor makes or spends a
// watched outpoint, is not taken: the wallet would not see what becomes of it. Nor is a vote, or a revocation that the
// next block has to hold: they are for that block or none.
//
// It is checked as far as what it spends is known, and again when more of that is
// found; should it turn out then that it can't be mined, there is an EventRemoved. Of
// several that spend the same output the one that was added first counts and is
// announced, and the others wait behind it (Unmined.Behind).
//
// Errors: ErrInvalid, ErrTooEarly, ErrConflict, ErrExpired, ErrSuperseded.
func (w *Wallet) AddUnmined(ctx context.Context, tx *wire.MsgTx) (taken bool, err error) {
	tx = tx.Copy()
	id := tx.TxHash()
	err = w.update(ctx, func(c *change) {
		if c.txs.Get(id[:]) != nil {
			taken = true
			c.markOwn(id)
			return
		}
		if !c.concerns(tx) {
			return
		}
		height := c.tipHeight()
		fresh := c.newPending(tx, id, fromOwner, height, height)
		if err := c.check(fresh); err != nil {
			c.fail(fmt.Errorf("transaction %v: %w", id, err))
			return
		}
		if !mayReturn(tx, treeOf(tx), 1) {
			return
		}
		p := c.w.pool.byID[id]
		switch state, height, _, by := c.classify(tx); {
		case state == expired:
			c.fail(fmt.Errorf("%w: transaction %v, from height %d on", ErrExpired, id, tx.Expiry))
			return
		case state != active && c.w.pool.byID[by] != nil:
			c.fail(fmt.Errorf("%w: transaction %v spends %v, which can't be mined", ErrConflict, id, by))
			return
		case state == superseded:
			c.fail(fmt.Errorf("%w: %v locks %v, and the next block asks for %v",
				ErrSuperseded, id, dcrutil.Amount(tx.TxOut[0].Value), dcrutil.Amount(c.w.price)))
			return
		case state == conflicted:
			c.fail(fmt.Errorf("%w: what transaction %v spends was spent at height %d by %v", ErrConflict, id, height, by))
			return
		case p != nil && p.state == conflicted: // over an output that is not the wallet's
			c.fail(fmt.Errorf("%w: what transaction %v spends was spent at height %d", ErrConflict, id, p.endHeight))
			return
		}
		c.markOwn(id)
		if p != nil {
			c.reactivate(func(q *pendingTx) bool { return q == p }) // the price is not known
			c.makeOwn(p, tx)
		} else {
			c.admit(fresh)
		}
		taken = true
	})
	return taken && err == nil, err
}

// makeOwn makes a pending transaction the owner's, as the owner has it: its hash does
// not cover the signatures, and a peer may have sent it with others.
func (c *change) makeOwn(p *pendingTx, tx *wire.MsgTx) {
	if !p.own {
		c.w.shares.giveBack(p.id)
		p.arrive(c.unmined.NextSequence()) // as the owner's it has come just now
	} else if raw, _ := tx.Bytes(); bytes.Equal(raw, p.raw) {
		return
	}
	c.resign(p, tx, fromOwner)
}

// DropUnmined forgets a transaction that is not in the chain, and those that
// spend it. Should it be mined after all, it is found as any other.
func (w *Wallet) DropUnmined(ctx context.Context, txid chainhash.Hash) error {
	return w.update(ctx, func(c *change) {
		if p := c.w.pool.byID[txid]; p != nil {
			c.w.shares.giveBack(txid)
			c.drop(p)
		}
	})
}

// Pending lists the transactions given to AddUnmined that are to be announced:
// neither mined nor in conflict with a mined one nor expired nor superseded, nor behind
// another one that spends the same. Parents come before children. They are the
// caller's. It costs the same whatever others wait.
func (w *Wallet) Pending(ctx context.Context) (out []*wire.MsgTx, err error) {
	err = w.fromMemory(ctx, func() error {
		var own []*pendingTx
		for _, p := range w.pool.own {
			if p.isActive() && p.behind == (hash{}) {
				own = append(own, p)
			}
		}
		slices.SortFunc(own, bySeq)
		for _, p := range parentsFirst(own) {
			out = append(out, p.msg.Copy())
		}
		return nil
	})
	return out, err
}

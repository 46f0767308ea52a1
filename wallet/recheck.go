package wallet

import (
	"math"

	"github.com/decred/dcrd/wire"
)

// A transaction that waits was checked when it came, as far as its inputs were known. It
// is suspect again when more of them become known: a scan has found the coin, what it
// spends has come to wait itself, or more is watched. So at the end of a change the
// suspects are checked, and whatever can never be mined goes, whoever owns it. What a
// block had is beyond suspicion.

// lookup finds outputs of the transactions that the wallet knows, mined or waiting. It
// reads each of them once.
func (c *change) lookup() func(*wire.OutPoint) (prevOut, bool) {
	type known struct {
		msg    *wire.MsgTx
		tree   int8
		height uint32
		base   bool // a coinbase
	}
	read := make(map[hash]*known)
	next := c.nextHeight()
	return func(op *wire.OutPoint) (prevOut, bool) {
		k, again := read[op.Hash]
		if !again {
			if r, msg, ok := c.tx(op.Hash); ok {
				k = &known{msg, r.tree, r.height, r.tree == wire.TxTreeRegular && r.pos == 0}
			} else if p := c.w.pool.byID[op.Hash]; p != nil {
				k = &known{p.msg, treeOf(p.msg), next, false}
			}
			read[op.Hash] = k
		}
		switch {
		case k == nil:
			return prevOut{}, false
		case uint64(op.Index) >= uint64(len(k.msg.TxOut)):
			return prevOut{}, true
		}
		out := k.msg.TxOut[op.Index]
		kind, _ := untag(k.tree, out.Version, out.PkScript)
		if k.base {
			kind = Coinbase
		}
		made := coin{height: k.height, kind: kind, expiry: k.msg.Expiry != wire.NoExpiryValue}
		return prevOut{TxOut: out, tree: k.tree, matures: made.matures(c.w.params), ours: c.isOurs(op)}, true
	}
}

// nextHeight is the height of the block after the tip.
func (c *change) nextHeight() uint32 {
	if tip, ok := c.w.tip(); ok && tip.Height < math.MaxUint32 {
		return tip.Height + 1
	}
	return 1
}

// isOurs reports whether an output, mined or waiting, is the wallet's.
func (c *change) isOurs(op *wire.OutPoint) bool {
	return c.coins.Get(outPointKey(&op.Hash, op.Index)) != nil || c.pendingPays(op, anyBirthday)
}

// check says why a transaction can't be mined, ever or for now.
func (c *change) check(p *pendingTx) error {
	prev := c.lookup()
	if err := c.checkEver(p, prev); err != nil {
		return err
	}
	return checkTime(p.msg, prev, c.nextHeight())
}

func (c *change) checkEver(p *pendingTx, prev func(*wire.OutPoint) (prevOut, bool)) error {
	return checkTx(p.msg, p.provable(), prev, c.w.params)
}

// recheckPending checks the suspects, at the end of a change. Where the watch set has changed,
// all are that spend what waits.
func (c *change) recheckPending() {
	if c.coverage.Changed() {
		for id, p := range c.w.pool.byID {
			c.suspectSpenders(id, p.msg)
		}
	}
	if len(c.suspects) == 0 {
		return
	}
	prev := c.lookup()
	for _, p := range c.w.pool.inOrder() {
		if c.suspects[p.id] && c.w.pool.has(p) && p.origin != fromBlock && c.checkEver(p, prev) != nil {
			c.drop(p)
		}
	}
}

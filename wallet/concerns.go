package wallet

import (
	"math"
	"slices"

	"github.com/decred/dcrd/wire"
)

// concerns reports whether a transaction that is not in the chain pays watched
// scripts, or spends coins or pending outputs of the wallet, or makes or spends a
// watched outpoint.
func (c *change) concerns(tx *wire.MsgTx) bool {
	found := c.spendsOurs(tx, anyBirthday)
	c.w.eachReceiver(tx, func(s *script) { found = found || s.awaits() })
	return found
}

// anyBirthday is above that of any entry: of what waits none is too late.
const anyBirthday = math.MaxUint32

// spendsOurs reports whether a transaction spends coins or pending outputs of
// the wallet, or a watched outpoint that it has not found yet, of entries with at most
// that birthday.
func (c *change) spendsOurs(tx *wire.MsgTx, birthday uint32) bool {
	for _, in := range tx.TxIn {
		prev := &in.PreviousOutPoint
		p := c.w.outpoints[spent(in)]
		if c.coins.Get(outPointKey(&prev.Hash, prev.Index)) != nil || c.pendingPays(prev, birthday) || p != nil && p.Birthday() <= birthday {
			return true
		}
	}
	return false
}

// pendingPays reports whether an output of a pending transaction is the wallet's, by an
// entry with at most that birthday.
func (c *change) pendingPays(op *wire.OutPoint, birthday uint32) bool {
	p := c.w.pool.byID[op.Hash]
	if p == nil || uint64(op.Index) >= uint64(len(p.msg.TxOut)) {
		return false
	}
	if op.Index == 0 && c.w.owes(p.msg, birthday) {
		return true
	}
	out := p.msg.TxOut[op.Index]
	kind, raw := untag(treeOf(p.msg), out.Version, out.PkScript)
	if out.Version != 0 || out.Value == 0 || kind == Ticket {
		return false
	}
	return slices.ContainsFunc(c.w.entries(outPoint{op.Hash, op.Index}, string(raw)), func(s *script) bool {
		return s.awaits() && s.Birthday() <= birthday
	})
}

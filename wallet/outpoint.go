package wallet

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/decred/dcrd/wire"
)

// Committed filters hold the scripts of the outputs that a block makes and
// spends, not the outpoints. To watch an outpoint is therefore to test its
// script, and to take, of all that pays it, this one output. It is an entry of
// the watch set of its own, with a birthday and a coverage beside those of its
// script, should that be watched too: either may come and go, and each has its
// own blocks tested.

// outpointAwaited reports whether an output of a transaction that is not in the chain
// is watched by itself.
func (b *buckets) outpointAwaited(op outPoint, raw []byte) bool {
	known, _, ok := outpointScript(b.points.Get(op.key()))
	return ok && string(known) == string(raw)
}

// entry checks an outpoint, and makes an entry of the watch set of it.
func (o *OutPoint) entry(birthday uint32, label string) (*script, error) {
	raw, err := rawScript(o.Script)
	if err != nil {
		return nil, fmt.Errorf("outpoint %v: %w", *o, err)
	}
	return newOutpointEntry(outPoint{o.Hash, o.Index}, string(raw), birthday, label), nil
}

// checkOutpoints checks outpoints that are to be watched against those that are, and
// against their transactions.
func (c *change) checkOutpoints(entries []*script) {
	named := make(map[outPoint]*script)
	for _, s := range entries {
		old := c.w.outpoints[*s.outpoint]
		if old == nil {
			old = named[*s.outpoint]
		}
		switch {
		case old == nil:
			c.checkOutpoint(s)
			named[*s.outpoint] = s
		case old.raw != s.raw:
			c.fail(fmt.Errorf("%w: outpoint %v is watched with another one, %x", ErrScript, s.outpoint, old.raw))
		}
	}
}

// checkOutpoint checks the script of an outpoint against its transaction, if the
// wallet has that.
func (c *change) checkOutpoint(s *script) {
	r, msg, ok := c.tx(s.outpoint.hash)
	tree := r.tree
	if !ok {
		p := c.w.pool.byID[s.outpoint.hash]
		if p == nil {
			return
		}
		msg, tree = p.msg, treeOf(p.msg)
	}
	if uint64(s.outpoint.index) >= uint64(len(msg.TxOut)) {
		c.fail(fmt.Errorf("%w: there is no outpoint %v, its transaction has %d outputs", ErrScript, s.outpoint, len(msg.TxOut)))
		return
	}
	owed := func(cm commitment) bool { return cm.script == s.raw }
	if tree == wire.TxTreeStake && s.outpoint.index == 0 && slices.ContainsFunc(commitments(msg), owed) {
		return
	}
	out := msg.TxOut[s.outpoint.index]
	if _, raw := untag(tree, out.Version, out.PkScript); string(raw) != s.raw {
		c.fail(fmt.Errorf("%w: outpoint %v does not pay %x, but %x", ErrScript, s.outpoint, s.raw, raw))
	}
}

// chosenOutpoints are the watched outpoints that are named.
func (c *change) chosenOutpoints(named []OutPoint) (chosen []*script) {
	seen := make(map[outPoint]bool)
	for _, o := range named {
		op := outPoint{o.Hash, o.Index}
		s := c.w.outpoints[op]
		if s == nil {
			c.fail(fmt.Errorf("%w: outpoint %v", ErrNotWatched, o))
			return nil
		}
		if len(o.Script) > 0 {
			if _, raw := untag(wire.TxTreeStake, 0, o.Script); string(raw) != s.raw {
				c.fail(fmt.Errorf("%w with this script: outpoint %v, its script is %s", ErrNotWatched, o, hex.EncodeToString([]byte(s.raw))))
				return nil
			}
		}
		if !seen[op] {
			seen[op] = true
			chosen = append(chosen, s)
		}
	}
	return chosen
}

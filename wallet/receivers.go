package wallet

import "github.com/decred/dcrd/wire"

// eachPaid calls fn for the entries of the watch set, and the scripts ahead of a gap, that
// the outputs of a transaction pay: twice in a row for an output that is watched by itself
// and by its script.
//
// An output of no value pays nothing; filters leave out a ticket's change if it
// is such. What a ticket locks is owed to those it commits to: see eachCommitted.
func (w *watchSet) eachPaid(tx *wire.MsgTx, tree int8, fn func(i uint32, kind CoinKind, s *script)) {
	var id *hash
	for i, out := range tx.TxOut {
		if out.Version != 0 || out.Value == 0 {
			continue
		}
		kind, raw := untag(tree, out.Version, out.PkScript)
		if kind == Ticket {
			continue
		}
		if s := w.scripts[string(raw)]; s != nil {
			fn(uint32(i), kind, s)
		}
		if w.outpointsOf[string(raw)] == 0 {
			continue // no need to hash every transaction of a block
		}
		if id == nil {
			id = new(hash)
			*id = tx.TxHash()
		}
		if s := w.outpoints[outPoint{*id, uint32(i)}]; s != nil && s.raw == string(raw) {
			fn(uint32(i), kind, s)
		}
	}
}

// eachCommitted calls fn for those that a ticket commits to pay.
func (w *watchSet) eachCommitted(tx *wire.MsgTx, fn func(*script)) {
	all := commitments(tx)
	if len(all) == 0 {
		return
	}
	op := outPoint{tx.TxHash(), 0}
	for _, cm := range all {
		for _, s := range w.entries(op, cm.script) {
			fn(s)
		}
	}
}

// eachReceiver calls fn for those that a transaction which waits pays or commits to pay.
func (w *watchSet) eachReceiver(tx *wire.MsgTx, fn func(*script)) {
	w.eachPaid(tx, treeOf(tx), func(_ uint32, _ CoinKind, s *script) { fn(s) })
	w.eachCommitted(tx, fn)
}

// owes reports whether a transaction that waits is a ticket that commits to pay the
// wallet, by an entry with at most that birthday.
func (w *watchSet) owes(tx *wire.MsgTx, birthday uint32) (ours bool) {
	w.eachCommitted(tx, func(s *script) { ours = ours || s.awaits() && s.Birthday() <= birthday })
	return ours
}

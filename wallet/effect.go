package wallet

import (
	"slices"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// What a transaction that waits would do to the wallet follows from the others
// that wait, from the coins and from what is watched, and changes with each of
// them: of two that spend the same output only one counts, a coin may be found
// after what spends it. So it is not logged where something happens, but found
// out at the end of every change, and logged where it is not what the log says.

// effects lists the pending transactions that may be mined, with their effect.
// all are in order of arrival, and so is the list. Of those that spend the same
// output only one has any: an own one before others, and then the first.
func (b *buckets) effects(all []*pendingMsg) []*Unmined {
	all = slices.DeleteFunc(slices.Clone(all), func(p *pendingMsg) bool { return p.dead != alive })
	// What an own one needs comes before it, whosever it is.
	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b *pendingMsg) int {
		switch {
		case a.own && !b.own:
			return -1
		case b.own && !a.own:
			return 1
		}
		return 0
	})
	n := netting{
		buckets: b, of: make(map[hash]*Unmined, len(all)),
		spent: make(map[outPoint]bool, len(all)), lost: make(map[hash]bool),
	}
	for _, p := range parentsFirst(ranked) {
		n.take(p)
	}
	out := make([]*Unmined, 0, len(all))
	for _, p := range all {
		out = append(out, n.of[p.id])
	}
	return out
}

// netting finds the effects of pending transactions one after the other.
type netting struct {
	*buckets
	of    map[hash]*Unmined
	spent map[outPoint]bool
	lost  map[hash]bool // spends what another one spends
}

func (n *netting) take(p *pendingMsg) {
	u := &Unmined{TxID: p.id, Tx: p.msg, Own: p.own}
	n.of[p.id] = u
	sum, lost := dcrutil.Amount(0), false
	for _, in := range p.msg.TxIn {
		op := spent(in)
		lost = lost || n.spent[op] || n.lost[op.hash]
		if amount, ours := n.paid(op); ours {
			u.Debits = append(u.Debits, Debit{TxID: op.hash, Index: op.index, Amount: amount})
			sum -= amount
		}
	}
	u.Credits = n.credits(p)
	for _, cr := range u.Credits {
		sum += cr.Amount
	}
	if lost {
		n.lost[p.id] = true
		return
	}
	u.Net = sum
	for _, in := range p.msg.TxIn {
		op := spent(in)
		n.spent[op] = op != nothing
	}
}

// paid is what an output pays to the wallet, mined or not.
func (n *netting) paid(op outPoint) (dcrutil.Amount, bool) {
	if parent := n.of[op.hash]; parent != nil {
		for _, cr := range parent.Credits {
			if cr.Index == op.index {
				return cr.Amount, true
			}
		}
	}
	coin, ok := decodeCoin(n.coins.Get(op.key()))
	return coin.amount, ok
}

// credits are the outputs of a pending transaction that would be coins of the
// wallet if it were mined.
func (b *buckets) credits(p *pendingMsg) (out []Credit) {
	awaited := func(index uint32, raw []byte) bool {
		return len(raw) > 0 && (scriptAwaits(b.scripts.Get(raw)) || b.pointAwaited(outPoint{p.id, index}, raw))
	}
	share, raw := ticketShare(p.msg, func(raw string) bool { return awaited(0, []byte(raw)) })
	if share > 0 {
		out = append(out, Credit{Index: 0, Kind: Ticket, Amount: share, Script: raw})
	}
	for i, o := range p.msg.TxOut {
		if o.Version != 0 || o.Value == 0 {
			continue
		}
		kind, raw := untag(wire.TxTreeStake, o.Version, o.PkScript)
		if kind != Regular { // else the tree, which takes long to tell, makes no difference
			kind, raw = untag(treeOf(p.msg), o.Version, o.PkScript)
		}
		if kind != Ticket && awaited(uint32(i), raw) {
			out = append(out, Credit{Index: uint32(i), Kind: kind, Amount: dcrutil.Amount(o.Value), Script: raw})
		}
	}
	return out
}

// digest is the same for the same effect of a transaction.
func (u *Unmined) digest() string {
	b := be.AppendUint64(make([]byte, 0, 64), uint64(u.Net))
	if u.Own {
		b = append(b, 1)
	}
	b = be.AppendUint32(b, uint32(len(u.Debits)))
	for _, d := range u.Debits {
		b = append(append(b, d.TxID[:]...), key32(d.Index)...)
		b = be.AppendUint64(b, uint64(d.Amount)) // of a ticket it follows from what is watched
	}
	for _, cr := range u.Credits {
		b = be.AppendUint64(be.AppendUint32(b, cr.Index), uint64(cr.Amount))
		b = append(be.AppendUint32(b, uint32(len(cr.Script))), cr.Script...)
	}
	return string(b)
}

// weighs reports whether effects follow from a bucket.
func (b *buckets) weighs(of *bbolt.Bucket) bool {
	return of == b.unmined || of == b.coins || of == b.scripts || of == b.points
}

// tellUnmined logs the effects that are not as told, at the end of a change.
func (c *change) tellUnmined() {
	if c.err != nil || !c.weighed || c.pool == nil && len(c.w.told) == 0 {
		return
	}
	for _, u := range c.effects(c.pending().inOrder()) {
		digest := u.digest()
		before, again := c.w.told[u.TxID]
		if before == digest {
			continue
		}
		if again && c.hears != nil {
			c.w.shares.charge(*c.hears, share{debt: 1})
		}
		c.w.told[u.TxID] = digest
		c.event(Event{
			Kind: EventUnmined, Tx: u.TxID, Own: u.Own, Tree: treeOf(u.Tx),
			Net: u.Net, Credits: u.Credits, Debits: u.Debits,
		})
	}
}

// loadPending reads what follows from the pending transactions. Their effects are
// in the log: both are written together.
func (w *Wallet) loadPending(b *buckets) error {
	all, err := b.readPending()
	w.shares.settle(b.tipHeight())
	for _, p := range all {
		w.contest(p)
		if p.hearsay() {
			w.shares.take("", p.id, len(p.raw)) // who has sent it is not known any more
		}
	}
	for _, u := range b.effects(all) {
		w.told[u.TxID] = u.digest()
	}
	return err
}

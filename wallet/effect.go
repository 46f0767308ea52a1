package wallet

import (
	"context"
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// What a transaction that waits would do to the wallet follows from the others
// that wait, from the coins and from what is watched, and changes with each of
// them: of two that spend the same output only one counts, a coin may be found
// after what spends it. So it is not logged where something happens, but found
// out at the end of every change, and logged where it is not what the log says.

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

// effects lists the pending transactions that may be mined, with their effect.
// all are in order of arrival, and so is the list. Of those that spend the same
// output only one has any: an own one before others, then what a block had or what
// spends coins of the wallet, and then the first. So nobody who makes up a payment out
// of thin air hides with it what is proven.
func (b *buckets) effects(all []*pendingTx) []*Unmined {
	all = slices.DeleteFunc(slices.Clone(all), func(p *pendingTx) bool { return !p.isActive() })
	// What an own one needs comes before it, whoever owns that.
	ranked := slices.Clone(all)
	rank := make(map[*pendingTx]int, len(all))
	for _, p := range all {
		rank[p] = b.rank(p)
	}
	slices.SortStableFunc(ranked, func(p, q *pendingTx) int { return rank[p] - rank[q] })
	n := netting{buckets: b, of: make(map[hash]*Unmined, len(all)), spent: make(map[outPoint]hash, len(all))}
	for _, p := range parentsFirst(ranked) {
		n.take(p)
	}
	out := make([]*Unmined, 0, len(all))
	for _, p := range all {
		out = append(out, n.of[p.id])
	}
	return out
}

// rank is the lower the more speaks for a transaction.
func (b *buckets) rank(p *pendingTx) int {
	takes := func(in *wire.TxIn) bool {
		return b.coins.Get(outPointKey(&in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index)) != nil
	}
	switch {
	case p.own:
		return 0
	case !p.unverified() || slices.ContainsFunc(p.msg.TxIn, takes):
		return 1
	}
	return 2
}

// netting finds the effects of pending transactions one after the other.
type netting struct {
	*buckets
	of    map[hash]*Unmined
	spent map[outPoint]hash // by which
}

func (n *netting) take(p *pendingTx) {
	u := &Unmined{TxID: p.id, Tx: p.msg, Own: p.own}
	n.of[p.id] = u
	sum := dcrutil.Amount(0)
	for _, in := range p.msg.TxIn {
		op := spent(in)
		if parent := n.of[op.hash]; parent != nil && u.Behind == (hash{}) {
			u.Behind = parent.Behind
		}
		if u.Behind == (hash{}) {
			u.Behind = n.spent[op]
		}
		if amount, ours := n.paid(op); ours {
			u.Debits = append(u.Debits, Debit{TxID: op.hash, Index: op.index, Amount: amount})
			sum -= amount
		}
	}
	u.Credits = n.credits(p)
	for _, cr := range u.Credits {
		sum += cr.Amount
	}
	if u.Behind != (hash{}) {
		return
	}
	u.Net = sum
	for _, in := range p.msg.TxIn {
		if op := spent(in); op != nothing {
			n.spent[op] = p.id
		}
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
func (b *buckets) credits(p *pendingTx) (out []Credit) {
	awaited := func(index uint32, raw []byte) bool {
		return len(raw) > 0 && (scriptAwaits(b.scripts.Get(raw)) || b.outpointAwaited(outPoint{p.id, index}, raw))
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

// haveEffects reports whether effects follow from a bucket.
func (b *buckets) haveEffects(of *bucket) bool {
	return of == b.unmined || of == b.coins || of == b.scripts || of == b.points
}

// logEffects logs the effects that are not as the log has them, at the end of a change.
func (c *change) logEffects() {
	if !c.effectsDirty || len(c.w.pool.byID) == 0 {
		return
	}
	for _, u := range c.effects(c.w.pool.inOrder()) {
		p := c.w.pool.byID[u.TxID]
		again := p.logged != ""
		if !p.setEffect(u.digest(), u.Behind) {
			continue
		}
		size := c.event(Event{
			Kind: EventUnmined, Tx: u.TxID, Own: u.Own, Tree: treeOf(u.Tx),
			Net: u.Net, Credits: u.Credits, Debits: u.Debits,
		})
		if c.heardFrom != nil {
			c.w.shares.charge(*c.heardFrom, size, again)
		}
	}
}

// loadPending reads what follows from the pending transactions. Their effects are
// in the log: both are written together.
func (w *Wallet) loadPending(b *buckets) error {
	all, err := b.readPending()
	w.shares.settle(b.tip)
	for _, p := range all {
		w.pool.add(p)
		w.contest(p)
	}
	for _, u := range b.effects(all) {
		p := w.pool.byID[u.TxID]
		p.setEffect(u.digest(), u.Behind)
		if p.unverified() { // who has sent it is not known any more
			w.shares.take("", p.id, places(len(p.raw), eventBytes(u.Credits, len(u.Debits))))
		}
	}
	return err
}

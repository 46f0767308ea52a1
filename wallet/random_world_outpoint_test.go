package wallet

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/decred/dcrd/wire"
)

// pointKey is what a watched outpoint is called in a birthdays, beside scripts.
func pointKey(o OutPoint) string {
	return "outpoint " + string(outPointKey(&o.Hash, o.Index)) + string(o.Script)
}

// pointOf is an output as one would watch it.
func (k *cast) pointOf(tx *wire.MsgTx, i int) OutPoint {
	tree := 0
	if isStake(tx) {
		tree = 1
	}
	return OutPoint{Hash: k.id(tx), Index: uint32(i), Script: untagged(tree, tx.TxOut[i].PkScript)}
}

// keyOf is what an entry of the wallet is called in a birthdays.
func keyOf(s *script) string {
	if s.outpoint == nil {
		return s.raw
	}
	return pointKey(OutPoint{s.outpoint.hash, s.outpoint.index, []byte(s.raw)})
}

// entries are all scripts and outpoints that the wallet knows.
func (d *driver) entries() map[string]*script {
	out := maps.Clone(d.w.scripts)
	for _, s := range d.w.outpoints {
		out[keyOf(s)] = s
	}
	return out
}

// choosePoint chooses an output that was mined, that waits, or that is yet to be
// heard of; now and then with a wrong script. A ticket is found if it pays who lets it
// vote.
func (d *cast) choosePoint() (OutPoint, bool) {
	var tx *wire.MsgTx
	switch n := d.rng.IntN(4); {
	case n < 2:
		b := d.c.blocks[1+d.rng.Uint32N(d.c.height())]
		txs := slices.Concat(b.Transactions, b.STransactions)
		tx = txs[d.rng.IntN(len(txs))]
	case n == 2 && len(d.pool) > 0:
		tx = d.pool[d.rng.IntN(len(d.pool))]
	default:
		tx = d.draftTx()
	}
	i := d.rng.IntN(len(tx.TxOut))
	if tickets := d.read(d.all, d.c.height(), true).sortedTickets(); len(tickets) > 0 && d.rng.IntN(6) == 0 {
		tx, i = tickets[d.rng.IntN(len(tickets))], 0
	}
	o := d.pointOf(tx, i)
	switch {
	case len(o.Script) == 0, o.Script[0] == 0xc1: // a gift to the treasury is in no filter
		return o, false
	case isTicket(tx) && i == 0 && !promisedTo(tx, string(o.Script)):
		return o, false
	}
	if d.rng.IntN(10) == 0 {
		o.Script = scriptN(d.rng.Uint64N(castSingles))
	}
	return o, true
}

func (d *driver) watchPoint(from uint32) {
	d.t.Helper()
	o, ok := d.choosePoint()
	if !ok {
		return
	}
	if len(d.points) > 0 && d.rng.IntN(4) == 0 { // again
		o = d.points[d.rng.IntN(len(d.points))]
	}
	var refused error
	d.do("Watch outpoint", func() error {
		refused = d.w.Watch(context.Background(), Watch{OutPoints: []OutPoint{o}, From: from})
		if errors.Is(refused, ErrScript) && !d.mayWatch(o) {
			return nil
		}
		return refused
	}, func() {
		if refused != nil {
			return
		}
		if !slices.ContainsFunc(d.points, o.is) {
			d.points = append(d.points, o)
		}
		d.alone.lower(pointKey(o), from)
	})
}

// mayWatch: nothing is wrong with an outpoint.
func (d *driver) mayWatch(o OutPoint) bool {
	return !d.isWrong(o) && !slices.ContainsFunc(d.points, func(known OutPoint) bool {
		return known.Hash == o.Hash && known.Index == o.Index && string(known.Script) != string(o.Script)
	})
}

func (d *cast) isWrong(o OutPoint) bool {
	return pointKey(d.pointOf(d.made[o.Hash], int(o.Index))) != pointKey(o)
}

func (o OutPoint) is(other OutPoint) bool { return pointKey(o) == pointKey(other) }

// spentPoints are the watched outpoints that a transaction spends.
func (d *driver) spentPoints(tx *wire.MsgTx) (spent []OutPoint) {
	for _, in := range tx.TxIn {
		for _, o := range d.points {
			if o.Hash == in.PreviousOutPoint.Hash && o.Index == in.PreviousOutPoint.Index {
				spent = append(spent, o)
			}
		}
	}
	return spent
}

// misled: a transaction spends an outpoint that is watched with a wrong script. The
// wallet takes it for one that matters, and never hears of it again.
func (d *driver) misled(tx *wire.MsgTx) bool {
	return slices.ContainsFunc(d.spentPoints(tx), d.isWrong)
}

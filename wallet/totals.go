package wallet

import (
	"bytes"
	"math"

	"github.com/decred/dcrd/dcrutil/v4"
)

// totals are the running sums of the unspent coins, so that a balance costs the
// same whatever the number of coins.
type totals [kindCount]struct {
	coins  uint64
	amount dcrutil.Amount
}

// encode: number 8 and amount 8 of the unspent coins of each kind.
func (t *totals) encode() []byte {
	b := make([]byte, 0, 16*kindCount)
	for _, k := range t {
		b = be.AppendUint64(be.AppendUint64(b, k.coins), uint64(k.amount))
	}
	return b
}

func decodeTotals(b []byte) (t totals, ok bool) {
	d := decoder{b: b}
	for i := range t {
		t[i].coins, t[i].amount = d.u64(), d.amount()
	}
	return t, d.ok()
}

// count adds a coin to the sums, or takes it away.
func (t *totals) count(coin *coin, add bool) {
	k := &t[coin.kind]
	if add {
		k.coins++
		k.amount += coin.amount
	} else {
		k.coins--
		k.amount -= coin.amount
	}
}

func (t *totals) load(b *buckets) error {
	var ok bool
	if *t, ok = decodeTotals(b.meta.Get(keyTotals)); !ok {
		return corrupt("the sums of the coins")
	}
	return nil
}

// saveTotals writes the sums if they have changed.
func (c *change) saveTotals() {
	if sums := c.w.totals.encode(); !bytes.Equal(sums, c.meta.Get(keyTotals)) {
		c.put(c.meta, keyTotals, sums)
	}
}

// immature adds up by kind the coins that a transaction in the block after tip
// may not spend yet.
func (b *buckets) immature(tip uint32) (sums [kindCount]dcrutil.Amount, err error) {
	if tip >= math.MaxUint32-1 {
		return sums, nil
	}
	cur := b.maturing.Cursor()
	for k, v := cur.Seek(key32(tip + 2)); k != nil; k, v = cur.Next() {
		if len(k) != 40 || len(v) != 9 || v[0] >= kindCount {
			return sums, corrupt("maturing coin %.40x", k)
		}
		sums[v[0]] += dcrutil.Amount(be.Uint64(v[1:]))
	}
	return sums, nil
}

package wallet

import (
	"bytes"
	"math"

	"github.com/decred/dcrd/chaincfg/v3"
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

func (w *Wallet) loadTotals(b *buckets) error {
	var ok bool
	if w.totals, ok = decodeTotals(b.meta.Get(keyTotals)); !ok {
		return corrupt("the sums of the coins")
	}
	return nil
}

// matures is the lowest height of a block that may spend the coin; for a ticket,
// which only its vote or revocation spends, it is without meaning.
func (c *coin) matures(params *chaincfg.Params) uint32 {
	return uint32(min(uint64(c.height)+uint64(c.depth(params)), math.MaxUint32))
}

// creditMatures is what a Credit or UTXO says of it.
func (w *Wallet) creditMatures(c *coin) uint32 {
	if c.kind == Ticket {
		return 0
	}
	return c.matures(w.params)
}

// ripens reports whether a coin is listed in bucket maturing.
func (c *coin) ripens(params *chaincfg.Params) bool {
	return !c.spent && c.kind != Ticket && c.depth(params) > 0
}

func (c *coin) maturingKey(key []byte, params *chaincfg.Params) []byte {
	return append(key32(c.matures(params)), key...)
}

func (c *coin) maturingValue() []byte {
	return be.AppendUint64([]byte{byte(c.kind)}, uint64(c.amount))
}

// list keeps what follows from the coins up to date: the sums and the lists of
// the unspent and the maturing ones. before and after may be nil.
func (c *change) list(key []byte, before, after *coin) {
	was, is := before != nil && !before.spent, after != nil && !after.spent
	params := c.w.params
	if was {
		c.w.totals.count(before, false)
		if before.ripens(params) {
			c.del(c.maturing, before.maturingKey(key, params))
		}
	}
	if is {
		c.w.totals.count(after, true)
		if after.ripens(params) {
			c.put(c.maturing, after.maturingKey(key, params), after.maturingValue())
		}
	}
	switch {
	case is && !was:
		c.put(c.unspent, key, nil)
	case was && !is:
		c.del(c.unspent, key)
	}
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

// verifyTotals checks the sums and the list of maturing coins against the coins.
func (c *change) verifyTotals() error {
	var want totals
	ripening := 0
	var bad error
	err := c.eachUnspent(func(key []byte, coin *coin) {
		want.count(coin, true)
		if !coin.ripens(c.w.params) {
			return
		}
		ripening++
		if string(c.maturing.Get(coin.maturingKey(key, c.w.params))) != string(coin.maturingValue()) && bad == nil {
			bad = corrupt("coin %.40x is not listed as maturing", key)
		}
	})
	stored, ok := decodeTotals(c.meta.Get(keyTotals))
	switch {
	case err != nil:
		return err
	case bad != nil:
		return bad
	case !ok || stored != want || stored != c.w.totals:
		return corrupt("the sums of the coins are not those of the coins")
	case int(c.maturing.tally.count) != ripening:
		return corrupt("%d coins are listed as maturing, not %d", c.maturing.tally.count, ripening)
	}
	return nil
}

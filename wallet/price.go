package wallet

import (
	"bytes"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// A ticket gets into a block only if it locks at least the price in the block's
// header, which changes once in a window of blocks (dcrd blockchain: ErrNotEnoughStake;
// its mempool drops the others: pruneStakeTx). One that waits and locks less is
// superseded, until the price comes down again.

// priceAfter is the price in the block after one, by the price in its header. In the last
// block of a window it is not known: 0. So is one that is no amount.
func priceAfter(height uint32, price dcrutil.Amount, params *chaincfg.Params) dcrutil.Amount {
	window := params.StakeDiffWindowSize
	if window > 0 && (int64(height)+1)%window == 0 || price < 0 || price > dcrutil.MaxAmount {
		return 0
	}
	return price
}

// priced notes the ticket price in the header of the tip, and with that the price in
// the next block. It reports whether that is another one now.
func (c *change) priced(height uint32, price dcrutil.Amount) bool {
	if !c.w.price.set(priceAfter(height, price, c.w.params)) {
		return false
	}
	c.progress()
	return true
}

// savePrice writes the price if the file has another one.
func (c *change) savePrice() {
	var price []byte
	if c.w.price != 0 {
		price = key64(uint64(c.w.price))
	}
	switch saved := c.meta.Get(keyPrice); {
	case bytes.Equal(saved, price):
	case price == nil:
		c.del(c.meta, keyPrice)
	default:
		c.put(c.meta, keyPrice, price)
	}
}

// ticketPrice is the price of a ticket in the next block; 0 is not known.
type ticketPrice dcrutil.Amount

func (p *ticketPrice) load(b *buckets) error {
	v := b.meta.Get(keyPrice)
	if v == nil {
		return nil
	}
	if len(v) != 8 || be.Uint64(v) == 0 || be.Uint64(v) > dcrutil.MaxAmount {
		return corrupt("the ticket price")
	}
	*p = ticketPrice(be.Uint64(v))
	return nil
}

// set notes the price, and reports whether it is another one.
func (p *ticketPrice) set(price dcrutil.Amount) bool {
	was := *p
	*p = ticketPrice(price)
	return *p != was
}

// tooCheap reports whether a transaction is a ticket that locks less than the next
// block asks for, as far as that is known.
func (p ticketPrice) tooCheap(tx *wire.MsgTx) bool {
	if p == 0 || len(tx.TxOut) == 0 {
		return false
	}
	first := tx.TxOut[0]
	return stake.IsTicketPurchaseScript(first.Version, first.PkScript) && first.Value < int64(p)
}

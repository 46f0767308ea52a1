package wallet

import (
	"bytes"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// disapprove undoes the regular transactions of a block: the votes in the next
// one made them void (dcrd: a block's VoteBits, bit 0). Its stake transactions
// stay.
func (c *change) disapprove(height uint32) {
	ids := c.idsAt(height, wire.TxTreeRegular)
	if len(ids) > 0 {
		record := c.block(height)
		c.markDisapproved(height, &record)
	}
	for _, id := range ids {
		c.unmine(id, height, height)
	}
	c.reactivate(func(p *pendingTx) bool {
		return p.state == conflicted && p.endHeight == height && p.endTree == wire.TxTreeRegular
	})
}

// disapprovedBlock is the record of a block whose regular transactions are known
// to be void, as some of them concern the wallet.
func (c *change) disapprovedBlock(height uint32) (blockRecord, bool) {
	v := c.disapproved.Get(key32(height))
	if v == nil {
		return blockRecord{}, false
	}
	r, ok := decodeBlock(v)
	if !ok {
		c.fail(corrupt("disapproved block %d", height))
	}
	return r, ok
}

// markDisapproved remembers that a block has transactions that would concern
// the wallet but do not count.
func (c *change) markDisapproved(height uint32, record *blockRecord) {
	if c.disapproved.Get(key32(height)) != nil {
		return
	}
	c.put(c.disapproved, key32(height), record.encode())
	c.event(Event{Kind: EventDisapproved, Block: record.id(height)})
}

// idsAt are the transactions of one tree of a block, last one first.
func (c *change) idsAt(height uint32, tree int8) (ids []hash) {
	prefix := orderKey(height, tree, 0)[:5]
	cur := c.order.Cursor()
	for k, v := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = cur.Next() {
		id, ok := c.ordered(k, v)
		if !ok {
			break
		}
		ids = append([]hash{id}, ids...)
	}
	return ids
}

// ordered reads an entry of order.
func (c *change) ordered(k, v []byte) (id hash, ok bool) {
	if len(k) != 9 || len(v) != chainhash.HashSize {
		c.fail(corrupt("history entry %.40x", k))
		return hash{}, false
	}
	return hash(v), true
}

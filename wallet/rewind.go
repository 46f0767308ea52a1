package wallet

import (
	"bytes"
	"context"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

func (r *blockRecord) id(height uint32) chain.BlockID {
	return chain.BlockID{Height: height, Hash: r.hash}
}

// Rewind undoes all blocks above to, which is a block of the best chain that
// the wallet has processed or whose successors it has, in one transaction:
// their coins are gone and those they spent are back, their transactions are
// unmined as far as they may be mined again, and the heights above are to be
// tested again.
//
// If the first block above had disapproved the transactions of to, then these
// count again; to is undone as well then, because only a scan brings them back.
//
// Errors: ErrChain if the wallet knows another block at that height.
func (w *Wallet) Rewind(to chain.BlockID) error {
	return w.update(context.Background(), func(c *change) {
		tip, ok := w.tip()
		if !ok || tip.Height <= to.Height {
			if ok && tip.Height == to.Height && tip.Hash != to.Hash {
				c.fail(fmt.Errorf("%w: block %d is %v, not %v", ErrChain, tip.Height, tip.Hash, to.Hash))
			}
			return
		}
		if err := c.agrees(to); err != nil {
			c.fail(err)
			return
		}
		for to.Height > 0 {
			r, ok := c.disapprovedBlock(to.Height)
			if !ok {
				break
			}
			to = chain.BlockID{Height: to.Height - 1, Hash: r.prev}
		}
		c.event(Event{Kind: EventReorg, Block: to, Depth: tip.Height - to.Height})
		c.cutPositions(to)
		c.priced(to.Height, 0) // the next batch tells
		// What waits from now on may be in to itself: the first block above may no
		// longer disapprove it, and only of what concerned us is it known that one did.
		since := max(to.Height, 1) - 1
		c.sinceAtMost(since)
		for _, id := range c.idsAbove(to.Height) {
			c.unmine(id, tip.Height, since)
		}
		c.cutBlocks(c.blocks, to.Height)
		c.cutBlocks(c.disapproved, to.Height)
		c.revive(func(p *pendingMsg) bool { return p.deadHeight > to.Height })
		c.coverage.Undo(to.Height)
		c.freshenAll()
		c.unuse(to.Height)
		c.setUnfit(max(c.w.unfit, uint64(tip.Height)+1))
	})
}

// idsAbove are the transactions above a height, last one first.
func (c *change) idsAbove(height uint32) (ids []hash) {
	cur := c.order.Cursor()
	for k, v := cur.Last(); k != nil; k, v = cur.Prev() {
		id, ok := c.ordered(k, v)
		if !ok || be.Uint32(k) <= height {
			break
		}
		ids = append(ids, id)
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

// cutBlocks removes the records above a height.
func (c *change) cutBlocks(b *bucket, height uint32) {
	var keys [][]byte
	cur := b.Cursor()
	for k, _ := cur.Last(); k != nil; k, _ = cur.Prev() {
		if len(k) != 4 {
			c.fail(corrupt("block %.40x", k))
			return
		}
		if be.Uint32(k) <= height {
			break
		}
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		c.del(b, k)
	}
}

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
	c.revive(func(p *pendingMsg) bool {
		return p.dead == conflicted && p.deadHeight == height && p.deadTree == wire.TxTreeRegular
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

package wallet

import (
	"bytes"
	"context"
	"fmt"

	"dcrspv/spv/chain"
)

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
func (w *Wallet) Rewind(ctx context.Context, to chain.BlockID) error {
	return w.update(ctx, func(c *change) {
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
		c.goBackTo(to)
		c.priced(to.Height, 0) // the next batch tells
		// What waits from now on may be in to itself: the first block above may no
		// longer disapprove it, and only of what concerned us is it known that one did.
		since := max(to.Height, 1) - 1
		c.sinceAtMost(since)
		for _, id := range c.idsAbove(to.Height) {
			c.unmine(id, tip.Height, since)
		}
		c.truncateBlocks(c.blocks, to.Height)
		c.truncateBlocks(c.disapproved, to.Height)
		c.reactivate(func(p *pendingTx) bool { return p.endHeight > to.Height })
		c.coverage.Undo(to.Height)
		c.searchAgain()
		c.unuse(to.Height)
		c.setUnfit(max(c.w.unfit, unfitBlocks(tip.Height)+1))
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

// truncateBlocks removes the records above a height.
func (c *change) truncateBlocks(b *bucket, height uint32) {
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

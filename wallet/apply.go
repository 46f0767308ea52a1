package wallet

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// Apply takes the result of a scan, in one transaction: coins, history, events,
// coverage and position move together. Applying a batch twice is harmless. What a batch
// moves that has nothing of the wallet is written later: see Close.
//
// Groups that changed since the scan was given out stay untested, and a batch
// of which no group is left is dropped: NextScan gives the blocks out again.
//
// Errors: ErrBatch, ErrChain.
func (w *Wallet) Apply(ctx context.Context, b spv.Batch) error {
	if err := checkBatch(b); err != nil {
		return err
	}
	if done, err := w.applyEmpty(ctx, b); done || err != nil {
		return err
	}
	return w.update(ctx, func(c *change) {
		groups := w.ledger.Unchanged(b.Scan.Groups)
		w.ledger.TakeBack()
		if len(groups) == 0 {
			return
		}
		if err := c.follows(b); err != nil {
			c.fail(err)
			return
		}
		// Coverage first: scripts that the blocks make known must not get into
		// a group that is about to count as tested.
		c.coverage.Tested(groups, b.Scan.Range)
		c.w.unsaved.add(b.Scan.Range)
		c.progress()
		searched := maps.Clone(w.contested)
		// Disapprovals before blocks: a disapproved transaction may be mined
		// again in the very block that disapproved it.
		for _, height := range b.Disapproved {
			c.disapprove(height)
		}
		higher, repriced := c.advance(b)
		for i := range b.Blocks {
			c.applyBlock(&b.Blocks[i])
		}
		c.untestContested(searched)
		if higher {
			c.expire(repriced)
		}
		c.coverage.Merge()
	})
}

// checkBatch checks a batch against itself.
func checkBatch(b spv.Batch) error {
	r := b.Scan.Range
	if r.From > r.To || b.End.Height != r.To {
		return fmt.Errorf("%w: range %d to %d ends with block %d", ErrBatch, r.From, r.To, b.End.Height)
	}
	for i, block := range b.Blocks {
		h := block.ID.Height
		switch {
		case block.Msg == nil:
			return fmt.Errorf("%w: block %d is missing", ErrBatch, h)
		case h < r.From || h > r.To || i > 0 && h <= b.Blocks[i-1].ID.Height:
			return fmt.Errorf("%w: block %d is out of place in %d to %d", ErrBatch, h, r.From, r.To)
		case h == r.To && block.ID != b.End,
			i > 0 && b.Blocks[i-1].ID.Height+1 == h && b.Blocks[i-1].ID.Hash != block.Msg.Header.PrevBlock:
			return fmt.Errorf("%w: block %d is of another branch", ErrBatch, h)
		}
	}
	for _, h := range b.Disapproved {
		if uint64(h)+1 < uint64(r.From) || h >= r.To {
			return fmt.Errorf("%w: block %d can't be disapproved by %d to %d", ErrBatch, h, r.From, r.To)
		}
	}
	return nil
}

// follows checks a batch against the blocks that the wallet knows.
func (c *change) follows(b spv.Batch) error {
	if err := c.agrees(b.End); err != nil {
		return err
	}
	for i := range b.Blocks {
		block := &b.Blocks[i]
		if err := c.agrees(block.ID); err != nil {
			return err
		}
		if h := block.ID.Height; h > 0 {
			prev := chain.BlockID{Height: h - 1, Hash: block.Msg.Header.PrevBlock}
			if err := c.agrees(prev); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyBlock takes up what concerns the wallet in one block.
func (c *change) applyBlock(b *spv.Block) {
	txs := c.blockTxs(b)
	for _, t := range txs {
		c.findCredits(t)
	}
	// All outputs before all inputs: a block's transactions spend each other's.
	for _, t := range txs {
		if !t.disapproved {
			c.addCoins(t)
		}
	}
	var disapproved []*blockTx
	for _, t := range txs {
		if t.disapproved {
			disapproved = append(disapproved, t)
			continue
		}
		c.spend(t)
		wasPending := c.confirm(t)
		if len(t.credits) > 0 || t.spends {
			c.mined(t)
		} else if wasPending {
			c.remove(t.id())
		}
	}
	// One after the other: they may spend each other's outputs too, also of one that a
	// block above has again and that does not wait.
	paid := make(map[outPoint]bool)
	takes := func(in *wire.TxIn) bool { return paid[spent(in)] }
	for _, t := range disapproved {
		for _, cr := range t.credits {
			paid[outPoint{t.id(), cr.index}] = true
		}
		if len(t.credits) == 0 && !c.spendsOurs(t.msg, t.height) && !slices.ContainsFunc(t.msg.TxIn, takes) {
			continue // whatever it pays, it was below the birthday of that
		}
		c.markDisapproved(t.height, t.block)
		if t.returns() {
			c.addPending(t.msg.Copy(), t.id(), fromBlock, t.height, t.height)
		}
	}
}

// advance moves the position to the end of a batch, if that is higher, and
// reports whether it is, and whether the ticket price has changed with it. Each block
// that matched is a position too: where a reorg is to be undone, the transactions below
// stay untouched.
func (c *change) advance(b spv.Batch) (higher, repriced bool) {
	if c.knows(b.End.Height) {
		return false, false
	}
	for i := range b.Blocks {
		if id := b.Blocks[i].ID; !c.knows(id.Height) {
			c.moveTo(id)
		}
	}
	if !c.knows(b.End.Height) {
		c.moveTo(b.End)
	}
	return true, c.priced(b.End.Height, dcrutil.Amount(b.Price))
}

// knows reports whether a height is within what the wallet has processed. That a
// block above disapproves of one below only counts then: if that block leaves
// the chain there is a Rewind. Otherwise it is told again with the scan of that
// block.
func (c *change) knows(height uint32) bool {
	tip, ok := c.w.tip()
	return ok && height <= tip.Height
}

// mined makes or renews the history entry of a transaction.
func (c *change) mined(t *blockTx) {
	id := t.id()
	raw, err := t.msg.Bytes()
	if err != nil {
		c.fail(err)
		return
	}
	if c.blocks.Get(key32(t.height)) == nil {
		c.put(c.blocks, key32(t.height), t.block.encode())
	}
	c.saveTx(id, txRecord{height: t.height, pos: t.pos, tree: t.tree, raw: raw}, t.msg)
}

// blockTxs are the transactions of a block, regular ones first.
func (c *change) blockTxs(b *spv.Block) []*blockTx {
	h := b.ID.Height
	_, disapproved := c.disapprovedBlock(h)
	disapproved = disapproved || b.Disapproved && c.knows(h+1)
	record := &blockRecord{hash: b.ID.Hash, prev: b.Msg.Header.PrevBlock, time: uint32(b.Time.Unix())}
	txs := make([]*blockTx, 0, len(b.Msg.Transactions)+len(b.Msg.STransactions))
	for i, tx := range b.Msg.Transactions {
		txs = append(txs, &blockTx{
			msg: tx, height: h, tree: wire.TxTreeRegular, pos: uint32(i), disapproved: disapproved, block: record,
		})
	}
	for i, tx := range b.Msg.STransactions {
		txs = append(txs, &blockTx{msg: tx, height: h, tree: wire.TxTreeStake, pos: uint32(i), block: record})
	}
	return txs
}

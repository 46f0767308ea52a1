package wallet

import (
	"context"

	"dcrspv/spv"

	"github.com/decred/dcrd/dcrutil/v4"
)

// applyEmpty takes a batch of new blocks that hold nothing of the wallet, if only the
// progress moves with it. It needs no transaction of the file then: with a thousand
// wallets that is most of what a new block costs. It reports false if it is for Apply, as it is
// with a file that is closed, lost or damaged: Apply says so.
func (w *Wallet) applyEmpty(ctx context.Context, b spv.Batch) (done bool, err error) {
	if len(b.Blocks) > 0 || len(b.Disapproved) > 0 || w.db.Check() != nil {
		return false, nil
	}
	err = w.fromMemory(ctx, func() error {
		groups := w.ledger.Unchanged(b.Scan.Groups)
		if tip, ok := w.tip(); !ok || tip.Height >= b.End.Height || len(groups) != 1 || w.more(b) {
			return nil
		}
		w.ledger.TakeBack()
		w.ledger.Edit(nil).Tested(groups, b.Scan.Range)
		w.unsaved.add(b.Scan.Range)
		w.positions.add(b.End)
		w.price.set(priceAfter(b.End.Height, dcrutil.Amount(b.Price), w.params))
		w.aheadOf(int(w.db.Committed()))
		done = true
		return nil
	})
	if done {
		w.wake.all()
	}
	return done, err
}

// more reports whether a block that holds nothing of the wallet may move more than the
// progress: what waits, accounts that do not fit, groups that become one, or it is time to
// save.
func (w *Wallet) more(b spv.Batch) bool {
	blocks := uint64(b.Scan.Range.To) - uint64(b.Scan.Range.From) + 1
	return len(w.pool.byID) > 0 || w.unfit > 0 || w.ledger.Len() > 1 || w.unsaved.blocks+blocks >= saveEvery
}

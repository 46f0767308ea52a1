package wallet

import (
	"cmp"
	"context"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
)

// Tx is an entry of the history: a transaction in the chain that pays watched
// scripts or spends coins of the wallet.
type Tx struct {
	TxID   chainhash.Hash
	Tree   int8
	Height uint32
	Index  uint32 // in its tree of the block
	Block  chainhash.Hash
	Time   time.Time      // of the block
	Net    dcrutil.Amount // what it paid less what it took, in atoms
	Label  string         // see SetLabel

	Raw []byte // the serialized transaction
}

// History lists the transactions of the wallet in the chain, in the order of
// the chain; within a block the regular tree comes first.
func (w *Wallet) History(ctx context.Context) (out []Tx, err error) {
	err = w.view(ctx, func(b *buckets) error {
		return b.order.ForEach(func(k, id []byte) error {
			tx, err := b.historyEntry(k, id)
			out = append(out, tx)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// HistoryPage lists at most limit transactions of the wallet in the chain, the
// newest one first, from below before on; nil is the end of the chain. Give the
// last entry of a page to get the next one. Only Height, Tree and Index of before
// matter, so a page after a reorg goes on where the last one ended. A page costs
// the same whatever the length of the history.
func (w *Wallet) HistoryPage(ctx context.Context, before *Tx, limit int) (out []Tx, err error) {
	err = w.view(ctx, func(b *buckets) error {
		cur := b.order.Cursor()
		k, id := cur.Last()
		if before != nil {
			if at, _ := cur.Seek(orderKey(before.Height, before.Tree, before.Index)); at != nil {
				k, id = cur.Prev()
			} else {
				k, id = cur.Last()
			}
		}
		for ; k != nil && len(out) < limit; k, id = cur.Prev() {
			tx, err := b.historyEntry(k, id)
			if err := cmp.Or(b.over(), err); err != nil {
				return err
			}
			out = append(out, tx)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// historyEntry reads what an entry of bucket order stands for.
func (b *buckets) historyEntry(k, id []byte) (Tx, error) {
	r, ok := decodeTx(b.txs.Get(id))
	if !ok || len(id) != chainhash.HashSize {
		return Tx{}, corrupt("history entry %.40x", k)
	}
	block, ok := decodeBlock(b.blocks.Get(key32(r.height)))
	if !ok {
		return Tx{}, corrupt("block %d", r.height)
	}
	return Tx{
		TxID: hash(id), Tree: r.tree, Height: r.height, Index: r.pos, Block: block.hash,
		Time: time.Unix(int64(block.time), 0).UTC(), Net: r.credit - r.debit,
		Label: string(b.labels.Get(id)), Raw: r.raw,
	}, nil
}

package wallet

import (
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
	Block  chainhash.Hash
	Time   time.Time      // of the block
	Net    dcrutil.Amount // what it paid less what it took, in atoms

	Raw []byte // the serialized transaction
}

// History lists the transactions of the wallet in the chain, in the order of
// the chain; within a block the regular tree comes first.
func (w *Wallet) History(ctx context.Context) (out []Tx, err error) {
	err = w.view(ctx, func(b *buckets) error {
		return b.order.ForEach(func(k, id []byte) error {
			r, ok := decodeTx(b.txs.Get(id))
			if !ok || len(id) != chainhash.HashSize {
				return corrupt("history entry %.40x", k)
			}
			block, ok := decodeBlock(b.blocks.Get(key32(r.height)))
			if !ok {
				return corrupt("block %d", r.height)
			}
			out = append(out, Tx{
				TxID: hash(id), Tree: r.tree, Height: r.height, Block: block.hash,
				Time: time.Unix(int64(block.time), 0).UTC(), Net: r.credit - r.debit, Raw: r.raw,
			})
			return nil
		})
	})
	return out, err
}

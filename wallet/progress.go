package wallet

import (
	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// Most blocks hold nothing of a wallet. What they move is its progress: the position, what
// was tested, and the ticket price. It is written with the next change of anything else,
// after saveEvery blocks, and by Close, so that a new block costs no write that waits for
// the disk in each of a thousand wallets. Until then it is in memory only. A program that
// is killed loses nothing by it: the Syncer has these blocks tested again.

// saveEvery is how many blocks are tested twice at most after that: those of a day.
const saveEvery = 288

// unsaved is how much progress is not in the file.
type unsaved struct{ blocks uint64 }

func (u *unsaved) add(r chain.Range) { u.blocks += uint64(r.To) - uint64(r.From) + 1 }

func (u *unsaved) reset() { u.blocks = 0 }

// saveProgress writes the progress, at the end of a change, if there is a write anyway or
// much of it.
func (c *change) saveProgress() {
	if !c.wrote && !c.saving && c.w.unsaved.blocks < saveEvery {
		return
	}
	c.savePositions()
	c.coverage.SaveTested()
	c.savePrice()
	c.w.unsaved.reset()
}

// ahead is the tip of a wallet whose file is behind, for those who read the file without
// the lock.
type ahead struct {
	tx  int // of the file that it follows from
	tip uint32
}

// aheadOf notes that a transaction is the last of the file, and the wallet ahead of it.
func (w *Wallet) aheadOf(tx int) {
	if tip, ok := w.tip(); ok {
		w.ahead.Store(&ahead{tx, tip.Height})
	}
}

// tipOf is the tip of the wallet in a transaction that has begun after a was loaded.
func (a *ahead) tipOf(tx *bbolt.Tx, b *buckets) uint32 {
	if a != nil && a.tx == tx.ID() {
		return a.tip
	}
	k, _ := b.positions.Cursor().Last()
	if len(k) != 4 {
		return 0
	}
	return be.Uint32(k)
}

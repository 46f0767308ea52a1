package chain

import (
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// Update says what an Add has changed.
type Update struct {
	Added   int     // new headers taken, on whatever branch
	Last    BlockID // last header of the batch that is known now; zero if none is
	Best    bool    // the best chain changed
	Fork    BlockID // when Best: last block common to the old and the new best chain; the old tip if it only grew
	Reorged int     // blocks of the old best chain that left it

	// Future is, with ErrFuture, the header of the error. Nothing else is wrong
	// with it, and it may be added once the clock has reached its time.
	Future *Future
}

// took notes a header that was added.
func (u *Update) took(id BlockID) {
	u.Added++
	u.Last = id
}

// refused notes that no added header was kept. last is the last known one.
func (u *Update) refused(last BlockID) { u.Added, u.Last = 0, last }

// switched notes a new best chain, and how many blocks left the old one.
func (u *Update) switched(fork BlockID, reorged int) {
	u.Best, u.Fork, u.Reorged = true, fork, reorged
}

// skipped notes a header that was known already.
func (u *Update) skipped(id BlockID) { u.Last = id }

// delayed notes the header that is too far ahead of the clock.
func (u *Update) delayed(f *Future) { u.Future = f }

// Future is a header that is too far ahead of the clock.
type Future struct {
	BlockID
	Time time.Time

	// Work is the work of its chain up to it, and of the headers behind it in the same
	// batch. Only the proof of work of these was checked, not their difficulty.
	Work uint256.Uint256
}

// future describes the first of some headers that would follow a branch.
func future(on *segment, headers []Header, hash chainhash.Hash) *Future {
	f := &Future{BlockID: BlockID{headers[0].Height(), hash}, Time: headers[0].Time(), Work: *on.work()}
	for i := range headers {
		work := Work(headers[i].Bits())
		f.Work.Add(&work)
	}
	return f
}

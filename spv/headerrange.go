package spv

import (
	"errors"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// headerRange is the headers above one checkpoint, up to the next.
type headerRange struct {
	from, to chain.BlockID
	last     chain.BlockID // of what has come
	batches  []prefetched
	request  *headerRequest // under way
	dead     bool           // what came does not fit together: the chain gets there by itself
}

type prefetched struct {
	s     *session
	batch chain.Batch
}

// errUnlinked: headers do not continue what has come before.
var errUnlinked = errors.New("headers of another chain")

// add takes the headers that continue a range. chain.ErrCheckpoint is that they contradict
// its end, errUnlinked that they, or those before, are of another chain.
func (r *headerRange) add(s *session, b chain.Batch) error {
	n := len(b.Headers)
	if n == 0 || b.Headers[0].PrevBlock() != r.last.Hash {
		if n > 0 && r.last != r.from {
			r.giveUp()
		}
		return errUnlinked
	}
	last := chain.BlockID{Height: b.Headers[n-1].Height(), Hash: b.Hashes[n-1]}
	if last.Height > r.to.Height || last.Height == r.to.Height && last != r.to {
		r.giveUp()
		return chain.ErrCheckpoint
	}
	r.last = last
	r.batches = append(r.batches, prefetched{s, b})
	return nil
}

// begin notes which request is under way; nil is none.
func (r *headerRange) begin(request *headerRequest) { r.request = request }

func (r *headerRange) complete() bool { return r.last == r.to }

// giveUp leaves the range to the requests at the tip.
func (r *headerRange) giveUp() { r.dead, r.batches = true, nil }

// follows reports whether what waits of a range continues a block.
func (r *headerRange) follows(tip chain.BlockID) bool {
	return len(r.batches) > 0 && r.batches[0].batch.Headers[0].PrevBlock() == tip.Hash
}

// held is how many headers wait or are on their way.
func (r *headerRange) held() (n int) {
	for _, b := range r.batches {
		n += len(b.batch.Headers)
	}
	if r.request != nil {
		n += wire.MaxBlockHeadersPerMsg
	}
	return n
}

// take removes what waits first.
func (r *headerRange) take() (next prefetched) {
	next, r.batches = r.batches[0], r.batches[1:]
	return next
}

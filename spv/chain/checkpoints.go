package chain

import (
	"cmp"
	"slices"
	"sort"
)

// checkpoints are blocks that are known for sure, by height.
type checkpoints []BlockID

func parseCheckpoints(blocks []listedBlock) checkpoints {
	parsed := make(checkpoints, len(blocks))
	for i, b := range blocks {
		parsed[i] = BlockID{b.height, mustHash(b.hash)}
	}
	return parsed
}

// add adds blocks in any order.
func (cs *checkpoints) add(ids ...BlockID) {
	*cs = append(*cs, ids...)
	slices.SortFunc(*cs, func(a, b BlockID) int { return cmp.Compare(a.Height, b.Height) })
}

// upTo is the number of checkpoints at or below height.
func (cs checkpoints) upTo(height uint32) int {
	return sort.Search(len(cs), func(i int) bool { return cs[i].Height > height })
}

// last is the highest checkpoint at or below height.
func (cs checkpoints) last(height uint32) (id BlockID, ok bool) {
	n := cs.upTo(height)
	if n == 0 {
		return id, false
	}
	return cs[n-1], true
}

// lastHeight is the height of the highest checkpoint at or below height; 0, the
// genesis block, if there is none.
func (cs checkpoints) lastHeight(height uint32) uint32 {
	id, _ := cs.last(height)
	return id.Height
}

// next is the lowest checkpoint at or above height.
func (cs checkpoints) next(height uint32) (id BlockID, ok bool) {
	i := sort.Search(len(cs), func(i int) bool { return cs[i].Height >= height })
	if i == len(cs) {
		return id, false
	}
	return cs[i], true
}

// anyAbove reports whether some checkpoint is above height.
func (cs checkpoints) anyAbove(height uint32) bool {
	return len(cs) > 0 && cs[len(cs)-1].Height > height
}

// contradict reports whether another block is the checkpoint at id's height.
func (cs checkpoints) contradict(id BlockID) bool {
	known, ok := cs.last(id.Height)
	return ok && known.Height == id.Height && known.Hash != id.Hash
}

// Checkpoints adds checkpoints of one's own to those of the network. The best chain
// must contain them.
func Checkpoints(ids ...BlockID) Option {
	return func(r *Rules) { r.checkpoints.add(ids...) }
}

// NextCheckpoint is the lowest checkpoint at or above height; ok is false if there is
// none.
func (r *Rules) NextCheckpoint(height uint32) (id BlockID, ok bool) {
	return r.checkpoints.next(height)
}

// CheckpointsUpTo is the number of checkpoints at or below height.
func (r *Rules) CheckpointsUpTo(height uint32) int { return r.checkpoints.upTo(height) }

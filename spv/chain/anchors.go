package chain

import (
	"sort"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// anchor is a block whose hash at its height is known for sure.
type anchor struct {
	height uint32
	hash   chainhash.Hash
}

func parseAnchors(blocks []knownBlock) []anchor {
	anchors := make([]anchor, len(blocks))
	for i, b := range blocks {
		anchors[i] = anchor{b.height, mustHash(b.hash)}
	}
	return anchors
}

// contradictsAnchor reports whether another block is known at id's height.
func (r *Rules) contradictsAnchor(id BlockID) bool {
	known, any := r.lastAnchorBlock(id.Height)
	return any && known.height == id.Height && known.hash != id.Hash
}

// lastAnchorBlock is the highest anchor at or below height.
func (r *Rules) lastAnchorBlock(height uint32) (a anchor, any bool) {
	n := r.Anchors(height)
	if n == 0 {
		return a, false
	}
	return r.anchors[n-1], true
}

// lastAnchor is the height of the highest anchor at or below height; 0, the
// genesis block, if there is none.
func (r *Rules) lastAnchor(height uint32) uint32 {
	a, _ := r.lastAnchorBlock(height)
	return a.height
}

// anchorAbove reports whether some anchor is above height.
func (r *Rules) anchorAbove(height uint32) bool {
	return len(r.anchors) > 0 && r.anchors[len(r.anchors)-1].height > height
}

// KnownBlocks adds anchors to those of the network: blocks that are known for
// sure, such as one's own checkpoints. The best chain must contain them.
func KnownBlocks(ids ...BlockID) Option {
	return func(r *Rules) {
		for _, id := range ids {
			r.anchors = append(r.anchors, anchor{id.Height, id.Hash})
		}
		sort.Slice(r.anchors, func(i, j int) bool { return r.anchors[i].height < r.anchors[j].height })
	}
}

// KnownBlock is the lowest anchor at or above height; ok is false if there is
// none.
func (r *Rules) KnownBlock(height uint32) (id BlockID, ok bool) {
	i := sort.Search(len(r.anchors), func(i int) bool { return r.anchors[i].height >= height })
	if i == len(r.anchors) {
		return id, false
	}
	return BlockID{r.anchors[i].height, r.anchors[i].hash}, true
}

// Anchors is the number of anchors at or below height.
func (r *Rules) Anchors(height uint32) int {
	return sort.Search(len(r.anchors), func(i int) bool { return r.anchors[i].height > height })
}

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
	i := sort.Search(len(r.anchors), func(i int) bool { return r.anchors[i].height > height })
	if i == 0 {
		return a, false
	}
	return r.anchors[i-1], true
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

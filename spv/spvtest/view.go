package spvtest

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// view is a chain up to some height. It does not change when the chain grows.
type view struct {
	*Chain
	height uint32
}

// viewOf is the view of a whole chain as it is now.
func viewOf(c *Chain) view { return view{c, c.Height()} }

// behind is the view without its last n blocks.
func (v view) behind(n uint32) view {
	return view{v.Chain, v.height - min(n, v.height)}
}

// find returns the height of a block in view.
func (v view) find(hash *chainhash.Hash) (height uint32, ok bool) {
	height, ok = v.HeightOf(*hash)
	return height, ok && height <= v.height
}

// forkWith returns the height of the last block that is in both views.
func (v view) forkWith(w view) uint32 {
	// Branches share everything below the first block in which they differ.
	low, high := uint32(0), min(v.height, w.height)
	for low < high {
		mid := (low + high + 1) / 2
		if v.Hash(mid) == w.Hash(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// span returns copies of the headers of a span of heights.
func (v view) span(from, to uint32) []chain.Header {
	headers := make([]chain.Header, 0, to-from+1)
	for h := from; h <= to; h++ {
		headers = append(headers, v.Header(h))
	}
	return headers
}

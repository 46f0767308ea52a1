package chain

import (
	"math/bits"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// landmarks are some stored blocks of the best chain, which locators are made of: to read
// one takes a read transaction and the checksum of 250 headers. There is room for one at
// each step of a locator, a power of two.
type landmarks [32]BlockID

func (l *landmarks) get(step, height uint32) (hash chainhash.Hash, ok bool) {
	b := &l[bits.TrailingZeros32(step)]
	return b.Hash, b.Height == height
}

func (l *landmarks) put(step uint32, b BlockID) { l[bits.TrailingZeros32(step)] = b }

// cut forgets the blocks above a height: they are not of the best chain any more.
func (l *landmarks) cut(above uint32) {
	for i := range l {
		if l[i].Height > above {
			l[i] = BlockID{}
		}
	}
}

package chaindb

import (
	"encoding/binary"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

// maxHeight bounds the heights that are believed: with more the arithmetic of segments
// would overflow. There is a block every five minutes.
const maxHeight = 1<<31 - 1

const idSize = 4 + chainhash.HashSize // of a BlockID: its height, its hash

func appendID(b []byte, id chain.BlockID) []byte {
	return append(binary.BigEndian.AppendUint32(b, id.Height), id.Hash[:]...)
}

func decodeID(b []byte) (id chain.BlockID) {
	id.Height = binary.BigEndian.Uint32(b)
	copy(id.Hash[:], b[4:])
	return id
}

func appendRanges(b []byte, ranges chain.Ranges) []byte {
	for _, r := range ranges {
		b = binary.BigEndian.AppendUint32(b, r.From)
		b = binary.BigEndian.AppendUint32(b, r.To)
	}
	return b
}

// decodeRanges reads heights of filters of a chain up to a tip.
func decodeRanges(b []byte, tip uint32) (ranges chain.Ranges, err error) {
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("%d bytes are no ranges", len(b))
	}
	for next := uint64(0); len(b) > 0; b = b[8:] {
		r := chain.Range{From: binary.BigEndian.Uint32(b), To: binary.BigEndian.Uint32(b[4:])}
		if uint64(r.From) < next || r.To < r.From || r.To > tip {
			return nil, fmt.Errorf("filters %d to %d of a chain that ends at %d", r.From, r.To, tip)
		}
		ranges = append(ranges, r)
		next = uint64(r.To) + 2 // adjacent ranges would be one
	}
	return ranges, nil
}

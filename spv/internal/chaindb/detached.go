package chaindb

import (
	"encoding/binary"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
)

// detached is what is stored above damaged headers: the upper part of a chain without
// its middle.
type detached struct {
	from    uint32 // its lowest height
	trusted bool   // the file was trusted when this was set aside
	tip     chain.BlockID
	work    uint256.Uint256 // of the whole chain up to its tip
	filters chain.Ranges
}

// distrusted is a copy that is not trusted.
func (s *detached) distrusted() *detached {
	unverified := *s
	unverified.trusted = false
	return &unverified
}

func (s *detached) encode() []byte {
	work := s.work.Bytes()
	b := binary.BigEndian.AppendUint32(nil, s.from)
	b = append(appendID(b, s.tip), work[:]...)
	if s.trusted {
		return appendRanges(append(b, 1), s.filters)
	}
	return appendRanges(append(b, 0), s.filters)
}

func decodeDetached(b []byte) (s *detached, err error) {
	const fixed = 4 + idSize + 32 + 1
	if len(b) < fixed {
		return nil, fmt.Errorf("what was set aside has %d bytes", len(b))
	}
	s = &detached{from: binary.BigEndian.Uint32(b), tip: decodeID(b[4:]), trusted: b[fixed-1] == 1}
	s.work.SetBytes((*[32]byte)(b[4+idSize:]))
	s.filters, err = decodeRanges(b[fixed:], s.tip.Height)
	if err == nil && (s.from > s.tip.Height || s.tip.Height > maxHeight) {
		err = fmt.Errorf("what was set aside begins at %d and ends at %d", s.from, s.tip.Height)
	}
	return s, err
}

package coverage

import (
	"encoding/binary"

	"dcrspv/spv/chain"
)

// Encode is a coverage in bytes: (from 4, to 4)*, big endian. Equal sets of heights have
// equal bytes.
func Encode(covered chain.Ranges) []byte {
	b := make([]byte, 0, 8*len(covered))
	for _, r := range covered {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, r.From), r.To)
	}
	return b
}

// Decode reads what Encode has made; !ok if it is anything else.
func Decode(b []byte) (covered chain.Ranges, ok bool) {
	for ; len(b) >= 8; b = b[8:] {
		r := chain.Range{From: binary.BigEndian.Uint32(b), To: binary.BigEndian.Uint32(b[4:])}
		if r.From > r.To || len(covered) > 0 && r.From <= covered[len(covered)-1].To {
			return nil, false
		}
		covered = append(covered, r)
	}
	return covered, len(b) == 0
}

package spvtest

import "dcrspv/spv/chain"

// segmentBlocks is how many blocks a segment holds.
const segmentBlocks = 1024

// segment is the packed storage of consecutive blocks: it grows by appending,
// and what is in it never changes.
type segment struct {
	headers []chain.Header
	filters []byte   // of all blocks, one after the other
	ends    []uint32 // where the filter of a block ends in filters
}

// add appends a block.
func (s *segment) add(h *chain.Header, filter []byte) {
	s.headers = append(s.headers, *h)
	s.filters = append(s.filters, filter...)
	s.ends = append(s.ends, uint32(len(s.filters)))
}

// filter returns the filter of the i-th block.
func (s *segment) filter(i uint32) []byte {
	var start uint32
	if i > 0 {
		start = s.ends[i-1]
	}
	end := s.ends[i]
	return s.filters[start:end:end]
}

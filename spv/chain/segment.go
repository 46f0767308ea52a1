package chain

import (
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// segment is a run of consecutive headers of one branch in memory.
//
// Its elements are written once: a segment that is shortened gives up its
// memory beyond the end, and one that loses its beginning moves to new memory.
// So a slice of it may be lent to another goroutine.
type segment struct {
	base    uint32          // height of the first header
	below   uint256.Uint256 // total work of the chain below the first header
	headers []Header
	hashes  []chainhash.Hash
	works   []uint256.Uint256 // total work of the chain up to each header
}

// len is the number of headers.
func (s *segment) len() int { return len(s.headers) }

// next is the height after the last header.
func (s *segment) next() uint32 { return s.base + uint32(len(s.headers)) }

// fork is the height of the block that the first header builds on.
func (s *segment) fork() uint32 { return s.base - 1 }

// tip is the last block. The segment must not be empty.
func (s *segment) tip() BlockID {
	return BlockID{Height: s.next() - 1, Hash: s.hashes[len(s.hashes)-1]}
}

// work is the total work of the chain that ends with the segment.
func (s *segment) work() *uint256.Uint256 {
	if len(s.works) == 0 {
		return &s.below
	}
	return &s.works[len(s.works)-1]
}

// at is the header at height; nil if the segment does not hold it.
func (s *segment) at(height uint32) *Header {
	if height < s.base || height >= s.next() {
		return nil
	}
	return &s.headers[height-s.base]
}

// holds reports whether the block is in the segment.
func (s *segment) holds(id BlockID) bool {
	return id.Height >= s.base && id.Height < s.next() && s.hashes[id.Height-s.base] == id.Hash
}

// push appends the next header.
func (s *segment) push(h *Header, hash *chainhash.Hash) {
	total := Work(h.Bits())
	total.Add(s.work())
	s.headers = append(s.headers, *h)
	s.hashes = append(s.hashes, *hash)
	s.works = append(s.works, total)
}

// grow makes room for n more headers.
func (s *segment) grow(n int) {
	s.headers = slices.Grow(s.headers, n)
	s.hashes = slices.Grow(s.hashes, n)
	s.works = slices.Grow(s.works, n)
}

// join appends the headers of x, which must continue s.
func (s *segment) join(x *segment) {
	s.headers = append(s.headers, x.headers...)
	s.hashes = append(s.hashes, x.hashes...)
	s.works = append(s.works, x.works...)
}

// upTo is the part up to and including height, sharing memory with s.
func (s *segment) upTo(height uint32) segment {
	n := min(int(height-s.fork()), s.len())
	return segment{s.base, s.below, slices.Clip(s.headers[:n]), slices.Clip(s.hashes[:n]), slices.Clip(s.works[:n])}
}

// from is the part from height on, in memory of its own.
func (s *segment) from(height uint32) segment {
	if height <= s.base {
		return segment{s.base, s.below, slices.Clone(s.headers), slices.Clone(s.hashes), slices.Clone(s.works)}
	}
	n := height - s.base
	return segment{height, s.works[n-1], slices.Clone(s.headers[n:]), slices.Clone(s.hashes[n:]), slices.Clone(s.works[n:])}
}

// common is the number of headers that the two segments begin with in common.
func (s *segment) common(x *segment) int {
	if s.base != x.base {
		return 0
	}
	n := 0
	for n < s.len() && n < x.len() && s.hashes[n] == x.hashes[n] {
		n++
	}
	return n
}

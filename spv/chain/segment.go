package chain

import (
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/math/uint256"
)

// segment is a run of consecutive headers of one branch in memory.
type segment struct {
	base    uint32          // height of the first header
	below   uint256.Uint256 // total work of the chain below the first header
	headers column[Header]
	hashes  column[chainhash.Hash]
	works   column[uint256.Uint256] // total work of the chain up to each header
}

// len is the number of headers.
func (s *segment) len() int { return s.headers.len() }

// next is the height after the last header.
func (s *segment) next() uint32 { return s.base + uint32(s.len()) }

// fork is the height of the block that the first header builds on.
func (s *segment) fork() uint32 { return s.base - 1 }

// tip is the last block. The segment must not be empty.
func (s *segment) tip() BlockID {
	return BlockID{Height: s.next() - 1, Hash: *s.hashes.last()}
}

// work is the total work of the chain that ends with the segment.
func (s *segment) work() *uint256.Uint256 {
	if s.len() == 0 {
		return &s.below
	}
	return s.works.last()
}

// at is the header at height; nil if the segment does not hold it.
func (s *segment) at(height uint32) *Header {
	if height < s.base || height >= s.next() {
		return nil
	}
	return s.headers.at(int(height - s.base))
}

// hash is the hash of the block at a height that the segment holds.
func (s *segment) hash(height uint32) chainhash.Hash { return *s.hashes.at(int(height - s.base)) }

// workAt is the total work up to a height that the segment holds.
func (s *segment) workAt(height uint32) uint256.Uint256 { return *s.works.at(int(height - s.base)) }

// holds reports whether the block is in the segment.
func (s *segment) holds(id BlockID) bool {
	return id.Height >= s.base && id.Height < s.next() && s.hash(id.Height) == id.Hash
}

// push appends the next header.
func (s *segment) push(h *Header, hash *chainhash.Hash) {
	total := Work(h.Bits())
	total.Add(s.work())
	s.headers.push(*h)
	s.hashes.push(*hash)
	s.works.push(total)
}

// join appends the headers of x, which must continue s.
func (s *segment) join(x *segment) {
	s.headers.pushAll(&x.headers)
	s.hashes.pushAll(&x.hashes)
	s.works.pushAll(&x.works)
}

// upTo is the part up to and including height, sharing memory with s.
func (s *segment) upTo(height uint32) segment {
	n := min(int(height-s.fork()), s.len())
	return segment{s.base, s.below, s.headers.first(n), s.hashes.first(n), s.works.first(n)}
}

// from is the part from height on, in memory of its own.
func (s *segment) from(height uint32) segment {
	base, below := s.base, s.below
	if height > base {
		base, below = height, s.workAt(height-1)
	}
	n := int(base - s.base)
	return segment{base, below, s.headers.from(n), s.hashes.from(n), s.works.from(n)}
}

// dropBelow drops the headers below a height that the segment holds.
func (s *segment) dropBelow(height uint32) {
	if height <= s.base {
		return
	}
	n := int(height - s.base)
	s.base, s.below = height, s.workAt(height-1)
	s.headers.drop(n)
	s.hashes.drop(n)
	s.works.drop(n)
}

// common is the number of headers that the two segments begin with in common.
func (s *segment) common(x *segment) int {
	if s.base != x.base {
		return 0
	}
	n := 0
	for n < s.len() && n < x.len() && *s.hashes.at(n) == *x.hashes.at(n) {
		n++
	}
	return n
}

package filters

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Matcher is the scratch memory of matching, for one goroutine. The zero value
// is ready for use. It grows to the largest filter seen: about 14 bytes for each
// script in the block.
type Matcher struct {
	values []uint64 // of the filter at hand, ascending
	bitmap []uint64 // bit i: some value has value>>bucketBits == i
}

// bucketBits sets the grain of the bitmap. The values of a filter are on average
// 784931 apart, so about one bucket in 48 is taken: one script in 48 passes the
// bitmap by chance, and the bitmap of a usual block (100 scripts) is 600 bytes.
const bucketBits = 14

// Match reports whether any script of q may be in the block whose filter this
// is. No is certain; yes may be wrong, once in 784,931 pairs of script and block.
// key is the first 16 bytes of the block's merkle root. An empty filter matches
// nothing. Match keeps no reference to filter.
//
// ErrFilter is returned if filter is not a serialized version 2 filter; memory
// is bounded by its length in any case.
func (m *Matcher) Match(q *Query, key [16]byte, filter []byte) (bool, error) {
	if len(filter) == 0 {
		return false, nil
	}
	n, stream, err := parseCount(filter)
	if err != nil {
		return false, err
	}
	m.values, err = decode(slices.Grow(m.values[:0], int(n)), n, stream)
	if err != nil || n == 0 {
		return false, err
	}
	m.fillBitmap(n)

	s := newSipState(binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:]))
	modulus := n * falsePositive
	for i := range q.groups {
		if m.matchGroup(&q.groups[i], s, modulus) {
			return true, nil
		}
	}
	return false, nil
}

// fillBitmap makes the bitmap of the n decoded values.
func (m *Matcher) fillBitmap(n uint64) {
	size := int((n*falsePositive)>>(bucketBits+6)) + 1
	m.bitmap = slices.Grow(m.bitmap[:0], size)[:size]
	clear(m.bitmap)
	for _, v := range m.values {
		b := v >> bucketBits
		m.bitmap[b>>6] |= 1 << (b & 63)
	}
}

// matchGroup reports whether any script of the group is in the decoded filter.
func (m *Matcher) matchGroup(g *group, s sipState, modulus uint64) bool {
	data, words := g.data, g.words
	for len(data) >= 2*words {
		x, y := s.hash2(data[:words], data[words:2*words])
		if m.contains(x, modulus) || m.contains(y, modulus) {
			return true
		}
		data = data[2*words:]
	}
	if len(data) == 0 {
		return false
	}
	x, _ := s.hash2(data, data) // an odd one
	return m.contains(x, modulus)
}

// contains reports whether the filter holds the value of a script's hash, which
// is the hash scaled from 64 bits to the range of the filter's values by the
// high half of a product (dcrd: gcs.fastReduce).
func (m *Matcher) contains(hash, modulus uint64) bool {
	v, _ := bits.Mul64(hash, modulus)
	b := v >> bucketBits
	if m.bitmap[b>>6]>>(b&63)&1 == 0 {
		return false
	}
	_, found := slices.BinarySearch(m.values, v)
	return found
}

package filters

import (
	"encoding/binary"
	"math/bits"
)

// Matcher is the scratch memory of matching, for one goroutine. The zero value
// is ready for use. It grows to the largest filter seen: about 60 bytes for each
// script in the block.
type Matcher struct {
	filter decoded
	values [maxStep]uint64 // of the scripts at hand
}

// maxStep is the number of scripts that are looked up in one step, at most.
const maxStep = 2 * lanes

// Match reports whether any script of q may be in the block of this filter. No is certain; yes may be wrong, once in 784,931 pairs of script and block.
// key is the first 16 bytes of the block's merkle root. An empty filter matches
// nothing. Match keeps no reference to filter.
//
// ErrFilter is returned if filter is not a serialized version 2 filter; memory
// is bounded by its length in any case.
func (m *Matcher) Match(q *Query, key [16]byte, filter []byte) (bool, error) {
	return m.match(q.kernel, q, key, filter)
}

func (m *Matcher) match(k kernel, q *Query, key [16]byte, filter []byte) (bool, error) {
	if len(filter) == 0 {
		return false, nil
	}
	n, stream, err := parseCount(filter)
	if err != nil {
		return false, err
	}
	if err := m.filter.decode(k, n, stream, grain(n)); err != nil || n == 0 {
		return false, err
	}
	s := newSipState(binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:]))
	for i := range q.groups {
		if m.matchGroup(k, &q.groups[i], &s) {
			return true, nil
		}
	}
	return false, nil
}

// matchGroup reports whether any script of the group is in the decoded filter.
func (m *Matcher) matchGroup(k kernel, g *group, s *sipState) bool {
	for next := 0; next < g.blocks; {
		var hits uint64
		next, hits = k.search(&m.filter, g, next, s, &m.values)
		for ; hits != 0; hits &= hits - 1 {
			if m.filter.has(m.values[bits.TrailingZeros64(hits)]) {
				return true
			}
		}
	}
	return false
}

// grain is how coarsely the n values of a filter are marked: by how many bits they are
// shortened, so that one script in 383 hits a mark by chance. The marks of a large filter
// are kept within 256 KiB, which the nearest caches hold.
func grain(n uint64) uint64 {
	const (
		finest   = 11
		maxMarks = 1 << 18
	)
	shift := uint64(finest)
	for n*falsePositive>>shift > maxMarks && shift < 32 {
		shift++
	}
	return shift
}

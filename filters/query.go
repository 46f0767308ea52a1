package filters

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Query is a set of scripts prepared for matching. It is immutable and safe for
// concurrent use.
type Query struct {
	groups []group
	count  int
	kernel kernel // what this processor matches fastest with
}

// lanes is the number of scripts in a block, what the widest vectors hold.
const lanes = 8

// group holds scripts of the same number of SipHash message words, in blocks of
// eight: the first words of the eight scripts, then their second words, and so
// on. So one load fills a vector, and the hash loop never looks at lengths. The
// last script fills up the last block.
type group struct {
	words  int // of one script
	count  int // of scripts
	blocks int
	data   []uint64
}

// NewQuery prepares scripts for matching. Empty scripts are dropped, since a
// filter never holds them, and duplicates count once. The scripts are copied:
// the caller keeps its slices. Memory is the scripts' own bytes, each padded to
// a multiple of eight, and their number, length by length, to another.
func NewQuery(scripts [][]byte) *Query {
	sorted := make([][]byte, 0, len(scripts))
	for _, s := range scripts {
		if len(s) > 0 {
			sorted = append(sorted, s)
		}
	}
	// Sorted by words, then by content: groups and duplicates become runs.
	slices.SortFunc(sorted, func(a, b []byte) int {
		if d := messageWords(a) - messageWords(b); d != 0 {
			return d
		}
		return bytes.Compare(a, b)
	})
	sorted = slices.CompactFunc(sorted, bytes.Equal)

	q := &Query{count: len(sorted), kernel: bestKernel()}
	for len(sorted) > 0 {
		words := messageWords(sorted[0])
		n := slices.IndexFunc(sorted, func(s []byte) bool { return messageWords(s) != words })
		if n < 0 {
			n = len(sorted)
		}
		q.groups = append(q.groups, newGroup(sorted[:n]))
		sorted = sorted[n:]
	}
	return q
}

// newGroup packs scripts of the same number of words.
func newGroup(scripts [][]byte) group {
	words := messageWords(scripts[0])
	blocks := (len(scripts) + lanes - 1) / lanes
	g := group{words: words, count: len(scripts), blocks: blocks, data: make([]uint64, blocks*words*lanes)}
	message := make([]uint64, 0, words)
	for i := range blocks * lanes {
		message = appendMessage(message[:0], scripts[min(i, len(scripts)-1)])
		for w, m := range message {
			g.data[g.at(i, w)] = m
		}
	}
	return g
}

// Union returns a query that matches what any of the given ones does. It costs some 100
// nanoseconds a script. A script of several of them counts once for each.
func Union(queries ...*Query) *Query {
	u := &Query{kernel: bestKernel()}
	for _, q := range queries {
		u.count += q.count
		for i := range q.groups {
			g := &q.groups[i]
			at := slices.IndexFunc(u.groups, func(have group) bool { return have.words == g.words })
			if at < 0 {
				at = len(u.groups)
				u.groups = append(u.groups, group{words: g.words})
			}
			u.groups[at].append(g)
		}
	}
	return u
}

// append adds the scripts of another group with messages of the same length.
func (g *group) append(other *group) {
	total := g.count + other.count
	blocks := (total + lanes - 1) / lanes
	g.data = slices.Grow(g.data, max(blocks*g.words*lanes-len(g.data), 0))[:blocks*g.words*lanes]
	for i := g.count; i < blocks*lanes; i++ {
		from := min(i-g.count, other.count-1) // the last one fills up the last block
		for w := range g.words {
			g.data[g.at(i, w)] = other.data[other.at(from, w)]
		}
	}
	g.count, g.blocks = total, blocks
}

// at is where a word of a script stands.
func (g *group) at(script, word int) int {
	return script/lanes*g.words*lanes + word*lanes + script%lanes
}

// Len returns the number of distinct scripts in the query.
func (q *Query) Len() int { return q.count }

// messageWords returns the number of 64-bit words SipHash makes of a script: its
// whole words, and one for the rest and the length.
func messageWords(script []byte) int { return len(script)/8 + 1 }

// appendMessage appends a script as SipHash message words: little endian, the
// last one padded with zeros and with the length, modulo 256, in its top byte.
func appendMessage(dst []uint64, script []byte) []uint64 {
	last := uint64(len(script)) << 56
	for ; len(script) >= 8; script = script[8:] {
		dst = append(dst, binary.LittleEndian.Uint64(script))
	}
	for i, c := range script {
		last |= uint64(c) << (8 * i)
	}
	return append(dst, last)
}

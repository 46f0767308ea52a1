package filters

import "math/bits"

// sipState is the state of SipHash-2-4, v0 to v3, after it has taken the key. All
// scripts tested against one filter start from the same state.
type sipState [4]uint64

// newSipState returns the state for the 128-bit key k0, k1 (its first and second
// eight bytes, little endian).
func newSipState(k0, k1 uint64) sipState {
	return sipState{
		k0 ^ 0x736f6d6570736575,
		k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573,
	}
}

// hash2 returns the 64-bit SipHash-2-4 of the first two scripts of data, which
// holds one word of each of eight scripts, then the next words, and so on (see
// group). A SipHash round is a chain of dependent operations that leaves much of
// the processor idle; two chains interleaved take less time than one after the
// other.
func (s *sipState) hash2(data []uint64, words int) (uint64, uint64) {
	v0, v1, v2, v3 := s[0], s[1], s[2], s[3]
	w0, w1, w2, w3 := s[0], s[1], s[2], s[3]
	for range words {
		m, n := data[0], data[1]
		data = data[min(lanes, len(data)):]
		v3 ^= m
		w3 ^= n
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
		v0 ^= m
		w0 ^= n
	}
	v2 ^= 0xff
	w2 ^= 0xff
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	w0, w1, w2, w3 = sipRound(w0, w1, w2, w3)
	return v0 ^ v1 ^ v2 ^ v3, w0 ^ w1 ^ w2 ^ w3
}

// sipRound is one SipRound.
func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v2 += v3
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v1
	v0 += v3
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

// search looks the scripts of g up among the marks, from the block from on. It
// stops after the first block in which one is hit: then bit i of hits stands
// for values[i]. next is the block to go on with.
//
// A script's value is its hash scaled from 64 bits to the range of the filter's
// values, by the high half of a product (dcrd: gcs.fastReduce).
func (d *decoded) search(g *group, from int, s *sipState, values *[maxStep]uint64) (next int, hits uint64) {
	size := g.words * lanes
	for next = from; next < g.blocks && hits == 0; next++ {
		block := g.data[next*size:][:size]
		for i := 0; i < min(lanes, g.count-next*lanes); i += 2 {
			x, y := s.hash2(block[i:], g.words)
			x, _ = bits.Mul64(x, d.modulus)
			y, _ = bits.Mul64(y, d.modulus)
			values[i], values[i+1] = x, y
			x, y = x>>d.shift, y>>d.shift
			if d.marks[x] == d.mark {
				hits |= 1 << i
			}
			if d.marks[y] == d.mark {
				hits |= 1 << (i + 1)
			}
		}
	}
	return next, hits
}

package filters

import "math/bits"

// sipState is the state of SipHash-2-4 after it has taken the key. All scripts
// tested against one filter start from the same state.
type sipState struct{ v0, v1, v2, v3 uint64 }

// newSipState returns the state for the 128-bit key k0, k1 (its first and second
// eight bytes, little endian).
func newSipState(k0, k1 uint64) sipState {
	return sipState{
		v0: k0 ^ 0x736f6d6570736575,
		v1: k1 ^ 0x646f72616e646f6d,
		v2: k0 ^ 0x6c7967656e657261,
		v3: k1 ^ 0x7465646279746573,
	}
}

// hash2 returns the 64-bit SipHash-2-4 of two messages of equal length, given as
// padded words (see appendMessage). A SipHash round is a chain of dependent
// operations that leaves much of the processor idle; two chains interleaved take
// less time than one after the other.
func (s sipState) hash2(a, b []uint64) (uint64, uint64) {
	b = b[:len(a)]
	v0, v1, v2, v3 := s.v0, s.v1, s.v2, s.v3
	w0, w1, w2, w3 := s.v0, s.v1, s.v2, s.v3
	for i, m := range a {
		n := b[i]
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

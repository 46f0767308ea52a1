package filters

import (
	"math/rand/v2"
	"testing"

	"github.com/dchest/siphash"
)

// TestSipHash compares hash2 to the reference package, for every
// length that can matter and then some.
func TestSipHash(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for length := range 600 {
		a, b := randomBytes(rng, length), randomBytes(rng, length)
		k0, k1 := rng.Uint64(), rng.Uint64()
		s := newSipState(k0, k1)
		ma, mb := appendMessage(nil, a), appendMessage(nil, b)
		wantA, wantB := siphash.Hash(k0, k1, a), siphash.Hash(k0, k1, b)
		gotA, gotB := s.hash2(ma, mb)
		if gotA != wantA || gotB != wantB {
			t.Fatalf("length %d: hash2 %x %x, want %x %x", length, gotA, gotB, wantA, wantB)
		}
	}
}

func BenchmarkSipHash25(b *testing.B) {
	script := make([]byte, 25)
	msg := appendMessage(nil, script)
	b.Run("reference", func(b *testing.B) {
		for b.Loop() {
			siphash.Hash(1, 2, script)
		}
	})
	b.Run("two", func(b *testing.B) {
		s := newSipState(1, 2)
		for b.Loop() {
			s.hash2(msg, msg)
		}
	})
}

func randomBytes(rng *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

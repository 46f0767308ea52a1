package filters

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/dchest/siphash"
)

// checkSearch compares a kernel's search for scripts, all of as many words, to
// the reference SipHash. The marks are random, one in eight of the
// filter's own.
func checkSearch(tb testing.TB, k kernel, key [16]byte, modulus uint64, scripts [][]byte) {
	tb.Helper()
	k0, k1 := binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])
	s := newSipState(k0, k1)
	d := decoded{modulus: modulus}
	for modulus>>d.shift > 1<<12 {
		d.shift++
	}
	rng := rand.New(rand.NewPCG(k0, modulus))
	d.mark = uint8(1 + rng.IntN(255))
	d.marks = make([]uint8, modulus>>d.shift+1)
	for i := range d.marks {
		d.marks[i] = uint8(rng.IntN(int(d.mark)))
		if rng.IntN(8) == 0 {
			d.marks[i] = d.mark
		}
	}
	var want []uint64 // values that are marked
	g := newGroup(scripts)
	for _, script := range scripts {
		v, _ := bits.Mul64(siphash.Hash(k0, k1, script), modulus)
		if d.marks[v>>d.shift] == d.mark {
			want = append(want, v)
		}
	}
	var values [maxStep]uint64
	var lastSeen uint64
	for next := 0; next < g.blocks; {
		was := next
		var hits uint64
		next, hits = k.search(&d, &g, was, &s, &values)
		if next <= was || next > g.blocks || hits == 0 && next < g.blocks {
			tb.Fatalf("%v: from block %d of %d to %d, hits %b", k, was, g.blocks, next, hits)
		}
		for ; hits != 0; hits &= hits - 1 {
			v := values[bits.TrailingZeros64(hits)]
			if v == lastSeen && len(want) == 0 {
				continue // the last script fills up its block
			}
			if len(want) == 0 || v != want[0] {
				tb.Fatalf("%v: %d scripts of %d bytes: hit %d, want %d", k, len(scripts), len(scripts[0]), v, want)
			}
			want, lastSeen = want[1:], v
		}
	}
	if len(want) > 0 {
		tb.Fatalf("%v: %d scripts of %d bytes: missed %d", k, len(scripts), len(scripts[0]), want)
	}
}

// TestSearch covers every length that can matter and then some, every number of
// blocks that loops may end at, and moduli of both sizes.
func TestSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for length := 1; length < 600; length++ {
		scripts := make([][]byte, 1+rng.IntN(60))
		for i := range scripts {
			scripts[i] = randomBytes(rng, length)
		}
		key := [16]byte(randomBytes(rng, 16))
		modulus := (1 + rng.Uint64N(5471)) * falsePositive
		if length%50 == 0 {
			modulus = rng.Uint64() >> 20
		}
		for _, k := range kernels() {
			checkSearch(t, k, key, modulus, scripts)
		}
	}
}

// BenchmarkSipHash is what hashing costs without anything else, a script of 25
// bytes.
func BenchmarkSipHash(b *testing.B) {
	const n = 1024
	rng := rand.New(rand.NewPCG(3, 4))
	scripts := make([][]byte, n)
	for i := range scripts {
		scripts[i] = randomBytes(rng, 25)
	}
	perScript := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/script")
	}
	b.Run("reference", func(b *testing.B) {
		for b.Loop() {
			for _, s := range scripts {
				siphash.Hash(1, 2, s)
			}
		}
		perScript(b)
	})
	g := newGroup(scripts)
	s := newSipState(1, 2)
	d := decoded{modulus: 90 * falsePositive, shift: 11, mark: 1}
	d.marks = make([]uint8, d.modulus>>d.shift+1)
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) {
			var values [maxStep]uint64
			for b.Loop() {
				k.search(&d, &g, 0, &s, &values)
			}
			perScript(b)
		})
	}
}

func randomBytes(rng *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

package filters

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// encodeValues is the plainest possible inverse of decode: one bit at a time.
func encodeValues(values []uint64) []byte {
	var stream []byte
	var bit int
	put := func(one bool) {
		if bit%8 == 0 {
			stream = append(stream, 0)
		}
		if one {
			stream[bit/8] |= 0x80 >> (bit % 8)
		}
		bit++
	}
	var last uint64
	for _, v := range values {
		delta := v - last
		last = v
		for range delta >> remainderBits {
			put(true)
		}
		put(false)
		for i := remainderBits - 1; i >= 0; i-- {
			put(delta>>i&1 == 1)
		}
	}
	return stream
}

// TestDecode covers what random filters don't: runs of ones of every length, at
// every bit position, up to the end of the stream.
func TestDecode(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for quotient := range uint64(200) {
		for shift := range 9 { // values before the long one move it by 20 bits each
			var values []uint64
			for range shift {
				values = append(values, uint64(len(values)+1)<<8)
			}
			values = append(values, quotient<<remainderBits|rng.Uint64N(1<<remainderBits)+1<<14)
			n := uint64(max(len(values), int(quotient)+1)) // large enough a range
			stream := encodeValues(values)
			got, err := decode(nil, n, stream)
			if len(got) < len(values) || !slices.Equal(got[:len(values)], values) {
				t.Fatalf("quotient %d, after %d values: got %v (%v), want %v", quotient, shift, got, err, values)
			}
			if n > uint64(len(values)) && err == nil {
				t.Fatalf("quotient %d: %d values of a stream of %d", quotient, n, len(values))
			}
			for cut := range min(len(stream), 30) {
				if got, err := decode(nil, uint64(len(values)), stream[:cut]); err == nil {
					t.Fatalf("quotient %d: %d of %d bytes decode to %v", quotient, cut, len(stream), got)
				}
			}
		}
	}
}

func BenchmarkDecode100(b *testing.B) {
	rng := rand.New(rand.NewPCG(13, 14))
	filters := make([][]byte, 64)
	for i := range filters {
		key := [16]byte(randomBytes(rng, 16))
		scripts := make([][]byte, 100)
		for j := range scripts {
			scripts[j] = randomBytes(rng, 25)
		}
		filters[i] = dcrdFilter(b, key, scripts)
	}
	var m Matcher
	for i := 0; b.Loop(); i++ {
		n, stream, err := parseCount(filters[i%len(filters)])
		if err != nil {
			b.Fatal(err)
		}
		if m.values, err = decode(m.values[:0], n, stream); err != nil {
			b.Fatal(err)
		}
	}
}

package filters

import (
	"fmt"
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

// decodeValues decodes n values by a kernel and checks the marks.
func decodeValues(tb testing.TB, k kernel, n uint64, stream []byte) ([]uint64, error) {
	tb.Helper()
	const shift = 13
	d := &decoded{marks: []uint8{1, 2, 3}, mark: 3, stream: []byte("of the filter before")}
	if err := d.decode(k, n, stream, shift); err != nil {
		return d.values, err
	}
	checkMarks(tb, k, d)
	return d.values, nil
}

// checkMarks checks that the values are marked, and nothing else is.
func checkMarks(tb testing.TB, k kernel, d *decoded) {
	tb.Helper()
	set := map[uint64]bool{}
	for _, v := range d.values {
		set[v>>d.shift] = true
	}
	for i, m := range d.marks {
		if m > d.mark || m == d.mark != set[uint64(i)] {
			tb.Fatalf("%v: mark %d of %v is %d, that of the filter %d", k, i, d.values, m, d.mark)
		}
	}
}

// TestMarks: what a filter has marked is of no meaning for those after it,
// however many there are and whatever their sizes.
func TestMarks(t *testing.T) {
	for _, k := range kernels() {
		rng := rand.New(rand.NewPCG(17, 18))
		var d decoded
		for range 2000 {
			values := make([]uint64, 1+rng.IntN(30))
			for i := range values {
				values[i] = rng.Uint64N(uint64(len(values)) * falsePositive)
			}
			slices.Sort(values)
			if err := d.decode(k, uint64(len(values)), encodeValues(values), grain(30)); err != nil {
				t.Fatal(err)
			}
			checkMarks(t, k, &d)
		}
	}
}

// TestDecode covers what random filters don't: runs of ones of every length, at
// every bit position, up to the end of the stream.
func TestDecode(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.String(), func(t *testing.T) { testDecode(t, k) })
	}
}

func testDecode(t *testing.T, k kernel) {
	rng := rand.New(rand.NewPCG(15, 16))
	for quotient := range uint64(100) {
		for shift := range 9 { // values before the long one move it by 20 bits each
			var values []uint64
			for range shift {
				values = append(values, uint64(len(values)+1)<<8)
			}
			values = append(values, quotient<<remainderBits|rng.Uint64N(1<<remainderBits)+1<<14)
			for len(values)%2 == shift%2 || quotient%3 == 0 && len(values) < 20 {
				values = append(values, values[len(values)-1]+rng.Uint64N(1<<16))
			}
			n := uint64(max(len(values), int(quotient)+1)) // large enough a range
			stream := encodeValues(values)
			got, err := decodeValues(t, k, n, stream)
			if len(got) < len(values) || !slices.Equal(got[:len(values)], values) {
				t.Fatalf("quotient %d, after %d values: got %v (%v), want %v", quotient, shift, got, err, values)
			}
			if n > uint64(len(values)) && err == nil {
				t.Fatalf("quotient %d: %d values of a stream of %d", quotient, n, len(values))
			}
			for cut := range min(len(stream), 30) {
				if got, err := decodeValues(t, k, uint64(len(values)), stream[:cut]); err == nil {
					t.Fatalf("quotient %d: %d of %d bytes decode to %v", quotient, cut, len(stream), got)
				}
			}
		}
	}
}

// A value in the range, and the first one beyond it, at the first and the second
// place of a pair and alone.
func TestDecodeRange(t *testing.T) {
	for _, k := range kernels() {
		for n := uint64(1); n < 6; n++ {
			for over := range uint64(2) {
				values := make([]uint64, n)
				for i := range values {
					values[i] = n*falsePositive - 1 + over
				}
				got, err := decodeValues(t, k, n, encodeValues(values))
				if over == 0 && (err != nil || !slices.Equal(got, values)) {
					t.Errorf("%v: the last value, %d times: %v, %v", k, n, got, err)
				}
				if over == 1 && err == nil {
					t.Errorf("%v: a value out of range, %d times: %v", k, n, got)
				}
			}
		}
	}
}

// BenchmarkDecode is the decoding of filters by the number of their values.
func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{5, 20, 90, 400, 2000} {
		samples := randomFilters(b, n)
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("values=%d/%v", n, k), func(b *testing.B) {
				var d decoded
				for i := 0; b.Loop(); i++ {
					n, stream, err := parseCount(samples[i%len(samples)].filter)
					if err != nil {
						b.Fatal(err)
					}
					if err := d.decode(k, n, stream, grain(n)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

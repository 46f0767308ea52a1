package filters

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
)

// sample is a filter and its block's key.
type sample struct {
	key    [16]byte
	filter []byte
}

// randomFilters makes 1000 filters of n values. Few would be learnt by heart by the
// processor's branch predictor (64 of them make MatchAny, which sorts, a third
// faster), and a chain's filters are met once each.
func randomFilters(tb testing.TB, n int) []sample {
	tb.Helper()
	rng := rand.New(rand.NewPCG(13, 14))
	samples := make([]sample, 1000)
	for i := range samples {
		key := [16]byte(randomBytes(rng, 16))
		scripts := make([][]byte, n)
		for j := range scripts {
			scripts[j] = randomBytes(rng, 25)
		}
		samples[i] = sample{key, dcrdFilter(tb, key, scripts)}
	}
	return samples
}

// BenchmarkMatch compares the kernels to dcrd's MatchAny, by the number of
// scripts, on filters of 90 values (241 bytes, the average of mainnet).
func BenchmarkMatch(b *testing.B) {
	samples := randomFilters(b, 90)
	for _, n := range []int{1, 5, 20, 100, 1000, 10000, 100000, 200000} {
		b.Run(fmt.Sprintf("scripts=%d", n), func(b *testing.B) { benchmarkMatch(b, samples, n) })
	}
}

// BenchmarkMatchFilter is the same by the number of the filter's values.
func BenchmarkMatchFilter(b *testing.B) {
	for _, values := range []int{5, 20, 90, 400, 2000} {
		samples := randomFilters(b, values)
		for _, n := range []int{1, 20, 1000} {
			b.Run(fmt.Sprintf("values=%d/scripts=%d", values, n), func(b *testing.B) { benchmarkMatch(b, samples, n) })
		}
	}
}

// benchmarkMatch asks for n scripts that no filter has, as nearly every block
// has none that is wanted.
func benchmarkMatch(b *testing.B, samples []sample, n int) {
	rng := rand.New(rand.NewPCG(11, 12))
	scripts := make([][]byte, n)
	for i := range scripts {
		scripts[i] = randomBytes(rng, 25)
	}
	perScript := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/script")
	}
	q := NewQuery(scripts)
	samples = slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { // false positives end early
		hit, err := new(Matcher).Match(q, s.key, s.filter)
		return hit || err != nil
	})
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) {
			var m Matcher
			for i := 0; b.Loop(); i++ {
				s := &samples[i%len(samples)]
				if _, err := m.match(k, q, s.key, s.filter); err != nil {
					b.Fatal(err)
				}
			}
			perScript(b)
		})
	}
	b.Run("MatchAny", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s := &samples[i%len(samples)]
			f, err := gcs.FromBytesV2(blockcf2.B, blockcf2.M, s.filter)
			if err != nil {
				b.Fatal(err)
			}
			f.MatchAny(s.key, scripts)
		}
		perScript(b)
	})
}

package filters

import (
	"testing"

	"github.com/decred/dcrd/crypto/blake256"
)

// An empty filter hashes to zeroes, any other to the blake256 of its bytes.
// Rule 11.
func TestHash(t *testing.T) {
	if h := Hash(nil); h != [32]byte{} {
		t.Errorf("hash of nothing: %v", h)
	}
	data := []byte{1, 2, 3}
	if h := Hash(data); h != blake256.Sum256(data) {
		t.Errorf("hash %v", h)
	}
}

// BenchmarkHash is the verification of one filter of 241 bytes, the average of
// about 90 scripts.
func BenchmarkHash(b *testing.B) {
	filter := make([]byte, 241)
	b.SetBytes(int64(len(filter)))
	for b.Loop() {
		Hash(filter)
	}
	b.ReportMetric(1e9/(float64(b.Elapsed().Nanoseconds())/float64(b.N)), "filters/s")
}

package chain

import (
	"testing"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

// checkWorkAgainstStandalone fails if standalone would reject the work of h.
func checkWorkAgainstStandalone(t *testing.T, r *Rules, h *Header) {
	t.Helper()
	hash := r.PowHash(h)
	if err := standalone.CheckProofOfWork(&hash, h.Bits(), r.params.PowLimit); err != nil {
		t.Fatalf("accepted: %v", err)
	}
}

// Rule 10.
func TestCheckWorkBoundaries(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	target := func(top ...byte) (h chainhash.Hash) { // big endian from the top
		for i, b := range top {
			h[31-i] = b
		}
		return h
	}
	tests := []struct {
		name string
		hash chainhash.Hash
		bits uint32
		ok   bool
	}{
		{"zero hash", chainhash.Hash{}, 0x1d00ffff, true},
		{"hash equals target", target(0, 0, 0, 0, 0xff, 0xff), 0x1d00ffff, true},
		{"hash one above", func() chainhash.Hash {
			h := target(0, 0, 0, 0, 0xff, 0xff)
			h[0] = 1
			return h
		}(), 0x1d00ffff, false},
		{"target above the limit", chainhash.Hash{}, 0x1d010000, false},
		{"target zero", chainhash.Hash{}, 0x1d000000, false},
		{"target negative", chainhash.Hash{}, 0x1d80ffff, false},
		{"target of more than 256 bits", chainhash.Hash{}, 0xff00ffff, false},
		{"target one", target(), 0x01010000, true},
	}
	for _, tt := range tests {
		err := r.checkWork(&tt.hash, tt.bits)
		if tt.ok {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		wantErr(t, err, ErrProofOfWork)
		if standalone.CheckProofOfWork(&tt.hash, tt.bits, r.params.PowLimit) == nil {
			t.Errorf("%s: standalone accepts", tt.name)
		}
	}
}

// Rule 10.
func TestPowHashByHeight(t *testing.T) {
	main := NewRules(chaincfg.MainNetParams())
	h := counting()
	for _, tt := range []struct {
		r      *Rules
		height uint32
		blake3 bool
	}{
		{main, 1, false}, {main, 794367, false}, {main, 794368, true},
		{NewRules(chaincfg.TestNet3Params()), 1170047, false},
		{NewRules(chaincfg.TestNet3Params()), 1170048, true},
		{simnet(), 1, true},
		{NewRules(chaincfg.RegNetParams()), 1_000_000, false},
	} {
		setHeight(&h, tt.height)
		w := h.Wire()
		want := w.PowHashV1()
		if tt.blake3 {
			want = w.PowHashV2()
		}
		if got := tt.r.PowHash(&h); got != want {
			t.Errorf("%s %d: got %v, want %v", tt.r.params.Name, tt.height, got, want)
		}
	}
}

package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
)

// headersFrom makes headers of consecutive heights with the given targets, one
// second apart, and looks them up.
func headersFrom(first uint32, bits ...uint32) ([]Header, Ancestor) {
	headers := make([]Header, len(bits))
	for i := range headers {
		setHeight(&headers[i], first+uint32(i))
		setTime(&headers[i], 1_600_000_000+uint32(i))
		setBits(&headers[i], bits[i])
	}
	return headers, func(height uint32) *Header {
		if i := int(height) - int(first); i >= 0 && i < len(headers) {
			return &headers[i]
		}
		return nil
	}
}

// Rule 10.
func TestTestNet3EasedTarget(t *testing.T) {
	r := NewRules(chaincfg.TestNet3Params())
	const limit, real = 0x1e00ffff, 0x1d03ffff
	for _, tt := range []struct {
		name  string
		first uint32
		bits  []uint32
		delay uint32
		want  uint32
	}{
		{"in time", 1000, []uint32{real}, 600, real},
		{"late", 1000, []uint32{real}, 601, limit},
		{"in time after an eased block", 1000, []uint32{real, limit, limit}, 600, real},
		{"late after an eased block", 1000, []uint32{real, limit, limit}, 601, limit},
		{"search ends at a multiple of the span", 2879, []uint32{real, limit, limit}, 1, limit},
		{"search passes a window's first block", 1439, []uint32{real, limit, limit}, 1, real},
		{"not known", 1000, []uint32{limit}, 1, 0},
		{"no longer", 962928, []uint32{real}, 601, real},
		{"no longer searched", 962928, []uint32{real, limit}, 1, limit},
		{"last time", 962926, []uint32{real}, 601, limit},
	} {
		headers, anc := headersFrom(tt.first, tt.bits...)
		prev := &headers[len(headers)-1]
		if got := r.NextBits(prev, prev.Timestamp()+tt.delay, anc); got != tt.want {
			t.Errorf("%s: got %08x, want %08x", tt.name, got, tt.want)
		}
	}
}

// Rule 10.
func TestTestNet3CapOfEma(t *testing.T) {
	r := NewRules(chaincfg.TestNet3Params())
	// Windows that took no time quarter the target, but no further than the cap.
	bits := make([]uint32, 144*21)
	for i := range bits {
		bits[i] = 0x1d05ffff
	}
	next := uint32(962928+144) / 144 * 144
	headers, anc := headersFrom(next-uint32(len(bits)), bits...)
	if got := r.NextBits(&headers[len(headers)-1], 0, anc); got != 0x1d03ffff {
		t.Errorf("capped: got %08x", got)
	}
	headers, anc = headersFrom(next-144*10-uint32(len(bits)), bits...)
	if got := r.NextBits(&headers[len(headers)-1], 0, anc); got != 0x1d017fff {
		t.Errorf("before the cap: got %08x", got)
	}
}

// Rule 10.
func TestTestNet3Spacing(t *testing.T) {
	r := NewRules(chaincfg.TestNet3Params())
	for _, tt := range []struct {
		name    string
		r       *Rules
		height  uint32
		bits    uint32
		seconds uint32
		bad     bool
	}{
		{"59 seconds at the cap", r, 962928, 0x1d03ffff, 59, true},
		{"60 seconds at the cap", r, 962928, 0x1d03ffff, 60, false},
		{"easier than the cap", r, 962928, 0x1d040000, 1, false},
		{"before the rule", r, 962927, 0x1d03ffff, 1, false},
		{"in the blake3 era", r, 1_500_000, 0x1d03ffff, 59, true},
		{"mainnet", NewRules(chaincfg.MainNetParams()), 962928, 0x1900ffff, 1, false},
	} {
		headers, _ := headersFrom(tt.height-1, tt.bits, tt.bits)
		setTime(&headers[1], headers[0].Timestamp()+tt.seconds)
		err := tt.r.checkSpacing(&headers[1], &headers[0])
		if tt.bad {
			wantErr(t, err, ErrSpacing)
		} else if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

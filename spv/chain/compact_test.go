package chain

import (
	"math/big"
	"testing"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/math/uint256"
)

// checkCompact compares expand, compact and Work with standalone.
func checkCompact(t *testing.T, bits uint32) {
	t.Helper()
	want := standalone.CompactToBig(bits)
	n, ok := expand(bits)
	if wantOK := want.Sign() > 0 && want.BitLen() <= 256; ok != wantOK {
		t.Fatalf("%08x: ok %v, value %x", bits, ok, want)
	}
	w := Work(bits)
	if !ok {
		if !w.IsZero() {
			t.Fatalf("%08x: work %v of no target", bits, w)
		}
		return
	}
	if n.ToBig().Cmp(want) != 0 {
		t.Fatalf("%08x: got %v, want %x", bits, n, want)
	}
	if got, want := compact(&n), standalone.BigToCompact(want); got != want {
		t.Fatalf("%08x: compact %08x, want %08x", bits, got, want)
	}
	if want := standalone.CalcWork(bits); w.ToBig().Cmp(want) != 0 {
		t.Fatalf("%08x: work %v, want %x", bits, w, want)
	}
}

func FuzzCompact(f *testing.F) {
	for _, bits := range []uint32{0, 1, 0x00123456, 0x01003456, 0x01123456, 0x01fedcba, 0x02123456,
		0x03123456, 0x04123456, 0x04923456, 0x05009234, 0x1b00a5a6, 0x1d00ffff, 0x1e00ffff, 0x1e03ffff,
		0x207fffff, 0x2100ffff, 0x2200ffff, 0x21010000, 0x23000001, 0xff123456, 0x1d800001} {
		f.Add(bits)
	}
	f.Fuzz(checkCompact)
}

// compact must cut like standalone for numbers of any length.
func TestCompactOfAnyNumber(t *testing.T) {
	for shift := range 256 {
		for _, m := range []uint64{1, 0x7fffff, 0x800000, 0xffffff, 0x1234567890abcdef} {
			n := new(big.Int).Lsh(new(big.Int).SetUint64(m), uint(shift))
			if n.BitLen() > 256 {
				continue
			}
			var u uint256.Uint256
			u.SetBig(n)
			if got, want := compact(&u), standalone.BigToCompact(n); got != want {
				t.Fatalf("%x: got %08x, want %08x", n, got, want)
			}
		}
	}
}

package chain

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
)

// The reference vectors of DCP0011.
// Rule 10.
func TestScaleTargetVectors(t *testing.T) {
	var data struct {
		Params map[string]struct {
			PowLimit           string
			TargetSecsPerBlock int64
			HalfLifeSecs       int64
		}
		Scenarios []struct {
			Description   string
			Params        string
			StartDiffBits uint32
			StartHeight   int64
			StartTime     int64
			Tests         []struct {
				Height           uint64
				Timestamp        int64
				ExpectedDiffBits uint32
			}
		}
	}
	raw := moduleFile(t, "github.com/decred/dcrd/blockchain/standalone/v2", "testdata", "asert_test_vectors.json")
	if err := json.Unmarshal(raw, &data); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range data.Scenarios {
		p := data.Params[s.Params]
		bigLimit, ok := new(big.Int).SetString(p.PowLimit, 16)
		if !ok {
			t.Fatalf("limit %q", p.PowLimit)
		}
		var limit uint256.Uint256
		limit.SetBig(bigLimit)
		for _, v := range s.Tests {
			blocks := int64(v.Height - uint64(s.StartHeight))
			delay := v.Timestamp - s.StartTime - blocks*p.TargetSecsPerBlock
			if got := scaleTarget(s.StartDiffBits, delay, p.HalfLifeSecs, &limit); got != v.ExpectedDiffBits {
				t.Errorf("%s, height %d: got %08x, want %08x", s.Description, v.Height, got, v.ExpectedDiffBits)
			}
			n++
		}
	}
	if n < 100 {
		t.Fatalf("only %d vectors", n)
	}
}

// FuzzScaleTarget compares with standalone.CalcASERTDiff on all networks.
// Rule 10.
func FuzzScaleTarget(f *testing.F) {
	for _, delay := range []int32{0, 1, -1, 299, 300, 43199, 43200, 43201, -43200, 720, -720, 6, -6, 1 << 20, -1 << 20, 3500, -3500} {
		f.Add(delay, uint32(0), uint8(0))
		f.Add(delay, uint32(1000), uint8(2))
	}
	f.Fuzz(func(t *testing.T, delay int32, blocks uint32, network uint8) {
		p := networks()[network%4]
		r := NewRules(p)
		// standalone shifts by the delay in half lives: keep its numbers small.
		maxDelay := int32(min(p.WorkDiffV2HalfLifeSecs*5000, 1<<30))
		delay %= maxDelay
		perBlock := int64(p.TargetTimePerBlock.Seconds())
		elapsed := int64(blocks)*perBlock + int64(delay)
		want := standalone.CalcASERTDiff(p.WorkDiffV2Blake3StartBits, p.PowLimit, perBlock, elapsed, int64(blocks), p.WorkDiffV2HalfLifeSecs)
		if got := scaleTarget(p.WorkDiffV2Blake3StartBits, int64(delay), p.WorkDiffV2HalfLifeSecs, &r.powLimit); got != want {
			t.Fatalf("%s, delay %d: got %08x, want %08x", p.Name, delay, got, want)
		}
	})
}

// Far behind schedule, as a chain is that was mined long after its genesis
// block, the target is the limit; far ahead it is 1. Neither takes long.
func TestScaleTargetExtremes(t *testing.T) {
	for _, p := range networks() {
		r := NewRules(p)
		for _, delay := range []int64{1 << 32, 1 << 45} {
			if got := scaleTarget(p.WorkDiffV2Blake3StartBits, delay, p.WorkDiffV2HalfLifeSecs, &r.powLimit); got != p.PowLimitBits {
				t.Errorf("%s, delay %d: %08x", p.Name, delay, got)
			}
			if got := scaleTarget(p.WorkDiffV2Blake3StartBits, -delay, p.WorkDiffV2HalfLifeSecs, &r.powLimit); got != 0x01010000 {
				t.Errorf("%s, delay %d: %08x", p.Name, -delay, got)
			}
		}
	}
}

// The anchor is the block before the activation where it was voted in, and
// block 1 where it is forced.
// Rule 10.
func TestAsertAnchor(t *testing.T) {
	at := func(height, timestamp uint32) *Header {
		var h Header
		setHeight(&h, height)
		setTime(&h, timestamp)
		return &h
	}
	t.Run("simnet", func(t *testing.T) {
		r := simnet()
		one := at(1, 5000)
		anc := func(height uint32) *Header {
			if height != 1 {
				t.Fatalf("asked for %d", height)
			}
			return one
		}
		const start = 0x207fffff
		for _, tt := range []struct {
			prev *Header
			want uint32
		}{
			{at(0, 1401292357), start}, // block 1: whenever it comes
			{one, start},               // block 2: block 1 is on its own schedule
			{at(2, 5001), start},       // on schedule
			{at(7, 5000), 0x203fffff},  // 6 s ahead is one half life
			{at(13, 5000), 0x201fffff}, // two
			{at(2, 50_000_000), start}, // no easier than the limit
		} {
			if got := r.NextBits(tt.prev, 0, anc); got != tt.want {
				t.Errorf("after %d at %d: got %08x, want %08x", tt.prev.Height(), tt.prev.Timestamp(), got, tt.want)
			}
		}
	})
	t.Run("mainnet", func(t *testing.T) {
		r := NewRules(chaincfg.MainNetParams())
		anchor := at(794367, 1693000000)
		anc := func(height uint32) *Header {
			if height != 794367 {
				t.Fatalf("asked for %d", height)
			}
			return anchor
		}
		if got := r.NextBits(anchor, 0, anc); got != 0x1b00a5a6 {
			t.Errorf("first blake3 block: %08x", got)
		}
		// A half life ahead of schedule after 144 blocks in no time.
		if got := r.NextBits(at(794367+144, 1693000000), 0, anc); got != 0x1a52d300 {
			t.Errorf("a half life ahead: %08x", got)
		}
		if got := r.NextBits(at(794400, 1693000000), 0, func(uint32) *Header { return nil }); got != 0 {
			t.Errorf("anchor not known: %08x", got)
		}
	})
	t.Run("testnet3 is capped", func(t *testing.T) {
		r := NewRules(chaincfg.TestNet3Params())
		anchor := at(1170047, 1693000000)
		anc := func(uint32) *Header { return anchor }
		if got := r.NextBits(at(1170047+1000, 1693000000), 0, anc); got != r.capBits || got != 0x1d03ffff {
			t.Errorf("far ahead: %08x, cap %08x", got, r.capBits)
		}
	})
}

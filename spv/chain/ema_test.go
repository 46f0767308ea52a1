package chain

import (
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
)

// The targets that dcrd computes for a chain on regnet with testnet-like
// parameters, window by window: much too fast, then with pauses, then too slow.
// Rule 10.
func TestEmaBitsLikeDcrd(t *testing.T) {
	p := chaincfg.RegNetParams()
	//lint:ignore SA1019 no other parameter says that a network had this rule
	p.ReduceMinDifficulty, p.MinDiffReductionTime = true, 10*time.Minute
	p.TargetTimePerBlock = 2 * time.Minute
	p.WorkDiffWindowSize = 144
	p.WorkDiffWindows = 20
	p.TargetTimespan = 2 * time.Minute * 144
	r := NewRules(p)
	const window = 144

	fast := func(int) uint32 { return 1 }
	slow := func(int) uint32 { return 240 }
	all := func(bits uint32) func(int) uint32 { return func(int) uint32 { return bits } }
	parts := []struct {
		blocks  int
		seconds func(i int) uint32
		bits    func(i int) uint32
	}{
		{window - 1, fast, all(545259519)},
		{window, fast, all(545259519)},
		{window, fast, all(541100164)},
		{window, fast, all(537954654)},
		{window, fast, all(537141847)},
		{window, fast, all(536938645)},
		{window, fast, all(524428608)},
		{window, fast, all(521177424)},
		{window, fast, all(520364628)},
		{window, fast, all(520161429)},
		{window, func(i int) uint32 { return [2]uint32{601, 120}[i%2] }, func(i int) uint32 {
			if i%2 == 0 && i != 0 {
				return p.PowLimitBits // after more than ten minutes
			}
			return 507651392
		}},
		{window, slow, all(509850141)},
		{window, slow, all(520138451)},
		{window, slow, all(520177692)},
	}
	m := newMiner(t, r)
	now := m.tip().Timestamp()
	for n, part := range parts {
		for i := range part.blocks {
			now += part.seconds(i)
			got := r.NextBits(m.tip(), now, m.anc)
			if want := part.bits(i); got != want {
				t.Fatalf("part %d, block %d: got %08x, want %08x", n, i, got, want)
			}
			var h Header
			setHeight(&h, uint32(len(m.headers)))
			setTime(&h, now)
			setBits(&h, got)
			m.headers = append(m.headers, h)
		}
	}
}

// On mainnet nothing but the parent matters inside a window, however late.
func TestEmaBitsInsideWindow(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	var prev Header
	setBits(&prev, 0x1a0fffff)
	for _, height := range []uint32{1, 142, 144, 200_000} {
		setHeight(&prev, height)
		got := r.NextBits(&prev, 4_000_000_000, func(uint32) *Header { t.Fatal("asked for an ancestor"); return nil })
		if got != prev.Bits() {
			t.Errorf("after %d: %08x", height, got)
		}
	}
	setHeight(&prev, 143)
	if got := r.NextBits(&prev, 0, func(uint32) *Header { return nil }); got == 0 {
		t.Error("the first window depends on no ancestor")
	}
	setHeight(&prev, 287)
	if got := r.NextBits(&prev, 0, func(uint32) *Header { return nil }); got != 0 {
		t.Errorf("ancestor not known: %08x", got)
	}
}

// A retarget changes the target by a factor of four at most, and never beyond
// the limit.
func TestEmaBitsLimits(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	for _, tt := range []struct {
		name    string
		seconds uint32
		bits    uint32
		want    uint32
	}{
		{"on schedule", 300, 0x1b00ffff, 0x1b00ffff},
		{"much too fast", 1, 0x1b00ffff, 0x1a3fffc0},
		{"no time at all, which makes zero, which makes the limit", 0, 0x1b00ffff, 0x1d00ffff},
		{"ten times too slow", 3000, 0x1b00ffff, 0x1b03fffc},
		{"too slow at the limit", 3000, 0x1d00ffff, 0x1d00ffff},
	} {
		m := newMiner(t, r)
		for height := uint32(1); height < 144*30; height++ {
			var h Header
			setHeight(&h, height)
			setTime(&h, 1_500_000_000+height*tt.seconds)
			setBits(&h, tt.bits)
			m.headers = append(m.headers, h)
		}
		if got := r.NextBits(m.tip(), 0, m.anc); got != tt.want {
			t.Errorf("%s: got %08x, want %08x", tt.name, got, tt.want)
		}
	}
}

// Real blocks: the old simnet chain has the targets, and the proof of work, that
// the rules of the blake256 era demand.
// Rule 10.
func TestEmaBitsOfRealBlocks(t *testing.T) {
	r := simnet()
	r.blake3 = never
	m := &miner{t: t, r: r}
	changes := 0
	for height, b := range oldSimnetBlocks(t) {
		h := HeaderFromWire(&b.Header)
		if height > 1 { // the chain has another genesis block than simnet today
			if got := r.NextBits(m.tip(), h.Timestamp(), m.anc); got != h.Bits() {
				t.Fatalf("block %d: got %08x, want %08x", height, got, h.Bits())
			}
			if h.Bits() != m.tip().Bits() {
				changes++
			}
			if err := r.checkHeader(&h, ptr(h.Hash()), ptr(m.tip().ID())); err != nil {
				t.Fatalf("block %d: %v", height, err)
			}
			if err := checkMedianTime(&h, m.tip(), m.anc); err != nil {
				t.Fatalf("block %d: %v", height, err)
			}
		}
		m.headers = append(m.headers, h)
	}
	if len(m.headers) != 169 || changes == 0 {
		t.Errorf("%d blocks, %d changes of the target", len(m.headers), changes)
	}
}

func ptr[T any](v T) *T { return &v }

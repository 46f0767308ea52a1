package chain

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

func setVersion(h *Header, v int32) { binary.LittleEndian.PutUint32(h[offVersion:], uint32(v)) }
func setStakeVersion(h *Header, v uint32) {
	binary.LittleEndian.PutUint32(h[offStakeVersion:], v)
}

// versionsBefore makes the headers below a height: n newer ones of version
// newer, all others of version older. It is the worst order for counting that
// stops early: the newer ones come first.
func versionsBefore(height uint32, total, n int, newer, older int32) (prev *Header, anc Ancestor) {
	total = min(total, int(height))
	headers := make([]Header, total)
	for i := range headers {
		setHeight(&headers[i], height-uint32(total-i))
		setVersion(&headers[i], older)
		if i < n {
			setVersion(&headers[i], newer)
		}
	}
	return &headers[total-1], func(h uint32) *Header {
		if i := int(h) - int(headers[0].Height()); i >= 0 && i < total {
			return &headers[i]
		}
		return nil
	}
}

// Rule 10.
func TestCheckVersion(t *testing.T) {
	main, test := NewRules(chaincfg.MainNetParams()), NewRules(chaincfg.TestNet3Params())
	sim, reg := simnet(), NewRules(chaincfg.RegNetParams())
	whitelisted := mustHash("00000000000000002086ed61f62a546f3bfa8f3e567b003f097efa982008c47b")
	for _, tt := range []struct {
		name   string
		r      *Rules
		height uint32
		hash   chainhash.Hash
		v      int32 // the block's
		newer  int32 // the version of n of the last blocks, the others have v
		n      int
		bad    bool
	}{
		{"one less than the majority", main, 500_000, chainhash.Hash{}, 5, 6, 949, false},
		{"the majority", main, 500_000, chainhash.Hash{}, 5, 6, 950, true},
		{"later versions count too", main, 500_000, chainhash.Hash{}, 5, 9, 950, true},
		{"of the majority itself", main, 500_000, chainhash.Hash{}, 6, 6, 1000, false},
		{"later than the majority", main, 500_000, chainhash.Hash{}, 7, 6, 1000, false},
		{"the last that can be outdated", main, 900_000, chainhash.Hash{}, 10, 11, 1000, true},
		{"the newest of mainnet", main, 900_000, chainhash.Hash{}, 11, 12, 1000, false},
		{"fewer blocks than a majority", main, 949, chainhash.Hash{}, 1, 2, 949, false},
		{"just enough blocks", main, 950, chainhash.Hash{}, 1, 2, 950, true},
		{"below zero counts as zero", main, 5000, chainhash.Hash{}, -3, 0, 1000, false},
		{"below zero", main, 5000, chainhash.Hash{}, -3, 1, 1000, true},
		{"zero", main, 5000, chainhash.Hash{}, 0, 1, 1000, true},

		{"accepted by mistake", main, 413762, whitelisted, 6, 7, 1000, false},
		{"its neighbour", main, 413763, whitelisted, 6, 7, 1000, true},
		{"another block in its place", main, 413762, chainhash.Hash{}, 6, 7, 1000, true},
		{"its height and hash, another version", main, 413762, whitelisted, 5, 7, 1000, true},
		{"the same on another network", test, 413762, whitelisted, 6, 7, 1000, true},
		{"testnet3's last mistake", test, 323282, chainhash.Hash{}, 7, 8, 100, false},
		{"after testnet3's last mistake", test, 323283, chainhash.Hash{}, 7, 8, 100, true},
		{"testnet3, another version", test, 323282, chainhash.Hash{}, 6, 8, 100, true},

		{"testnet3, one less than the majority", test, 5000, chainhash.Hash{}, 8, 9, 74, false},
		{"testnet3, the majority", test, 5000, chainhash.Hash{}, 8, 9, 75, true},
		{"testnet3, may be outdated", test, 2_000_000, chainhash.Hash{}, 11, 12, 100, true},
		{"testnet3's newest", test, 2_000_000, chainhash.Hash{}, 12, 13, 100, false},
		{"simnet, one less than the majority", sim, 5000, chainhash.Hash{}, 11, 12, 74, false},
		{"simnet, the majority", sim, 5000, chainhash.Hash{}, 11, 12, 75, true},
		{"regnet, one less than the majority", reg, 5000, chainhash.Hash{}, 11, 12, 74, false},
		{"regnet, the majority", reg, 5000, chainhash.Hash{}, 11, 12, 75, true},
	} {
		size := int(tt.r.params.BlockUpgradeNumToCheck)
		prev, anc := versionsBefore(tt.height, size, tt.n, tt.newer, tt.v)
		var h Header
		setHeight(&h, tt.height)
		setVersion(&h, tt.v)
		h[offPrevBlock] = 1
		err := tt.r.checkVersion(&h, &tt.hash, prev, anc, new(versionWindow))
		if !tt.bad {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: accepted", tt.name)
			continue
		}
		wantErr(t, err, ErrVersion)
	}
}

// Every block of mainnet that was accepted by mistake is let pass.
// Rule 10.
func TestExemptBlocks(t *testing.T) {
	r := NewRules(chaincfg.MainNetParams())
	for _, b := range mainNetOutdated() {
		id := BlockID{b.height, mustHash(b.hash)}
		if !r.exempt(id, 6) {
			t.Errorf("%v is not", id)
		}
		id.Hash[0]++
		if r.exempt(id, 6) {
			t.Errorf("%v is", id)
		}
	}
	if n := len(mainNetOutdated()); n != 5 {
		t.Errorf("%d blocks, want 5", n)
	}
}

// Without its ancestors nothing is said in favour of a header.
func TestCheckVersionWithoutAncestors(t *testing.T) {
	r := simnet()
	prev, anc := versionsBefore(5000, 50, 0, 11, 11)
	var h Header
	setHeight(&h, 5000)
	setVersion(&h, 11)
	var w versionWindow
	wantErr(t, r.checkVersion(&h, new(chainhash.Hash), prev, anc, &w), ErrVersion)
	if w != (versionWindow{}) {
		t.Error("half a count is left")
	}
	setVersion(&h, 12) // needs none
	if err := r.checkVersion(&h, new(chainhash.Hash), prev, anc, &w); err != nil {
		t.Error(err)
	}
}

// Rule 10.
func TestCheckStakeVersion(t *testing.T) {
	sim := simnet()
	// Simnet: voting from height 144, intervals of 112, majority 51 of 100.
	const first = 144 + 112
	for _, tt := range []struct {
		name        string
		height      uint32
		v           int32 // block version of the block and its parent
		enforcing   int   // of the last 100 blocks have version 3
		before, got uint32
		bad         bool
	}{
		{"zero at the start", 1, 3, 1, 0, 0, false},
		{"no majority yet", 51, 3, 50, 0, 7, false},
		{"a majority", 52, 3, 51, 0, 7, true},
		{"no majority", 200, 3, 50, 0, 7, false},
		{"of a block that has none", 200, 2, 51, 0, 7, false},
		{"zero after another", 200, 3, 51, 7, 0, false},
		{"last block without counted votes", first - 1, 3, 51, 0, 7, true},
		{"last block without counted votes, zero", first - 1, 3, 51, 0, 0, false},
		{"first interval begins", first, 3, 100, 0, 7, false},
		{"change after that", first + 1, 3, 100, 0, 7, true},
		{"no change after that", first + 1, 3, 100, 7, 7, false},
		{"last block of the interval", first + 111, 3, 100, 7, 8, true},
		{"next interval", first + 112, 3, 100, 7, 8, false},
		{"next interval, second block", first + 113, 3, 100, 7, 8, true},
		{"back to zero inside", first + 113, 3, 100, 7, 0, true},
		{"inside, no majority", first + 113, 3, 50, 7, 8, false},
		{"inside, the majority was there for the parent", first + 113, 3, 52, 7, 8, true},
		{"inside, a block without", first + 113, 2, 100, 7, 8, false},
	} {
		prev, anc := versionsBefore(tt.height, 101, 0, 0, 2)
		for at := uint32(0); at < uint32(tt.enforcing) && at < tt.height; at++ {
			setVersion(anc(tt.height-1-at), max(tt.v, 3))
		}
		setVersion(prev, tt.v)
		setStakeVersion(prev, tt.before)
		var h Header
		setHeight(&h, tt.height)
		setVersion(&h, tt.v)
		setStakeVersion(&h, tt.got)
		h[offPrevBlock] = 1
		err := sim.checkStakeVersion(&h, prev, anc, new(versionWindow))
		if tt.bad != (err != nil) {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.bad {
			wantErr(t, err, ErrStakeVersion)
		}
	}
	// A parent that was not bound itself may have anything.
	prev, anc := versionsBefore(first+50, 101, 0, 0, 2)
	for at := range uint32(51) {
		setVersion(anc(first+49-at), 3)
	}
	h := *prev
	setHeight(&h, first+50)
	setStakeVersion(&h, 9)
	if err := sim.checkStakeVersion(&h, prev, anc, new(versionWindow)); err != nil {
		t.Errorf("after a parent that was not bound: %v", err)
	}
	setVersion(anc(first+49-100), 3) // leaves the window with prev
	wantErr(t, sim.checkStakeVersion(&h, prev, anc, new(versionWindow)), ErrStakeVersion)
	_, none := versionsBefore(5, 1, 0, 0, 0)
	wantErr(t, sim.checkStakeVersion(&h, prev, none, new(versionWindow)), ErrStakeVersion)
}

// A window that rolls, jumps and changes branches counts the same as one that
// is new.
func TestVersionWindowAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	const length, size = 400, 50
	branches := make([][]Header, 3)
	for b := range branches {
		branches[b] = make([]Header, length)
		shared := b * 150
		for i := range branches[b] {
			h := &branches[b][i]
			if i < shared {
				*h = branches[0][i]
				continue
			}
			setHeight(h, uint32(i))
			setVersion(h, rng.Int32N(16)-2)
			h[offExtraData] = byte(b)
			if i > 0 {
				prev := branches[b][i-1].Hash()
				copy(h[offPrevBlock:], prev[:])
			}
		}
	}
	var w versionWindow
	b, at := 0, 0
	for range 3000 {
		switch rng.IntN(20) {
		case 0:
			b, at = rng.IntN(len(branches)), rng.IntN(length)
		case 1:
			at = min(at+rng.IntN(60), length-1)
		default:
			at = min(at+1, length-1)
		}
		chain := branches[b]
		if !w.moveTo(&chain[at], chain[at].Hash(), size, func(h uint32) *Header { return &chain[h] }) {
			t.Fatal("an ancestor is not known")
		}
		for version := range int32(countedVersions + 1) {
			want := 0
			for i := max(0, at-size+1); i <= at; i++ {
				if version == 0 || chain[i].Version() >= version {
					want++
				}
			}
			if got := w.atLeast(int(version)); got != want {
				t.Fatalf("branch %d, block %d: %d of version %d or later, want %d", b, at, got, version, want)
			}
		}
	}
}

func BenchmarkVersionWindow(b *testing.B) {
	m := newMiner(b, simnet())
	m.mineN(2000, 1, 0)
	var w versionWindow
	i := 1000
	for b.Loop() {
		if i++; i == len(m.headers)-1 {
			i = 1001
			w.moveTo(&m.headers[i-1], m.headers[i].PrevBlock(), 1000, m.anc)
		}
		w.moveTo(&m.headers[i], m.headers[i+1].PrevBlock(), 1000, m.anc)
	}
}

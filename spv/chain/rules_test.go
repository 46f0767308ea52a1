package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

// Rule 10.
func TestActivationHeights(t *testing.T) {
	type active struct {
		height                           uint32
		stakeDiff, commitments, blake3On bool
	}
	for _, tt := range []struct {
		params *chaincfg.Params
		at     []active
	}{
		{chaincfg.MainNetParams(), []active{
			{0, false, false, false}, {149247, false, false, false}, {149248, true, false, false},
			{431487, true, false, false}, {431488, true, true, false},
			{794367, true, true, false}, {794368, true, true, true}}},
		{chaincfg.TestNet3Params(), []active{
			{0, true, false, false}, {323327, true, false, false}, {323328, true, true, false},
			{1170047, true, true, false}, {1170048, true, true, true}}},
		{chaincfg.SimNetParams(), []active{{0, true, false, false}, {1, true, true, true}}},
		{chaincfg.RegNetParams(), []active{{0, false, false, false}, {1_000_000, false, false, false}}},
	} {
		r := NewRules(tt.params)
		for _, a := range tt.at {
			got := active{a.height, a.height >= r.stakeDiffV2, r.CommitmentsAt(a.height), r.Blake3At(a.height)}
			if got != a {
				t.Errorf("%s: got %+v, want %+v", tt.params.Name, got, a)
			}
		}
	}
}

// A vote takes effect a whole number of intervals after voting begins, and no
// sooner than after one of voting and one of waiting.
func TestActivationHeightsFitChaincfg(t *testing.T) {
	for _, p := range []*chaincfg.Params{chaincfg.MainNetParams(), chaincfg.TestNet3Params()} {
		r := NewRules(p)
		for _, height := range []uint32{r.stakeDiffV2, r.commitments, r.blake3} {
			since := int64(height) - p.StakeValidationHeight
			interval := int64(p.RuleChangeActivationInterval)
			if height != 0 && (since < 2*interval || since%interval != 0) {
				t.Errorf("%s: %d is not the start of an interval", p.Name, height)
			}
		}
		if r.asertAnchor != r.blake3-1 {
			t.Errorf("%s: ASERT measures from %d", p.Name, r.asertAnchor)
		}
		if a, ok := r.lastAnchorBlock(r.blake3); !ok || a.height != r.blake3 {
			t.Errorf("%s: the first blake3 block is no anchor", p.Name)
		}
	}
	if r := NewRules(chaincfg.TestNet3Params()); !r.contradictsAnchor(BlockID{Height: r.capHeight}) {
		t.Error("testnet3: the first block with a highest difficulty is no anchor")
	}
}

// Rule 11.
func TestFilterSetHash(t *testing.T) {
	for _, p := range networks() {
		first, last, hash, ok := NewRules(p).FilterSetHash()
		switch p.Name {
		case "mainnet":
			if !ok || first != 0 || last != 431487 || hash != mustHash("f95e09f9ded38f8d6c32e5158a1f286633881393659218c63f5ab0fc86b36c83") {
				t.Errorf("mainnet: %d to %d, %v, %v", first, last, hash, ok)
			}
		case "testnet3":
			if !ok || first != 0 || last != 323327 || hash != mustHash("619c08f5adda6f834212bbdaee3002fdc4efed731477af6c0fed490bbe2488d0") {
				t.Errorf("testnet3: %d to %d, %v, %v", first, last, hash, ok)
			}
		default:
			if ok {
				t.Errorf("%s has a filter set", p.Name)
			}
		}
	}
}

// Every network has as its minimum work what chaincfg says.
// Rule 12.
func TestKnownWorkIsThatOfChaincfg(t *testing.T) {
	for _, p := range networks() {
		r := NewRules(p)
		if p.MinKnownChainWork == nil {
			if !r.minWork.IsZero() {
				t.Errorf("%s: %v", p.Name, r.minWork)
			}
		} else if r.minWork.ToBig().Cmp(p.MinKnownChainWork) != 0 {
			t.Errorf("%s: %v, want %x", p.Name, r.minWork, p.MinKnownChainWork)
		}
	}
}

// Without a vote in the parameters there is nothing to force.
func TestRulesWithoutDeployments(t *testing.T) {
	p := chaincfg.SimNetParams()
	p.Deployments = nil
	if r := NewRules(p); r.Blake3At(1_000_000) || r.CommitmentsAt(1_000_000) || r.stakeDiffV2 != never {
		t.Error("rules that nobody voted for")
	}
}

// Rule 11.
func TestCommitmentsFrom(t *testing.T) {
	want := mustHash("619c08f5adda6f834212bbdaee3002fdc4efed731477af6c0fed490bbe2488d0")
	r := NewRules(chaincfg.SimNetParams(), CommitmentsFrom(300, want))
	if r.CommitmentsAt(299) || !r.CommitmentsAt(300) {
		t.Error("commitments do not begin at block 300")
	}
	if first, last, hash, ok := r.FilterSetHash(); !ok || first != 0 || last != 299 || hash != want {
		t.Errorf("filter set %d to %d, %v, %v", first, last, hash, ok)
	}
	for height, hash := range map[uint32]chainhash.Hash{300: {}, 0: want} {
		if _, _, _, ok := NewRules(chaincfg.SimNetParams(), CommitmentsFrom(height, hash)).FilterSetHash(); ok {
			t.Errorf("a filter set below block %d with hash %v", height, hash)
		}
	}
}

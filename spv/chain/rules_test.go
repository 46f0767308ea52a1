package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/v3"
)

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

package spv

import (
	"errors"
	"slices"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

func TestConfigDefaults(t *testing.T) {
	c, err := Config{DataDir: "x"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if c.Params.Name != "mainnet" || c.MaxPeers != 8 || c.Dial == nil || c.Log == nil || c.UserAgentName == "" {
		t.Errorf("%+v", c)
	}
	c, err = Config{DataDir: "x", Params: chaincfg.SimNetParams(), Connect: []string{"127.0.0.1", "[::1]:99"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"127.0.0.1:18555", "[::1]:99"}; !slices.Equal(c.Connect, want) {
		t.Errorf("connect %v, want %v", c.Connect, want)
	}
}

// What peers are told of the program, and what is left of it if a message can't
// hold it.
func TestConfigUserAgent(t *testing.T) {
	for want, c := range map[string]Config{
		"/dcrwire:1.0.0/dcrspv:0.1.0/": {},
		"/dcrwire:1.0.0/mine:2/":       {UserAgentName: "mine", UserAgentVersion: "2"},
		"/dcrwire:1.0.0/":              {UserAgentName: "naïve"},
	} {
		if got := c.UserAgent(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Rules bring their network along.
func TestConfigRules(t *testing.T) {
	rules := chain.NewRules(chaincfg.SimNetParams(), chain.CommitmentsFrom(100, chainhash.Hash{1}))
	c, err := Config{DataDir: "x", Rules: rules}.withDefaults()
	if err != nil || c.Rules != rules || c.Params.Name != "simnet" {
		t.Errorf("network %s, %v", c.Params.Name, err)
	}
	c, err = Config{DataDir: "x", Params: chaincfg.TestNet3Params()}.withDefaults()
	if err != nil || c.Rules.Params().Name != "testnet3" {
		t.Errorf("rules of %s, %v", c.Rules.Params().Name, err)
	}
}

func TestConfigRefusals(t *testing.T) {
	for name, c := range map[string]Config{
		"too many peers": {DataDir: "x", MaxPeers: maxMaxPeers + 1},
		"negative peers": {DataDir: "x", MaxPeers: -1},
		"bad address":    {DataDir: "x", Connect: []string{"a:b:c"}},
		"bad port":       {DataDir: "x", Connect: []string{"host:70000"}},
		"no address":     {DataDir: "x", Connect: []string{"0.0.0.0.:9108"}},
		"nil wallet":     {DataDir: "x", Wallets: []Wallet{nil}},
	} {
		if _, err := c.withDefaults(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want %v", name, err, ErrConfig)
		}
		if s, err := New(c); err == nil {
			s.Close()
			t.Errorf("%s: New accepts it", name)
		}
	}
}

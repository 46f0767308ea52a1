package spv

import (
	"errors"
	"slices"
	"testing"

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

func TestConfigRefusals(t *testing.T) {
	for name, c := range map[string]Config{
		"no directory":   {},
		"too many peers": {DataDir: "x", MaxPeers: maxMaxPeers + 1},
		"negative peers": {DataDir: "x", MaxPeers: -1},
		"bad address":    {DataDir: "x", Connect: []string{"a:b:c"}},
		"bad port":       {DataDir: "x", Connect: []string{"host:70000"}},
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

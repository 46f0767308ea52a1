package main

import (
	"io"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"
)

// TestBareWork has the bare work done beside an honest peer, and beside one whose filters
// are wrong: what is measured is what was done.
func TestBareWork(t *testing.T) {
	chain := spvtest.NewChain(nil, spvtest.FilterItems(3))
	chain.Mine(2150)
	for _, test := range []struct {
		name   string
		manner spvtest.Behaviour
		fails  string
	}{
		{name: "honest"},
		{"a filter with a flipped bit", spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped, BadFilterAt: 2101}, "a filter is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := spvtest.NewPeer(chain, test.manner)
			defer p.Close()
			addr, err := p.ListenTCP("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			err = runBare(clientSpec{Dir: t.TempDir(), Connect: []string{addr.String()}, Checksums: true}, io.Discard)
			if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("%v", err)
			}
		})
	}
}

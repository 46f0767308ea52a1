package spv

import (
	"testing"

	"dcrspv/spv/chain"
)

// After a reorg a wallet is rewound to the fork, which is known better than from its
// locator, unless it had not been found on the best chain before.
// Rule 8.
func TestForkIsBetterThanTheLocator(t *testing.T) {
	block := func(height uint32) chain.BlockID { return chain.BlockID{Height: height} }
	var p position
	p.reorg(block(90)) // before it was ever found
	if got := p.leaves(block(50)); got != block(50) {
		t.Errorf("a wallet that was never found leaves at %v", got)
	}
	p.settle()
	for _, fork := range []uint32{90, 80, 85} { // the lowest counts
		p.reorg(block(fork))
	}
	if p.found || p.requested || p.locator != nil {
		t.Errorf("after a reorg: %+v", p)
	}
	if got := p.leaves(block(50)); got != block(80) {
		t.Errorf("leaves at %v, want the fork at 80", got)
	}
	if got := p.leaves(block(85)); got != block(85) {
		t.Errorf("leaves at %v, want what the locator says", got)
	}
	p.settle()
	if got := p.leaves(block(50)); got != block(50) {
		t.Errorf("an old fork counts: %v", got)
	}
}

// A locator that was given while there was a reorg is asked for again.
func TestLocatorOfTheOldBranch(t *testing.T) {
	var p position
	p.request()
	p.answer([]chain.BlockID{{Height: 5}}, false)
	if p.requested {
		t.Error("it counts")
	}
}

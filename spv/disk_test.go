package spv

import (
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// After a reorg the disk leaves the best chain at the fork, also if that came while
// headers were written; after a reorg and back it is all of the best chain again.
// Rule 8.
func TestDiskAndBestChain(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(100)
	fork := c.Fork(80)
	fork.Mine(30)
	best := func(of *spvtest.Chain) *chain.Chain {
		_, genesis := c.Rules().Genesis()
		all := chain.New(c.Rules(), noHeaders{}, genesis, chain.Work(0))
		var headers []chain.Header
		for h := uint32(1); h <= of.Height(); h++ {
			headers = append(headers, of.Header(h))
		}
		batch, err := c.Rules().Check(headers)
		if err == nil {
			_, err = all.Add(batch, of.Time())
		}
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	d := disk{end: c.ID(90), tip: c.ID(90)}
	d.writing()
	d.reorg(c.ID(80))
	d.reorg(c.ID(85)) // and another one, further up
	if d.tip != c.ID(80) {
		t.Errorf("after a reorg it leaves at %v", d.tip)
	}
	d.wrote(c.ID(100), best(fork)) // what was on its way
	if d.tip != c.ID(80) {
		t.Errorf("after the write it leaves at %v", d.tip)
	}
	d.writing()
	d.wrote(fork.ID(110), best(fork))
	if d.tip != fork.ID(110) {
		t.Errorf("the new branch is stored, and it leaves at %v", d.tip)
	}
	d.reorg(c.ID(80))
	d.rejoin(best(fork), d.tip)
	if d.tip != fork.ID(110) {
		t.Errorf("there and back, it leaves at %v", d.tip)
	}
}

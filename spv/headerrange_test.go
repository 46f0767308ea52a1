package spv

import (
	"errors"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// What comes between two checkpoints has to continue what came before, and to end with the
// second one.
// Rules 10 and 12.
func TestHeaderRange(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(60)
	other := c.Fork(15)
	other.Mine(45)
	batch := func(of *spvtest.Chain, from, to uint32) chain.Batch {
		var headers []chain.Header
		for h := from; h <= to; h++ {
			headers = append(headers, of.Header(h))
		}
		b, err := of.Rules().Check(headers)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, tt := range map[string]struct {
		batches []chain.Batch
		err     error // of the last
		dead    bool
		waits   int
	}{
		"all of it":                {[]chain.Batch{batch(c, 11, 30), batch(c, 31, 50)}, nil, false, 40},
		"nothing":                  {[]chain.Batch{{}}, errUnlinked, false, 0},
		"another chain from first": {[]chain.Batch{batch(c, 12, 30)}, errUnlinked, false, 0},
		"another chain later":      {[]chain.Batch{batch(other, 11, 30), batch(c, 31, 50)}, errUnlinked, true, 0},
		"another end":              {[]chain.Batch{batch(other, 11, 50)}, chain.ErrCheckpoint, true, 0},
		"beyond the end":           {[]chain.Batch{batch(c, 11, 51)}, chain.ErrCheckpoint, true, 0},
	} {
		r := &headerRange{from: c.ID(10), to: c.ID(50), last: c.ID(10)}
		var err error
		for _, b := range tt.batches {
			err = r.add(nil, b)
		}
		if !errors.Is(err, tt.err) || r.dead != tt.dead || r.held() != tt.waits || r.complete() != (tt.err == nil) {
			t.Errorf("%s: %v, dead %v, %d wait", name, err, r.dead, r.held())
		}
		if r.follows(c.ID(10)) != (tt.waits > 0) {
			t.Errorf("%s: it follows the first checkpoint: %v", name, r.follows(c.ID(10)))
		}
	}
}

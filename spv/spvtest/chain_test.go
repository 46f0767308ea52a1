package spvtest

import (
	"bytes"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/crypto/blake256"
	"github.com/decred/dcrd/gcs/v4"
	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/math/uint256"
	"github.com/decred/dcrd/wire"
)

// follow gives all headers of c to a fresh header chain, which must take them.
func follow(t *testing.T, c *Chain) *chain.Chain {
	t.Helper()
	_, genesis := c.Rules().Genesis()
	hc := chain.New(c.Rules(), nil, genesis, uint256.Uint256{})
	add(t, hc, c, 1, c.Height())
	if hc.Tip() != c.Tip() {
		t.Fatalf("tip %v, want %v", hc.Tip(), c.Tip())
	}
	return hc
}

// add gives headers of c to hc.
func add(t *testing.T, hc *chain.Chain, c *Chain, from, to uint32) chain.Update {
	t.Helper()
	batch, err := c.Rules().Check(viewOf(c).span(from, to))
	if err != nil {
		t.Fatal(err)
	}
	update, err := hc.Add(batch, c.Time())
	if err != nil {
		t.Fatal(err)
	}
	return update
}

// checkBlocks checks blocks and filters against their headers.
func checkBlocks(t *testing.T, c *Chain, from, to uint32) {
	t.Helper()
	for height := from; height <= to; height++ {
		h, b := c.Header(height), c.Block(height)
		if err := c.Rules().CheckBlock(&h, b); err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
		if err := c.Rules().CheckFilter(&h, c.Filter(height)); err != nil {
			t.Fatalf("filter %d: %v", height, err)
		}
		if hash := h.Hash(); hash != c.Hash(height) || b.BlockHash() != hash {
			t.Fatalf("block %d: hash %v", height, hash)
		}
		if at, ok := c.HeightOf(h.Hash()); !ok || at != height {
			t.Fatalf("block %d found at %d, %v", height, at, ok)
		}
	}
}

// matches reports whether the filter of a block holds a script.
func matches(t *testing.T, c *Chain, height uint32, script []byte) bool {
	t.Helper()
	filter, err := gcs.FromBytesV2(blockcf2.B, blockcf2.M, c.Filter(height))
	if err != nil {
		t.Fatal(err)
	}
	h := c.Header(height)
	return filter.Match(h.FilterKey(), script)
}

func TestFillerIsValid(t *testing.T) {
	c := NewChain(nil)
	c.Mine(3000)
	follow(t, c)
	checkBlocks(t, c, 1, 3000)
	for h := uint32(1); h <= 3000; h += 100 {
		for _, out := range c.Block(h).Transactions[0].TxOut {
			if !matches(t, c, h, out.PkScript) {
				t.Errorf("filter %d does not match what the coinbase pays", h)
			}
		}
	}
	if got, want := c.Time(), time.Unix(defaultStart+2999, 0); !got.Equal(want) {
		t.Errorf("tip found at %v, want %v", got, want)
	}
}

func TestTicketPriceMoves(t *testing.T) {
	c := NewChain(nil)
	c.Mine(4000)
	low, high := int64(1<<62), int64(0)
	for h := uint32(2000); h <= 4000; h++ {
		header := c.Header(h)
		low, high = min(low, header.SBits()), max(high, header.SBits())
		if pool := header.PoolSize(); pool < 200 || pool > 500 {
			t.Fatalf("block %d: %d live tickets, target 320", h, pool)
		}
	}
	if low < fairPrice/10 || high > fairPrice*10 || low == high {
		t.Errorf("ticket price from %d to %d", low, high)
	}
}

func TestSameCallsMakeTheSameChain(t *testing.T) {
	build := func() *Chain {
		c := NewChain(nil)
		c.Mine(20)
		c.MineBlock(c.Pay(Script(1), 5e8))
		return c
	}
	if a, b := build(), build(); a.Tip() != b.Tip() {
		t.Errorf("tips %v and %v", a.Tip(), b.Tip())
	}
}

func TestOptions(t *testing.T) {
	now := time.Unix(1800000000, 0)
	c := NewChain(nil, EndBefore(now, 300), FilterItems(50))
	c.Mine(300)
	if want := now.Add(-time.Second); !c.Time().Equal(want) {
		t.Errorf("tip found at %v, want %v", c.Time(), want)
	}
	if n := len(c.Filter(300)); n < 100 || n > 200 {
		t.Errorf("filter of 50 scripts has %d bytes", n)
	}
	follow(t, c)
	checkBlocks(t, c, 290, 300)
}

func TestSpecialBlocks(t *testing.T) {
	c := NewChain(nil)
	c.Mine(200)
	pay := c.Pay(Script(1), 5e8)
	first := c.MineBlock(pay)
	second := c.MineBlock(c.Spend([]wire.OutPoint{OutPoint(pay, 0)}, wire.NewTxOut(4e8, Script(2))))
	third := c.MineTemplate(Template{
		Coinbase:   []*wire.TxOut{wire.NewTxOut(1e8, Script(3))},
		Disapprove: true,
	})
	c.Mine(5)
	follow(t, c)
	checkBlocks(t, c, 195, c.Height())

	tests := []struct {
		height uint32
		script uint32
		want   bool
	}{
		{first.Height, 1, true},
		{first.Height, 2, false},
		{second.Height, 1, true}, // spent there
		{second.Height, 2, true},
		{third.Height, 3, true},
		{third.Height + 1, 3, false},
	}
	for _, test := range tests {
		if got := matches(t, c, test.height, Script(test.script)); got != test.want {
			t.Errorf("filter %d matches script %d: %v", test.height, test.script, got)
		}
	}
	if h := c.Header(third.Height); h.VoteBits()&1 != 0 {
		t.Error("the block approves of the one before")
	}
}

func TestRegNetHasNoCommitments(t *testing.T) {
	c := NewChain(chaincfg.RegNetParams())
	c.Mine(200)
	c.MineBlock(c.Pay(Script(1), 1e8), c.BuyTicket(Ticket{Voting: Script(1)}))
	c.Mine(200)
	follow(t, c)
	checkBlocks(t, c, 1, c.Height())
	if h := c.Header(c.Height()); h.StakeRoot() != (chainhash.Hash{}) {
		t.Errorf("stake root %v", h.StakeRoot())
	}
}

func TestHeightOfUnknownBlock(t *testing.T) {
	c := NewChain(nil)
	c.Mine(10)
	other := c.Fork(5)
	other.Mine(5)
	if _, ok := c.HeightOf(other.Tip().Hash); ok {
		t.Error("found a block of another branch")
	}
	if _, ok := other.HeightOf(c.Tip().Hash); ok {
		t.Error("found a block that the parent has after the fork")
	}
	if h, ok := other.HeightOf(c.Hash(5)); !ok || h != 5 {
		t.Errorf("fork point found at %d, %v", h, ok)
	}
}

func TestReadingWhileBuilding(t *testing.T) {
	c := NewChain(nil)
	c.Mine(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 300 {
			tip := c.Tip()
			if c.Hash(tip.Height) != tip.Hash || c.Block(tip.Height).BlockHash() != tip.Hash {
				t.Errorf("block %d is not the tip", tip.Height)
			}
			c.HeightOf(tip.Hash)
			c.Filter(tip.Height)
		}
	}()
	for range 300 {
		c.MineBlock(c.Pay(Script(1), 1e8))
	}
	<-done
}

func TestScriptsDiffer(t *testing.T) {
	if bytes.Equal(Script(1), Script(2)) || bytes.Equal(Script(1), builderScript()) {
		t.Error("scripts are the same")
	}
	if !bytes.Equal(Script(7), Script(7)) {
		t.Error("a script changes")
	}
}

func BenchmarkMine50000(b *testing.B) {
	for b.Loop() {
		NewChain(nil).Mine(50000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50000, "ns/block")
}

// Blocks below the height given to CommitFrom have separate merkle roots and no
// commitment, those from there on are as usual.
func TestCommitFrom(t *testing.T) {
	c := NewChain(nil, CommitFrom(250))
	c.Mine(99)
	c.MineBlock(c.Pay(Script(1), 1e8))
	c.Mine(300)
	follow(t, c)
	checkBlocks(t, c, 1, 400)
	first, last, want, ok := c.RulesWithFilterSet().FilterSetHash()
	if !ok || first != 0 || last != 249 {
		t.Fatalf("filter set %d to %d, %v", first, last, ok)
	}
	var all []byte
	for height := first; height <= last; height++ {
		all = append(all, c.Filter(height)...)
	}
	if blake256.Sum256(all) != want {
		t.Error("the hash is not that of the filters")
	}
	for _, height := range []uint32{249, 250} {
		h, filter := c.Header(height), bytes.Clone(c.Filter(height))
		filter[len(filter)-1] ^= 0x80
		if caught := c.Rules().CheckFilter(&h, filter) != nil; caught != (height == 250) {
			t.Errorf("wrong filter of block %d caught: %v", height, caught)
		}
	}
}

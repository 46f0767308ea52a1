package spvtest

import "testing"

func TestForks(t *testing.T) {
	c := NewChain(nil)
	c.Mine(300)
	hc := follow(t, c)

	longer := c.Fork(200)
	longer.Mine(101)
	if longer.Hash(200) != c.Hash(200) || longer.Hash(201) == c.Hash(201) {
		t.Fatal("the branches part elsewhere")
	}
	if u := add(t, hc, longer, 201, 300); u.Best {
		t.Error("a branch of the same length took over")
	}
	u := add(t, hc, longer, 301, 301)
	if !u.Best || u.Fork != c.ID(200) || u.Reorged != 100 {
		t.Errorf("%+v", u)
	}

	deeper := longer.Fork(150)
	deeper.Mine(200)
	if u := add(t, hc, deeper, 151, 350); !u.Best || u.Fork != c.ID(150) {
		t.Errorf("%+v", u)
	}
	checkBlocks(t, longer, 190, 301)
	checkBlocks(t, deeper, 140, 350)
}

func TestShorterBranchWithMoreWork(t *testing.T) {
	c := NewChain(nil)
	c.Mine(230)
	hc := follow(t, c)
	heavy := c.Fork(200)
	heavy.SetSpacing(0)
	heavy.Mine(22)
	u := add(t, hc, heavy, 201, heavy.Height())
	if !u.Best || hc.Tip() != heavy.Tip() {
		t.Errorf("%d heavy blocks do not beat 30: %+v", 22, u)
	}
	// Back at the usual pace the difficulty stays, and so does validity.
	heavy.SetSpacing(1)
	heavy.Mine(3)
	add(t, hc, heavy, 223, 225)
}

func TestForkOfFilter(t *testing.T) {
	c := NewChain(nil)
	c.Mine(20)
	pay := c.Pay(Script(1), 1e8)
	c.MineBlock(pay)
	b := c.Fork(20)
	b.Mine(1)
	b.MineBlock(pay)
	if !matches(t, c, 21, Script(1)) || matches(t, b, 21, Script(1)) || !matches(t, b, 22, Script(1)) {
		t.Error("the payment is not where it was mined")
	}
	checkBlocks(t, b, 15, 22)
}

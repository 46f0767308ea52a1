package spvtest_test

import (
	"fmt"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A chain is built to order, and knows what a wallet must find on it.
func ExampleChain_Truth() {
	c := spvtest.NewChain(nil)
	ours := spvtest.Script(1)
	c.Mine(99)
	pay := c.Pay(ours, 5e8)
	c.MineBlock(pay)
	c.Mine(9)

	// Two branches: on one of them the coin is spent.
	other := c.Fork(105)
	other.MineBlock(other.Spend([]wire.OutPoint{spvtest.OutPoint(pay, 0)}, wire.NewTxOut(1e8, ours)))

	for _, c := range []*spvtest.Chain{c, other} {
		truth := c.Truth([][]byte{ours})
		fmt.Printf("height %d: %d atoms, %d transactions\n", truth.Tip.Height, truth.Total, len(truth.History))
	}

	// Output:
	// height 109: 500000000 atoms, 1 transactions
	// height 106: 100000000 atoms, 2 transactions
}

package filters_test

import (
	"fmt"

	"dcrspv/filters"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A Query holds the scripts of a wallet, whatever their number. It is made once, and
// then every block's filter is asked whether one of them may be in the block.
func ExampleMatcher_Match() {
	// A chain of 200 blocks, two of which concern the second of our scripts: it is
	// paid, and later what it got is spent.
	c := spvtest.NewChain(nil)
	ours := [][]byte{spvtest.Script(1), spvtest.Script(2)}
	c.Mine(99)
	pay := c.Pay(ours[1], 5e8)
	c.MineBlock(pay)
	c.Mine(49)
	c.MineBlock(c.Spend([]wire.OutPoint{spvtest.OutPoint(pay, 0)}, wire.NewTxOut(4e8, spvtest.Script(3))))
	c.Mine(50)

	query := filters.NewQuery(ours)
	var matcher filters.Matcher // of one goroutine
	for height := uint32(1); height <= c.Height(); height++ {
		header := c.Header(height)
		match, err := matcher.Match(query, header.FilterKey(), c.Filter(height))
		if err != nil {
			fmt.Println(err) // not a filter
			return
		}
		if match {
			fmt.Println("look into block", height)
		}
	}

	// Output:
	// look into block 100
	// look into block 150
}

package chain_test

import (
	"errors"
	"fmt"

	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/math/uint256"
)

// Headers are checked in two steps. Check does what needs nothing but the headers
// themselves, such as their proof of work, and may run on any goroutine. Add does what
// needs the headers before them, and finds out which chain is the best one.
func ExampleRules_Check() {
	c := spvtest.NewChain(nil) // stands for what a peer sends
	c.Mine(100)
	var headers []chain.Header
	for height := uint32(1); height <= c.Height(); height++ {
		headers = append(headers, c.Header(height))
	}

	rules := chain.NewRules(chaincfg.SimNetParams())
	_, genesis := rules.Genesis()
	best := chain.New(rules, nil, genesis, uint256.Uint256{})

	batch, err := rules.Check(headers)
	if err != nil {
		fmt.Println("the sender lies:", err)
		return
	}
	update, err := best.Add(batch, c.Time()) // the time of now, for blocks of the future
	fmt.Println(update.Added, "new headers, the tip is at", best.Tip().Height, err)

	// One changed bit, and the work was not done for this header.
	headers[49][0] ^= 1
	_, err = rules.Check(headers)
	fmt.Println("insufficient work:", errors.Is(err, chain.ErrProofOfWork))

	// Output:
	// 100 new headers, the tip is at 100 <nil>
	// insufficient work: true
}

// A filter and a block count only if they are what the header commits to.
func ExampleRules_CheckFilter() {
	c := spvtest.NewChain(nil)
	c.MineBlock(c.Pay(spvtest.Script(1), 5e8))
	header, filter, block := c.Header(1), c.Filter(1), c.Block(1)

	rules := chain.NewRules(chaincfg.SimNetParams())
	fmt.Println(rules.CheckFilter(&header, filter), rules.CheckBlock(&header, block))

	filter = append([]byte(nil), filter...)
	filter[len(filter)-1] ^= 1
	fmt.Println(errors.Is(rules.CheckFilter(&header, filter), chain.ErrFilter))

	block.Transactions[0].LockTime++
	fmt.Println(errors.Is(rules.CheckBlock(&header, block), chain.ErrMerkle))

	// Output:
	// <nil> <nil>
	// true
	// true
}

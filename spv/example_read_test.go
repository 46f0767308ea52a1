package spv_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// What was verified can be read by anybody: here the best chain as it grows. A reader
// that stores the last block it has handled goes on from there.
func ExampleSyncer_Follow() {
	c := spvtest.NewChain(nil)
	c.Mine(1000)
	net := spvtest.NewNetwork()
	defer net.Close()
	net.Add("10.0.0.1:18555", spvtest.NewPeer(c, spvtest.Behaviour{}))
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := spv.New(spv.Config{
		DataDir: dir, Params: chaincfg.SimNetParams(), Connect: []string{"10.0.0.1"}, Dial: net.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()

	have := []chain.BlockID{c.ID(997)} // in a program: stored
	for change, err := range s.Follow(ctx, have) {
		if err != nil {
			log.Fatal(err)
		}
		for block, err := range s.Read(ctx, change.Connected) {
			if errors.Is(err, spv.ErrReorganized) {
				break // the next change tells
			} else if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("block %d, a filter of %d bytes\n", block.ID.Height, len(block.Filter))
		}
		if change.Tip.Height == 1000 {
			break // a program goes on
		}
	}
	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}

	// Output:
	// block 998, a filter of 7 bytes
	// block 999, a filter of 7 bytes
	// block 1000, a filter of 7 bytes
}

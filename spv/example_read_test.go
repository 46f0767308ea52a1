package spv_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"dcrspv/filters"
	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
)

// synced is a Syncer without wallets that is in sync with a chain.
func synced(c *spvtest.Chain) (ctx context.Context, s *spv.Syncer, end func()) {
	return syncedWith(spvtest.NewPeer(c, spvtest.Behaviour{}))
}

// syncedWith is a Syncer without wallets that is in sync with a peer.
func syncedWith(peer *spvtest.Peer) (ctx context.Context, s *spv.Syncer, end func()) {
	net := spvtest.NewNetwork()
	net.Add("10.0.0.1:18555", peer)
	// Without a DataDir everything is in memory.
	s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), Connect: []string{"10.0.0.1"}, Dial: net.Dial})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Wait(ctx, spv.Settled); err != nil {
		log.Fatal(err)
	}
	return ctx, s, func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			log.Fatal(err)
		}
		net.Close()
	}
}

// Blocks are fetched from the peers, verified.
func ExampleSyncer_Fetch() {
	c := spvtest.NewChain(nil)
	c.Mine(100)
	ctx, s, end := synced(c)
	defer end()

	tip := s.Tip()
	for block, err := range s.Fetch(ctx, tip) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("block", block.Header.Height, "has", len(block.Transactions), "transaction")
	}

	// Output:
	// block 100 has 1 transaction
}

// The blocks of one script, over a range, with nothing watched.
func ExampleSyncer_Scan() {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(40)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(59)
	ctx, s, end := synced(c)
	defer end()

	query := filters.NewQuery([][]byte{script})
	for block, err := range s.Scan(ctx, chain.Range{From: 1, To: s.Tip().Height}, query) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("block", block.ID.Height)
	}

	// Output:
	// block 41
}

// A wallet joins a Syncer that is in sync, and leaves it.
func ExampleSyncer_Attach() {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(40)
	c.MineBlock(c.Pay(script, 3e8))
	ctx, s, end := synced(c)
	defer end()

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := wallet.Open(filepath.Join(dir, "wallet.db"), chaincfg.SimNetParams())
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if err := w.Watch(ctx, wallet.Watch{Scripts: [][]byte{script}}); err != nil {
		log.Fatal(err)
	}
	if err := s.Attach(ctx, w); err != nil {
		log.Fatal(err)
	}
	if err := s.Wait(ctx, spv.Synced); err != nil {
		log.Fatal(err)
	}
	balance, err := w.Balance(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(balance.Total)
	if err := s.Detach(ctx, w); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 3 DCR
}

package spv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
)

// A program embeds a Syncer and hangs a wallet on it.
func Example() {
	// A network in memory, for this example: three peers, and a chain in which block
	// 500 pays the wallet.
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(499)
	c.MineBlock(c.Pay(script, 5e8))
	c.Mine(500)
	net := spvtest.NewNetwork()
	defer net.Close()
	for _, addr := range []string{"10.0.0.1:18555", "10.1.0.1:18555", "10.2.0.1:18555"} {
		net.Add(addr, spvtest.NewPeer(c, spvtest.Behaviour{}))
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// Watching is data. Which blocks have to be scanned follows from it.
	w, err := wallet.Open(filepath.Join(dir, "wallet.db"), chaincfg.SimNetParams())
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	ctx, stop := context.WithCancel(context.Background())
	if err := w.Watch(ctx, wallet.Watch{Scripts: [][]byte{script}, From: 1}); err != nil {
		log.Fatal(err)
	}

	s, err := spv.New(spv.Config{
		DataDir: dir,
		Wallets: []spv.Wallet{w},
		// Without these it is mainnet, and peers are found.
		Params:  chaincfg.SimNetParams(),
		Connect: []string{"10.0.0.1", "10.1.0.1", "10.2.0.1"},
		Dial:    net.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }() // the whole life cycle; ctx ends it
	if err := s.Wait(ctx, spv.Synced); err != nil {
		log.Fatal(err)
	}
	balance, err := w.Balance(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("block %d: %v\n", s.Status().Tip.Height, balance.Total)

	stop()
	fmt.Println("ended:", <-ended)

	// Output:
	// block 1000: 5 DCR
	// ended: <nil>
}

// A transaction of our own is written down before it is sent: what the wallet has taken is
// announced until it is mined, over restarts too.
func ExampleSyncer_Publish() {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(100)
	net := spvtest.NewNetwork()
	defer net.Close()
	node := spvtest.NewPeer(c, spvtest.Behaviour{})
	net.Add("10.0.0.1:18555", node)
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
	ctx, stop := context.WithCancel(context.Background())
	if err := w.Watch(ctx, wallet.Watch{Scripts: [][]byte{script}}); err != nil {
		log.Fatal(err)
	}
	s, err := spv.New(spv.Config{
		DataDir: dir, Wallets: []spv.Wallet{w},
		Params: chaincfg.SimNetParams(), Connect: []string{"10.0.0.1"}, Dial: net.Dial,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Wait(ctx, spv.Synced); err != nil {
		log.Fatal(err)
	}

	tx := c.Pay(script, 2e8) // complete and signed
	taken, err := w.AddUnmined(ctx, tx)
	if err != nil {
		log.Fatal(err) // no node would take it
	}
	fmt.Println("concerns the wallet:", taken)
	result, err := s.Publish(ctx, tx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("announced to", result.AnnouncedTo)
	fmt.Println("delivered to", result.Delivered)
	fmt.Println("the node has it:", len(node.Taken()) == 1)

	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}

	// Output:
	// concerns the wallet: true
	// announced to [10.0.0.1:18555]
	// delivered to [10.0.0.1:18555]
	// the node has it: true
}

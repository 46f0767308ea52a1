package wallet_test

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

// syncOnce syncs a wallet from the peers of a network in memory, and ends. With no
// Params, Connect and Dial in the configuration the network is mainnet, and peers are
// found.
func syncOnce(dir string, net *spvtest.Network, w *wallet.Wallet) error {
	s, err := spv.New(spv.Config{
		Params:  chaincfg.SimNetParams(),
		DataDir: dir,
		Wallets: []spv.Wallet{w},
		Connect: []string{"10.0.0.1"},
		Dial:    net.Dial,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	err = s.Wait(ctx, spv.Synced)
	cancel()
	if ended := <-ended; err == nil {
		err = ended
	}
	return err
}

// exampleAddress is paid in blocks 100, 200 and 300.
const exampleAddress = "SsYFs7P7GSNQCfGqC8sMkrThKLnhyNsXEue"

// exampleNetwork has one peer, with a chain that pays exampleAddress.
func exampleNetwork() *spvtest.Network {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1) // of exampleAddress
	for amount := int64(1e8); amount <= 3e8; amount += 1e8 {
		c.Mine(99)
		c.MineBlock(c.Pay(script, amount))
	}
	net := spvtest.NewNetwork()
	net.Add("10.0.0.1:18555", spvtest.NewPeer(c, spvtest.Behaviour{}))
	return net
}

// A program reads the log from the number of the last event that it has handled. It
// stores that number together with what it has done, and then it misses nothing and
// handles nothing twice, however and whenever it ends.
func ExampleWallet_Events() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	net := exampleNetwork()
	defer net.Close()
	w, err := wallet.Open(filepath.Join(dir, "wallet.db"), chaincfg.SimNetParams())
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	ctx := context.Background()
	if err := w.Watch(ctx, wallet.Watch{Addresses: []string{exampleAddress}, From: 1}); err != nil {
		log.Fatal(err)
	}
	if err := syncOnce(dir, net, w); err != nil {
		log.Fatal(err)
	}

	var cursor uint64 // in a program: stored
	handle := func(most int) {
		last, err := w.LastEvent(ctx)
		if err != nil {
			log.Fatal(err)
		}
		for ev, err := range w.Events(ctx, cursor) {
			if err != nil {
				log.Fatal(err)
			}
			cursor = ev.Seq
			if ev.Kind == wallet.EventMined {
				fmt.Printf("block %d: %v\n", ev.Block.Height, ev.Net)
				most--
			}
			if most == 0 || cursor == last { // without this the loop waits for the next event
				return
			}
		}
	}
	handle(2)
	fmt.Println("the program is started again")
	handle(2)

	// Output:
	// block 100: 1 DCR
	// block 200: 2 DCR
	// the program is started again
	// block 300: 3 DCR
}

// What has to be scanned follows from what is watched. A lower birthday is all it takes
// to look further back, and what was tested before is not tested again. Rescan is for
// those who want that all the same.
func ExampleWallet_Rescan() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	net := exampleNetwork()
	defer net.Close()
	w, err := wallet.Open(filepath.Join(dir, "wallet.db"), chaincfg.SimNetParams())
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	ctx := context.Background()
	show := func() {
		if err := syncOnce(dir, net, w); err != nil {
			log.Fatal(err)
		}
		history, err := w.History(ctx)
		if err != nil {
			log.Fatal(err)
		}
		for _, tx := range history {
			fmt.Printf("block %d: %v, ", tx.Height, tx.Net)
		}
		fmt.Println("that is all")
	}

	watch := wallet.Watch{Addresses: []string{exampleAddress}, From: 150}
	if err := w.Watch(ctx, watch); err != nil {
		log.Fatal(err)
	}
	show()

	watch.From = 1 // the blocks below 150 come in addition
	if err := w.Watch(ctx, watch); err != nil {
		log.Fatal(err)
	}
	show()

	if err := w.Rescan(ctx, 100, 250, exampleAddress); err != nil {
		log.Fatal(err)
	}
	show()

	// Output:
	// block 200: 2 DCR, block 300: 3 DCR, that is all
	// block 100: 1 DCR, block 200: 2 DCR, block 300: 3 DCR, that is all
	// block 100: 1 DCR, block 200: 2 DCR, block 300: 3 DCR, that is all
}

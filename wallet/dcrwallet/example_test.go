package dcrwallet_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
	"dcrspv/wallet/dcrwallet"

	"decred.org/dcrwallet/v5/wallet"
	_ "decred.org/dcrwallet/v5/wallet/drivers/bdb"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
)

// A wallet of dcrwallet, restored from its seed, is kept in sync.
func Example() {
	params := chaincfg.SimNetParams()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	seed, passphrase := bytes.Repeat([]byte{1}, 32), []byte("secret")
	w, db := restore(ctx, filepath.Join(dir, "wallet.db"), seed, passphrase)
	defer db.Close()

	// A network in memory, for this example: its block 500 pays the wallet.
	c := spvtest.NewChain(nil)
	c.Mine(499)
	addr, err := stdaddr.DecodeAddress("Ssgn5Bds3UeDmJLDUZCiMCqrHYBZ4SMajX8", params)
	if err != nil {
		log.Fatal(err)
	}
	_, script := addr.PaymentScript()
	c.MineBlock(c.Pay(script, 5e8))
	c.Mine(500)
	net := spvtest.NewNetwork()
	defer net.Close()
	net.Add("10.0.0.1:18555", spvtest.NewPeer(c, spvtest.Behaviour{}))

	s, err := spv.New(spv.Config{DataDir: dir, Params: params, Connect: []string{"10.0.0.1"}, Dial: net.Dial})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	b, err := dcrwallet.New(s, w, dcrwallet.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	go func() { ended <- b.Run(ctx) }()
	if err := b.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	balance, err := w.AccountBalance(ctx, 0, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("block %d: %v\n", b.Status().Tip.Height, balance.Spendable)

	stop()
	fmt.Println("ended:", <-ended, <-ended)

	// Output:
	// block 1000: 5 DCR
	// ended: <nil> <nil>
}

// restore makes a wallet from a seed, as dcrwallet does it, and unlocks it: its first sync
// searches for accounts.
func restore(ctx context.Context, path string, seed, passphrase []byte) (*wallet.Wallet, wallet.DB) {
	db, err := wallet.CreateDB("bdb", path)
	if err != nil {
		log.Fatal(err)
	}
	public, params := []byte(wallet.InsecurePubPassphrase), chaincfg.SimNetParams()
	if err := wallet.Create(ctx, db, public, passphrase, seed, params); err != nil {
		log.Fatal(err)
	}
	w, err := wallet.Open(ctx, &wallet.Config{
		DB: db, PubPassphrase: public, Params: params,
		GapLimit: wallet.DefaultGapLimit, AccountGapLimit: wallet.DefaultAccountGapLimit,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Unlock(ctx, passphrase, nil); err != nil {
		log.Fatal(err)
	}
	return w, db
}

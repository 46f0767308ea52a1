// Command benchclient is dcrwallet's wallet on a Syncer as a measured client of spvbench,
// with a watching-only wallet. It takes the same specification and gives the same result as
// spvbench's other clients, of which it knows the fields that it needs.
//
// dcrwallet's own SPV mode is another program, of a module of its own: it is measured with
// the versions of its dependencies that dcrwallet asks for.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"dcrspv/cmd/spvbench/usage"
	"dcrspv/spv"
	"dcrspv/wallet/dcrwallet"

	"decred.org/dcrwallet/v5/wallet"
	_ "decred.org/dcrwallet/v5/wallet/drivers/bdb"
	"github.com/decred/dcrd/chaincfg/v3"
)

// spec is what it is told.
type spec struct {
	Dir        string
	Wallet     string
	Connect    []string
	XPub       string
	CPUProfile string
}

// result is what it says in the end.
type result struct {
	Synced      time.Time
	CPUToSynced float64
	Holdings    struct {
		Balance      int64
		Transactions int
	}
	Mallocs    uint64
	AllocBytes uint64
	PeakRSS    int64
	PeakAnon   int64
}

// public is dcrwallet's default for the passphrase of what is not secret.
var public = []byte(wallet.InsecurePubPassphrase)

func main() {
	var s spec
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "spvbench runs this program: see spvbench --help")
		os.Exit(2)
	}
	err := json.Unmarshal([]byte(os.Args[1]), &s)
	if err == nil {
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dcrwallet on dcrspv:", err)
		os.Exit(1)
	}
}

func run(s spec) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.CPUProfile != "" {
		f, err := os.Create(s.CPUProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	peak := usage.WatchAnon()
	w, err := open(ctx, s)
	if err != nil {
		return err
	}
	r, err := syncUp(ctx, w, s)
	if err != nil {
		return err
	}
	if err := holdings(ctx, w, r); err != nil {
		return err
	}
	r.PeakAnon, r.PeakRSS = peak(), usage.PeakRSS()
	return json.NewEncoder(os.Stdout).Encode(r)
}

// open makes the wallet if there is none, with the settings that dcrwallet has by default.
func open(ctx context.Context, s spec) (*wallet.Wallet, error) {
	params := chaincfg.SimNetParams()
	var db wallet.DB
	_, err := os.Stat(s.Wallet)
	if errors.Is(err, os.ErrNotExist) {
		if db, err = wallet.CreateDB("bdb", s.Wallet); err != nil {
			return nil, err
		}
		err = wallet.CreateWatchOnly(ctx, db, s.XPub, public, params)
	} else if err == nil {
		db, err = wallet.OpenDB("bdb", s.Wallet)
	}
	if err != nil {
		return nil, err
	}
	return wallet.Open(ctx, &wallet.Config{
		DB: db, PubPassphrase: public, Params: params, RelayFee: 1e4,
		GapLimit: wallet.DefaultGapLimit, AccountGapLimit: wallet.DefaultAccountGapLimit,
	})
}

// syncUp runs Syncer and Backend until the wallet is in sync, and says so on a line.
func syncUp(ctx context.Context, w *wallet.Wallet, s spec) (*result, error) {
	syncer, err := spv.New(spv.Config{Params: w.ChainParams(), DataDir: s.Dir, Connect: s.Connect})
	if err != nil {
		return nil, err
	}
	b, err := dcrwallet.New(syncer, w, dcrwallet.Config{})
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 2)
	go func() { ended <- syncer.Run(ctx) }()
	go func() { ended <- b.Run(ctx) }()
	if err := b.Wait(ctx); err != nil {
		return nil, errors.Join(err, <-ended)
	}
	r := &result{Synced: time.Now(), CPUToSynced: usage.CPUSeconds()}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	r.Mallocs, r.AllocBytes = mem.Mallocs, mem.TotalAlloc
	_, err = os.Stdout.WriteString("\n")
	return r, err
}

// holdings asks the wallet.
func holdings(ctx context.Context, w *wallet.Wallet, r *result) error {
	balances, err := w.AccountBalances(ctx, 1)
	if err != nil {
		return err
	}
	for _, b := range balances {
		r.Holdings.Balance += int64(b.Total)
	}
	return w.GetTransactions(ctx, func(b *wallet.Block) (bool, error) {
		r.Holdings.Transactions += len(b.Transactions)
		return false, nil
	}, nil, nil)
}

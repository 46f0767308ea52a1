package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

var walletsColumns = []column{
	{"wall", "synced, s", 2}, {"watch", "of that making the wallets, s", 2}, {"cpu", "CPU of the scan, s", 2},
	{"goroutines", "goroutines", 0}, {"rss", "resident, MB", 0}, {"anon", "of that not of files, MB", 0},
}

// ownScripts is how many scripts each of many wallets has.
const ownScripts = 20

// measureWallets has many wallets scan all stored blocks, and then one wallet that has
// all of their scripts.
func measureWallets(ctx context.Context, b *bench) error {
	store, err := b.storeDir(ctx)
	if err != nil {
		return err
	}
	for _, n := range []int{100, 1000} {
		for _, wallets := range []int{n, 1} {
			each := n * ownScripts / wallets
			r := &row{Table: "wallets", What: fmt.Sprintf("wallets: %d", wallets),
				Blocks: b.world.Blocks, Scripts: n * ownScripts}
			for i := range b.opts.Repeat {
				dir, err := b.fresh("wallets")
				if err != nil {
					return err
				}
				spec := clientSpec{
					Dir: store, Wallet: filepath.Join(dir, "wallet.db"), Connect: b.hello.Peers,
					Scripts: each, More: wallets - 1,
				}
				if i == 0 {
					b.profiles(&spec, r)
				}
				s, err := b.sample(ctx, b.product, spec, nil)
				if err != nil {
					return err
				}
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				r.put("wall", s.Wall)
				r.put("watch", s.Watching)
				r.put("cpu", s.ScanCPU)
				r.put("goroutines", float64(s.Goroutines))
				r.put("rss", float64(s.PeakRSS)/1e6)
				r.put("anon", float64(s.PeakAnon)/1e6)
				b.progress("%s blocks, %s: %.2f s of CPU, %.0f MB", thousands(r.Blocks), r.What, s.ScanCPU, float64(s.PeakRSS)/1e6)
			}
			b.results.add(b, r)
		}
	}
	return nil
}

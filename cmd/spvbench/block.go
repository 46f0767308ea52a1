package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// followed is how many blocks the table block is made of.
const followed = 20

var blockColumns = []column{{"ms", "event, ms", 2}, {"cpu", "CPU of all blocks, s", 2}}

// measureBlock mines blocks that pay the account, one after the other, while a
// client follows the chain: with one wallet, and with a thousand of which a block
// concerns one.
func measureBlock(ctx context.Context, b *bench) error {
	store, err := b.storeDir(ctx)
	if err != nil {
		return err
	}
	for _, wallets := range []int{1, 1000} {
		dir, err := b.fresh("block")
		if err != nil {
			return err
		}
		spec := b.spec(store)
		spec.Wallet, spec.Follow = filepath.Join(dir, "wallet.db"), followed
		r := &row{Table: "block", What: product, Blocks: b.world.Blocks, Aim: "10 ms"}
		if wallets > 1 {
			spec.Scripts, spec.More = ownScripts, wallets-1
			r.What, r.Scripts, r.Aim = fmt.Sprintf("%s, %d wallets", product, wallets), wallets*ownScripts, "20 ms"
		}
		b.profiles(&spec, r)
		if err := b.followBlocks(ctx, r, spec); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		b.results.add(b, r)
	}
	return nil
}

// followBlocks is one client that follows the chain.
func (b *bench) followBlocks(ctx context.Context, r *row, spec clientSpec) error {
	var mined []time.Time
	s, err := b.sample(ctx, b.product, spec, func() error {
		for range followed {
			// Peers are asked for new headers once after the first sync, and
			// blocks are rare: let everything be quiet.
			time.Sleep(100 * time.Millisecond)
			r, err := b.server.order(order{Mine: 1})
			if err != nil {
				return err
			}
			mined = append(mined, r.Mined...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, at := range s.Followed {
		r.put("ms", float64(at.Sub(mined[i]).Microseconds())/1e3)
	}
	r.put("cpu", s.FollowCPU)
	return nil
}

package wallet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/decred/dcrd/wire"
)

// What it costs that as many transactions wait as a peer may have sent, without
// the disk:
//
//	go test -run '^$' -bench Waiting ./wallet

// BenchmarkUndone: what an empty block costs after a reorg that has undone many
// transactions.
func BenchmarkUndone(b *testing.B) {
	big := newBig(b, filepath.Join(b.TempDir(), "wallet.db"), walletSize{scripts: 1_000, history: 1_000})
	fork := big.tip
	for range 8 {
		big.apply(b, 1, 1_000)
	}
	if err := big.w.Rewind(context.Background(), fork); err != nil {
		b.Fatal(err)
	}
	big.tip = fork
	if n := len(big.w.pool.byID); n != 8_000 {
		b.Fatal(n)
	}
	for b.Loop() {
		big.apply(b, 1, 0)
	}
}

func BenchmarkWaiting(b *testing.B) {
	big := newBig(b, filepath.Join(b.TempDir(), "wallet.db"), walletSize{scripts: 1_000, history: 1_000})
	for n := 0; len(big.w.pool.byID) < maxSeen-100; n++ {
		var txs []*wire.MsgTx
		for range 50 {
			txs = append(txs, big.signed())
		}
		if _, err := big.w.AddRelayed(context.Background(), fmt.Sprint("peer", n), txs); err != nil || n > maxSeen {
			b.Fatal(n, err)
		}
	}
	bench := func(name string, fn func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := fn(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	foreign := []*wire.MsgTx{newWorld(nil).pay(out(foreignScript(1), 1))}
	bench("RelayedForeign", func() error { _, err := big.w.AddRelayed(context.Background(), "peer", foreign); return err })
	bench("Pending", func() error { _, err := big.w.Pending(context.Background()); return err })
	bench("ApplyEmpty", func() error { big.apply(b, 1, 0); return nil })
	bench("Apply10", func() error { big.apply(b, 1, 10); return nil })
	bench("Watch", func() error { big.watch(b, 1, big.tip.Height+1); return nil })
	bench("Balance", func() error { _, err := big.w.Balance(background()); return err })
	bench("SeenAndDropped", func() error {
		tx := big.signed()
		_, err := big.w.AddRelayed(context.Background(), "peer", []*wire.MsgTx{tx})
		return errors.Join(err, big.w.DropUnmined(background(), tx.TxHash()))
	})
	bench("Reload", func() error {
		big.w.mu.Lock()
		defer big.w.mu.Unlock()
		return big.w.load()
	})
	if list, err := big.w.Unmined(background()); err != nil || len(list) < maxSeen/4 {
		b.Fatal(len(list), err)
	}
}

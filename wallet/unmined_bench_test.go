package wallet

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/decred/dcrd/wire"
)

// What it costs that as many transactions wait as a peer may have sent, without
// the disk:
//
//	go test -run '^$' -bench Waiting ./wallet

func BenchmarkWaiting(b *testing.B) {
	big := newBig(b, filepath.Join(b.TempDir(), "wallet.db"), walletSize{scripts: 1_000, history: 1_000})
	var txs []*wire.MsgTx
	for range maxSeen/2 - 1 {
		txs = append(txs, big.tx())
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
	if _, err := big.w.Seen("peer", txs); err != nil {
		b.Fatal(err)
	}
	bench("ApplyEmpty", func() error { big.apply(b, 1, 0); return nil })
	bench("Apply10", func() error { big.apply(b, 1, 10); return nil })
	bench("Watch", func() error { big.watch(b, 1, big.tip.Height+1); return nil })
	bench("Balance", func() error { _, err := big.w.Balance(background()); return err })
	bench("SeenAndDropped", func() error {
		tx := big.tx()
		_, err := big.w.Seen("peer", []*wire.MsgTx{tx})
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

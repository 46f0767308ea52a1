package wallet

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkOpen opens wallets of one watch set and ever longer histories, in as many
// events: what is watched is read, and what was found is not.
//
//	go test -run '^$' -bench 'Open$' -benchtime 100x ./wallet
func BenchmarkOpen(b *testing.B) {
	for _, history := range []int{10, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("history=%d", history), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "wallet.db")
			w := openBig(b, path)
			if err := w.KeepEvents(background(), 10_000_000); err != nil {
				b.Fatal(err)
			}
			w.Close()
			newBig(b, path, walletSize{scripts: 10, history: history}).w.Close()
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			benchOpen(b, path, info.Size())
		})
	}
}

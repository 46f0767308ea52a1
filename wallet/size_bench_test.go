package wallet

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/hdkeychain/v3"
	"github.com/decred/dcrd/wire"
)

// What a wallet costs by its size. The largest takes about a minute to make:
//
//	go test -run '^$' -bench 'Size/.*/.*000/' -benchtime 20x ./wallet
//
// Interactive means below 100 ms, for whatever a user waits for.

// walletSize is how much there is in a wallet.
type walletSize struct{ scripts, history int }

func (s walletSize) String() string {
	return fmt.Sprintf("scripts=%d/history=%d", s.scripts, s.history)
}

// sizes grow together, and each for itself.
var sizes = []walletSize{
	{1_000, 10_000},
	{1_000, 100_000},
	{10_000, 100_000},
	{100_000, 10_000},
	{100_000, 1_000_000},
}

const (
	bigBlock = 500 // transactions of the wallet in a block
	bigBatch = 40  // blocks in a batch
)

func BenchmarkSize(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.String(), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "wallet.db")
			big := newBig(b, path, size)
			if err := big.w.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("Open", func(b *testing.B) { benchOpen(b, path, info.Size()) })
			big.w = openBig(b, path)
			benchReads(b, big)
			benchWrites(b, big)
			big.w.Close()
		})
	}
}

func benchOpen(b *testing.B, path string, size int64) {
	for b.Loop() {
		w, err := Open(path, params)
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}

// BenchmarkWatchMany watches 100,000 addresses at once, and no longer.
func BenchmarkWatchMany(b *testing.B) {
	var what Watch
	for n := range uint64(100_000) {
		what.Addresses = append(what.Addresses, addr(n*2654435761%(1<<32)).String())
	}
	for b.Loop() {
		b.StopTimer()
		w, err := Open(filepath.Join(b.TempDir(), "wallet.db"), params)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := w.Watch(context.Background(), what); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		began := time.Now()
		if err := w.Unwatch(context.Background(), what); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "unwatch-ms")
		w.Close()
		b.StartTimer()
	}
}

// benchReads asks what a user looks at.
func benchReads(b *testing.B, big *bigWallet) {
	ctx := context.Background()
	w := big.w
	bench := func(name string, read func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("Balance", func() error { _, err := w.Balance(ctx); return err })
	bench("HistoryPage", func() error { _, err := w.HistoryPage(ctx, nil, 50); return err })
	bench("History", func() error { _, err := w.History(ctx); return err })
	bench("UTXOs", func() error { _, err := w.UTXOs(ctx); return err })
	bench("Address", func() error { _, err := w.Address(ctx); return err })
	bench("Watched", func() error { _, err := w.Watched(ctx); return err })
	bench("Events", func() error { _, err := w.readEvents(ctx, w.mustLast(b)-eventChunk); return err })
	bench("Scanned", func() error { w.Scanned(big.tip.Height); return nil })
}

func (w *Wallet) mustLast(b *testing.B) uint64 {
	last, err := w.LastEvent(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return last
}

// benchWrites does what happens while a wallet is open: something is watched, the
// chain grows by a block. Each write is synced, as it is in use.
func benchWrites(b *testing.B, big *bigWallet) {
	w := big.w
	w.db.NoSync = false
	b.Run("Watch", func(b *testing.B) {
		for b.Loop() {
			big.watch(b, 1, big.tip.Height+1)
		}
	})
	big.apply(b, 1, 1)
	b.Run("NextScan", func(b *testing.B) {
		for b.Loop() {
			w.mu.Lock()
			w.queries = queryCache{} // as after a restart
			w.mu.Unlock()
			if _, ok, err := w.NextScan(context.Background(), big.tip.Height+1); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("ApplyEmpty", func(b *testing.B) {
		for b.Loop() {
			big.apply(b, 1, 0)
		}
	})
	b.Run("Apply10", func(b *testing.B) {
		for b.Loop() {
			big.apply(b, 1, 10)
		}
	})
	benchUndo(b, big)
}

// benchUndo publishes transactions and takes things away again.
func benchUndo(b *testing.B, big *bigWallet) {
	ctx := context.Background()
	w := big.w
	b.Run("AddUnmined", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.AddUnmined(ctx, big.signed()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Rewind", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			before := big.tip
			big.apply(b, 1, 10)
			b.StartTimer()
			if err := w.Rewind(context.Background(), before); err != nil {
				b.Fatal(err)
			}
			big.tip = before
		}
	})
	b.Run("Unwatch", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s := big.watch(b, 1, big.tip.Height+1)
			b.StartTimer()
			if err := w.Unwatch(ctx, Watch{Scripts: s}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// bigWallet is a wallet with a chain that is made up as it grows: blocks of
// transactions that pay its scripts in turn, every second one out of the coin
// that the one before made. So half of all outputs ever made are unspent, more
// than in any wallet that is used.
type bigWallet struct {
	w       *Wallet
	tip     chain.BlockID
	scripts int
	txs     int
	last    wire.OutPoint
}

func newBig(b *testing.B, path string, size walletSize) *bigWallet {
	big := &bigWallet{w: openBig(b, path), tip: chain.BlockID{Hash: params.GenesisHash}}
	big.watch(b, size.scripts, 0)
	key, err := hdkeychain.NewMaster(make([]byte, 32), params)
	if err != nil {
		b.Fatal(err)
	}
	what := Watch{XPubs: []string{key.Neuter().String()}}
	if err := big.w.Watch(context.Background(), what); err != nil {
		b.Fatal(err)
	}
	big.apply(b, 1, 0) // the genesis block is in it
	for big.txs < size.history {
		blocks := min(bigBatch, (size.history-big.txs+bigBlock-1)/bigBlock)
		big.apply(b, blocks, bigBlock)
	}
	return big
}

func openBig(b *testing.B, path string) *Wallet {
	w, err := Open(path, params)
	if err != nil {
		b.Fatal(err)
	}
	w.db.NoSync = true
	return w
}

// watch adds scripts.
func (big *bigWallet) watch(b *testing.B, n int, from uint32) [][]byte {
	what := Watch{From: from}
	for range n {
		what.Scripts = append(what.Scripts, scriptN(uint64(big.scripts)))
		big.scripts++
	}
	if err := big.w.Watch(context.Background(), what); err != nil {
		b.Fatal(err)
	}
	return what.Scripts
}

// tx is the next transaction.
func (big *bigWallet) tx() *wire.MsgTx {
	tx := wire.NewMsgTx()
	op := big.last
	if big.txs%2 == 0 {
		op = wire.OutPoint{Hash: chainhash.HashH(binary.BigEndian.AppendUint64(nil, uint64(big.txs)))}
	}
	tx.AddTxIn(wire.NewTxIn(&op, wire.NullValueIn, make([]byte, 107)))
	amount := 1e8 / int64(1+big.txs%2) // no more than there is
	tx.AddTxOut(out(scriptN(uint64(big.txs*7919%big.scripts)), amount))
	tx.AddTxOut(out(foreignScript(1), amount))
	big.txs++
	big.last = wire.OutPoint{Hash: tx.TxHash()}
	return tx
}

// signed is the next transaction as its owner signs it.
func (big *bigWallet) signed() *wire.MsgTx {
	tx := big.tx()
	tx.TxIn[0].SignatureScript = nil
	return signed(tx)[0]
}

// apply makes blocks and answers the wallet's scan with them.
func (big *bigWallet) apply(b *testing.B, blocks, txs int) {
	batch := spv.Batch{}
	for range blocks {
		block := &wire.MsgBlock{Header: wire.BlockHeader{
			PrevBlock: big.tip.Hash, Height: big.tip.Height + 1, VoteBits: 1,
			Timestamp: time.Unix(1_700_000_000+300*int64(big.tip.Height), 0),
		}}
		binary.BigEndian.PutUint64(block.Header.MerkleRoot[:], uint64(big.txs)) // makes branches differ
		coinbase := wire.NewMsgTx()
		coinbase.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: wire.MaxPrevOutIndex}, 1, nil))
		coinbase.AddTxOut(out(foreignScript(2), 1))
		block.AddTransaction(coinbase)
		for range txs {
			block.AddTransaction(big.tx())
		}
		big.tip = chain.BlockID{Height: big.tip.Height + 1, Hash: block.BlockHash()}
		batch.Blocks = append(batch.Blocks, spv.Block{ID: big.tip, Time: block.Header.Timestamp, Msg: block})
	}
	batch.End = big.tip
	scan, ok, err := big.w.NextScan(context.Background(), big.tip.Height)
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	batch.Scan = scan
	if err := big.w.Apply(context.Background(), batch); err != nil {
		b.Fatal(err)
	}
}

package wallet

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"
)

// TestConcurrent: everybody calls everything while a Syncer applies blocks.
// Rule 17.
func TestConcurrent(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	for i := range uint32(60) {
		c.mine(c.pay(out(scriptN(uint64(i%7)), 1), out(scriptOf(keyAddr(t, key, i%2, i/3)), 2)))
	}
	watch(t, w, Watch{XPubs: []string{key}})
	ctx, cancel := context.WithCancel(context.Background())
	var others sync.WaitGroup
	repeat := func(fn func() error) {
		others.Go(func() {
			for ctx.Err() == nil {
				if err := fn(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	n := uint64(0)
	repeat(func() error { n++; return w.Watch(background(), Watch{Addresses: []string{addr(n % 7).String()}}) })
	repeat(func() error { return w.Rescan(background(), 10, 20) })
	repeat(func() error {
		b, err := w.Balance(background())
		if b.Total != b.Spendable+b.Immature+b.Staked {
			t.Errorf("balance %+v", b)
		}
		return err
	})
	repeat(func() error { _, err := w.History(background()); return err })
	repeat(func() error { _, err := w.UTXOs(background()); return err })
	repeat(func() error { _, err := w.Watched(background()); return err })
	repeat(func() error { _, err := w.Address(background()); return err })
	repeat(func() error { w.Scanned(60); w.Birthday(); _, err := w.Unmined(background()); return err })
	var reader sync.WaitGroup
	reader.Go(func() {
		r := newReplay()
		for ev, err := range w.Events(context.Background(), 0) {
			if err != nil {
				if !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				return
			}
			if err := r.take(ev); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for limit := uint32(1); limit <= c.height(); limit++ {
		for range 5 {
			c.step(w, limit, nil)
		}
	}
	cancel()
	others.Wait()
	for i := range uint64(7) {
		watchN(t, w, 0, i)
	}
	c.sync(w)
	wantBalance(t, w, 180, 0, 0, 0)
	w.Close()
	reader.Wait()
}

func background() context.Context { return context.Background() }

// manyScripts are 100,000 of them.
func manyScripts() Watch {
	what := Watch{}
	for i := range 100_000 {
		script := append([]byte{0x76, 0xa9, 0x14}, make([]byte, 20)...)
		binary.BigEndian.PutUint64(script[3:], uint64(i))
		what.Scripts = append(what.Scripts, append(script, 0x88, 0xac))
	}
	return what
}

func BenchmarkManyScripts(b *testing.B) {
	what := manyScripts()
	var w *Wallet
	b.Run("watch", func(b *testing.B) {
		for b.Loop() {
			var err error
			if w, err = Open(b.TempDir()+"/wallet.db", params); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { w.Close() })
			if err := w.Watch(context.Background(), what); err != nil {
				b.Fatal(err)
			}
		}
	})
	w, err := Open(b.TempDir()+"/wallet.db", params)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if err := w.Watch(context.Background(), what); err != nil {
		b.Fatal(err)
	}
	height := uint32(0)
	b.Run("scan", func(b *testing.B) { // of one empty block, with its commit
		for b.Loop() {
			scan, ok, err := w.NextScan(context.Background(), height)
			if !ok || err != nil {
				b.Fatal(err)
			}
			end := chain.BlockID{Height: scan.Range.To}
			if err := w.Apply(context.Background(), spv.Batch{Scan: scan, End: end}); err != nil {
				b.Fatal(err)
			}
			height++
		}
	})
	b.Run("derive", func(b *testing.B) { // a group comes and is merged
		for b.Loop() {
			n := uint64(1)<<33 + uint64(height)
			watch := Watch{Addresses: []string{addr(n).String()}, From: height}
			if err := w.Watch(context.Background(), watch); err != nil {
				b.Fatal(err)
			}
			for {
				scan, ok, _ := w.NextScan(context.Background(), height)
				if !ok {
					break
				}
				if err := w.Apply(context.Background(), spv.Batch{Scan: scan, End: chain.BlockID{Height: scan.Range.To}}); err != nil {
					b.Fatal(err)
				}
			}
			height++
		}
	})
	b.Run("reopen", func(b *testing.B) {
		for b.Loop() {
			if err := w.load(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

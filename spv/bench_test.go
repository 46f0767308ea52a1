package spv_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// BenchmarkInitialSync is a first sync from 8 peers in memory to Synced: every
// header and filter fetched, verified, written and matched for 20 scripts. The
// peers' work is in the time.
func BenchmarkInitialSync(b *testing.B) {
	const blocks = 50000
	c := spvtest.NewChain(nil, spvtest.EndBefore(time.Now(), blocks), spvtest.FilterItems(90))
	c.Mine(blocks)
	net := spvtest.NewNetwork()
	defer net.Close()
	var addrs []string
	for i := range 8 {
		addr := fmt.Sprintf("10.0.0.%d:18555", i+1)
		net.Add(addr, spvtest.NewPeer(c, spvtest.Behaviour{}))
		addrs = append(addrs, addr)
	}
	var scripts [][]byte
	for i := range uint32(20) {
		scripts = append(scripts, spvtest.Script(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		w := newMemoryWallet()
		w.watch(0, scripts...)
		s, err := spv.New(spv.Config{
			Params:  chaincfg.SimNetParams(),
			DataDir: b.TempDir(),
			Wallets: []spv.Wallet{w},
			Connect: addrs,
			Dial:    net.Dial,
		})
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		if err := s.Wait(ctx, spv.Synced); err != nil {
			b.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*blocks), "ns/block")
}

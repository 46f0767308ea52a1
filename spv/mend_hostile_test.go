package spv_test

import (
	"context"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// TestRotWhereAWalletStands: a wallet that is behind the tip, in a stretch of headers
// that rot has spoiled, is not rewound: that the block can't be read does not mean that
// it has left the chain.
func TestRotWhereAWalletStands(t *testing.T) {
	c := paid(1200)
	for range 4 { // whether the rewind happens is up to a select
		storyOn(t, c, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			w.stop()

			w.wallet.watch(0, watched)
			w.wallet.blocks = map[uint32]chain.BlockID{100: c.ID(100), 601: c.ID(601)}
			w.wallet.covered = chain.Ranges{{From: 0, To: 601}}
			w.wallet.matched = map[uint32]chain.BlockID{600: c.ID(600)}
			w.wallet.given[c.ID(600)]++

			s, err := spv.New(spv.Config{
				Params: chaincfg.SimNetParams(), DataDir: w.dir, Wallets: []spv.Wallet{w.wallet}, Connect: w.addrs, Dial: w.net.Dial,
			})
			if err != nil {
				t.Fatal(err)
			}
			header := c.Header(650)
			w.flip(header[:]) // the medium does it: the file is open, nobody has written to it
			ctx, cancel := context.WithCancel(w.t.Context())
			w.syncer, w.cancel, w.done = s, cancel, make(chan error, 1)
			go func() { w.done <- s.Run(ctx) }()

			w.wantAsIf(c, 600, 1200)
			if len(w.wallet.rewinds) > 0 {
				t.Errorf("the wallet was rewound to %v", w.wallet.rewinds)
			}
		})
	}
}

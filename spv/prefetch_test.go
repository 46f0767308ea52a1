package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
)

// withKnownBlocks makes every n-th block of a chain a known one.
func withKnownBlocks(c *spvtest.Chain, n uint32) func(*spv.Config) {
	return func(cfg *spv.Config) {
		var known []chain.BlockID
		for h := n; h <= c.Tip().Height; h += n {
			known = append(known, c.ID(h))
		}
		cfg.Rules = chain.NewRules(chaincfg.SimNetParams(), chain.KnownBlocks(known...))
	}
}

// Between known blocks the headers are fetched from all peers at once, and each
// one only once.
// Rule 1.
func TestHeadersBetweenKnownBlocksInParallel(t *testing.T) {
	const blocks, latency = 40_000, 200 * time.Millisecond
	c := spvtest.NewChain(nil)
	c.Mine(blocks)
	took := func(change ...func(*spv.Config)) (d time.Duration, requests int) {
		storyOn(t, c, func(w *world) {
			w.joinMany(5, spvtest.Behaviour{Latency: latency})
			change = append(change, func(cfg *spv.Config) { cfg.Birthday = new(uint32(blocks)) })
			w.start(change...)
			before := time.Now()
			st := w.sync()
			d, requests = time.Since(before), st.Requests.Headers
			w.wantNoViolations()
		})
		return d, requests
	}
	serial, serialRequests := took()
	parallel, requests := took(withKnownBlocks(c, 4000))
	if parallel > serial/3 {
		t.Errorf("took %v with known blocks, %v without", parallel, serial)
	}
	if requests > serialRequests+5 { // some may have been greeted by then
		t.Errorf("%d requests with known blocks, %d without", requests, serialRequests)
	}
}

// A peer that sends something else between known blocks costs nothing but its
// own connection.
// Rule 22.
func TestHostileHeadersBetweenKnownBlocks(t *testing.T) {
	const blocks = 12_000
	c := spvtest.NewChain(nil)
	c.Mine(blocks)
	for name, b := range map[string]spvtest.Behaviour{
		"work":  {BadHeaders: spvtest.HeadersBadPoW, BadHeaderAt: 9000},
		"bits":  {BadHeaders: spvtest.HeadersWrongBits, BadHeaderAt: 9000},
		"price": {BadHeaders: spvtest.HeadersWrongPrice, BadHeaderAt: 9000},
		"link":  {BadHeaders: spvtest.HeadersWrongLink, BadHeaderAt: 9000},
	} {
		t.Run(name, func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				b.Latency = 50 * time.Millisecond
				w.joinMany(4, b)
				w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
				w.start(withKnownBlocks(c, 2000))
				w.sync()
				w.stop()
			})
		})
	}
}

// Peers on a shorter chain that parts between known blocks can't keep us from
// the longer one.
// Rules 12 and 22.
func TestOtherChainBetweenKnownBlocks(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(5000)
	other := c.Fork(3000)
	other.Mine(6000)
	c.Mine(6000)
	storyOn(t, c, func(w *world) {
		for range 3 {
			w.joinWith(other, spvtest.Behaviour{Latency: 10 * time.Millisecond, AdvertisedHeight: 20_000})
		}
		w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start(withKnownBlocks(c, 2000))
		w.syncTo(c)
	})
}

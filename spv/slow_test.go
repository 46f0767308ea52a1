package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv/spvtest"
)

// One peer of eight that is very slow, or never answers for filters or for
// blocks, costs one late answer to a getheaders and one to another request at
// most: each peer gets its chance to show how fast it is.
// Rule 22.
func TestOnePeerHoldsUpNobody(t *testing.T) {
	const latency = 50 * time.Millisecond
	c := spvtest.NewChain(nil)
	c.Mine(10_000)
	for i := range 20 {
		c.MineBlock(c.Pay(spvtest.Script(uint32(i)%4), 1e8))
		c.Mine(10)
	}
	took := func(b spvtest.Behaviour) (d time.Duration) {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(0, spvtest.Script(0), spvtest.Script(1), spvtest.Script(2), spvtest.Script(3))
			w.joinMany(7, spvtest.Behaviour{Latency: latency})
			b.Latency = latency
			w.join(b)
			before := time.Now()
			w.start()
			w.sync()
			d = time.Since(before)
			w.wantNoViolations()
		})
		return d
	}
	without := took(spvtest.Behaviour{})
	for name, b := range map[string]spvtest.Behaviour{
		"slow":       {Bandwidth: 20_000},
		"no filters": {Silent: map[string]bool{"getcfsv2": true}},
		"no blocks":  {Silent: map[string]bool{"getdata": true}},
	} {
		if with := took(b); with > without+6*latency {
			t.Errorf("%s: %v, and %v without such a peer", name, with, without)
		}
	}
}

// Peers whose windows are full are waited for without spinning.
// Rule 9.
func TestFullWindowsDoNotSpin(t *testing.T) {
	story(t, 1000, func(w *world) {
		p := w.join(spvtest.Behaviour{Latency: 2 * time.Second})
		w.start()
		w.pass(3 * time.Second) // connected
		p.SetBehaviour(spvtest.Behaviour{Latency: 10 * time.Second})
		w.sync()
	})
}

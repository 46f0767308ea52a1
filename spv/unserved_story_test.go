package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A peer with ever more valid headers, for which nobody has filters, keeps us
// from the chain of the others for a while only; none of them is cut off for
// being behind such headers.
// Rules 8 and 22.
func TestWithheldBranchIsGivenUp(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(7)
	c.Mine(1999)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(530)
	storyOn(t, c, func(w *world) {
		w.pass(30 * 24 * time.Hour) // there is room for many blocks before the clock
		w.wallet.watch(0, script)
		w.joinMany(3, spvtest.Behaviour{})
		w.join(spvtest.Behaviour{BadHeaders: spvtest.HeadersEndless, AdvertisedHeight: 4000, Latency: time.Second,
			Silent: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.start()
		began := time.Now()
		w.syncTo(c)
		if took := time.Since(began); took > 5*time.Minute {
			t.Errorf("it took %v", took)
		}
		w.wantMatches(c, 2000)
		for i := range 3 {
			if r := w.cutReason(i); r != "" {
				t.Errorf("honest peer %d was cut off: %s", i, r)
			}
		}
		// What the honest peers mine now is followed.
		longer := c.Fork(c.Height())
		longer.MineBlock(longer.Pay(script, 1e8))
		for _, p := range w.peers[:3] {
			p.SetChain(longer)
		}
		w.syncTo(longer)
		w.wantMatches(longer, 2000, longer.Height())
	})
}

// A peer that alone has the newest blocks and is slow with their filters has
// time; the branch is given up, but taken as soon as another peer has it.
// Rules 8 and 23.
func TestGivenUpBranchIsTakenFromOthers(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		longer := w.chain.Fork(300)
		longer.Mine(4)
		w.joinWith(longer, spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.start()
		w.syncTo(w.chain)
		for _, p := range w.peers[:2] {
			p.SetChain(longer)
		}
		w.syncTo(longer)
	})
}

// A withheld branch is given up although the chain of the others has grown past
// the block where it parts from theirs.
// Rule 8.
func TestWithheldBranchIsPassed(t *testing.T) {
	story(t, 500, func(w *world) {
		w.pass(30 * 24 * time.Hour)
		w.joinMany(3, spvtest.Behaviour{})
		w.join(spvtest.Behaviour{BadHeaders: spvtest.HeadersEndless, AdvertisedHeight: 4000, Latency: time.Second,
			Silent: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.start()
		w.pass(10 * time.Second)
		longer := w.chain.Fork(500)
		longer.Mine(5)
		for _, p := range w.peers[:3] {
			p.SetChain(longer)
		}
		w.syncTo(longer)
	})
}

// A branch that was given up because those who told of it withheld its filters
// is taken from whoever comes later and serves them.
// Rules 8 and 23.
func TestGivenUpBranchIsTakenFromNewcomers(t *testing.T) {
	story(t, 500, func(w *world) {
		longer := w.chain.Fork(500)
		longer.Mine(5)
		w.join(spvtest.Behaviour{NoAnnounce: true})
		w.joinWith(longer, spvtest.Behaviour{Silent: silentTo(wire.CmdGetCFiltersV2)})
		honest := w.joinWith(longer, spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.pass(2 * time.Minute)
		if st := w.syncer.Status(); st.Tip.Height != 500 || !st.Synced {
			t.Fatalf("not in sync with those who serve: %+v", st)
		}
		honest.SetBehaviour(spvtest.Behaviour{})
		w.pass(2 * time.Minute)
		if st := w.syncer.Status(); st.Tip.Height != 505 || !st.Synced {
			t.Errorf("not in sync with the newcomer: %+v", st)
		}
	})
}

// A withheld branch is given up from the block where it parts from the others'
// chain, though that is in the middle of a batch, and though there are many who
// are silent to be asked before.
func TestWithheldBranchPartsInsideABatch(t *testing.T) {
	story(t, 500, func(w *world) {
		honest := w.chain.Fork(450)
		honest.Mine(60)
		withheld := w.chain.Fork(500)
		withheld.Mine(30)
		silent := spvtest.Behaviour{Silent: silentTo(wire.CmdGetCFiltersV2)}
		for range 6 {
			w.joinWith(withheld, silent)
		}
		w.joinWith(honest, spvtest.Behaviour{})
		w.start()
		began := time.Now()
		w.syncTo(honest)
		if took := time.Since(began); took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		if reason := w.cutReason(6); reason != "" {
			t.Errorf("the honest peer was cut off: %s", reason)
		}
	})
}

package spv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// A fork that lies deeper than the steps of a locator are short: the first
// answers hold nothing new. The branch is found all the same, by announcement
// and after a reconnection.
// Rule 8.
func TestForkDeeperThanLocatorSteps(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(20000)
	branch := c.Fork(10000)
	branch.Mine(10010)
	announce := func(p *spvtest.Peer) {
		p.SetChain(branch)
		p.Send(branch.Headers(20010, 20010))
	}
	reconnect := func(p *spvtest.Peer) {
		p.SetChain(branch)
		p.Disconnect()
	}
	for name, tt := range map[string]struct {
		change  func(*spvtest.Peer)
		latency time.Duration
	}{
		"announced":   {announce, 0},
		"reconnected": {reconnect, 0},
		// The same is asked twice: before sendheaders goes out, and with it.
		"reconnected far away": {reconnect, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				w.wallet.watch(19000, spvtest.Script(1)) // few filters
				w.join(spvtest.Behaviour{NoAnnounce: true, Latency: tt.latency})
				w.start()
				w.wait(spv.Settled)
				began := time.Now()
				tt.change(w.peers[0])
				w.syncTo(branch)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("followed after %v", took)
				}
				w.wantNoViolations()
			})
		})
	}
}

// A branch that only its second answer gives more work: the parents are in one
// message, the children in another.
// Rule 8.
func TestBranchInTwoAnswers(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(2500)
	branch := c.Fork(400)
	branch.Mine(2105)
	t.Run("initial", func(t *testing.T) {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(2400, spvtest.Script(1))
			w.joinMany(2, spvtest.Behaviour{})
			w.joinWith(branch, spvtest.Behaviour{})
			w.start()
			w.syncTo(branch)
		})
	})
	t.Run("following", func(t *testing.T) {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(2400, spvtest.Script(1))
			w.join(spvtest.Behaviour{NoAnnounce: true})
			w.start()
			w.wait(spv.Settled)
			before := w.total(wire.CmdGetHeaders)
			w.mineOn(branch)
			w.peers[0].Send(branch.Headers(2505, 2505))
			synctest.Wait()
			if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != branch.Tip().Hash {
				t.Errorf("%+v", st)
			}
			if n := w.total(wire.CmdGetHeaders) - before; n > 3 {
				t.Errorf("%d getheaders for two answers", n)
			}
			w.wantUnpunished(0)
		})
	})
}

// A network that has nothing but its genesis block is in sync, and its first
// block is followed.
func TestGenesisOnly(t *testing.T) {
	story(t, 1, func(w *world) {
		w.wallet.watch(0, watched)
		w.joinWith(w.chain.Fork(0), spvtest.Behaviour{})
		w.start()
		if st := w.wait(spv.Settled); st.Tip.Height != 0 || st.Target != 0 {
			t.Errorf("%+v", st)
		}
		c := w.chain.Fork(0)
		c.MineBlock(c.Pay(watched, 1e8))
		w.mineOn(c)
		w.syncTo(c)
		w.wantMatches(c, 1)
	})
}

// A reorg to below the birthday fetches no filter from below the birthday.
// Rule 8.
func TestReorgBelowBirthday(t *testing.T) {
	story(t, 1000, func(w *world) {
		w.wallet.watch(900, watched)
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		branch := w.chain.Fork(500)
		branch.Mine(449)
		branch.MineBlock(branch.Pay(watched, 1e8))
		branch.Mine(60)
		w.mineOn(branch)
		w.syncTo(branch)
		w.wantMatches(branch, 950)
		for h := uint32(1); h < 900; h++ {
			if n := w.requests(h); n != 0 {
				t.Fatalf("filter %d was requested", h)
			}
		}
		if got := w.wallet.rewinds; len(got) != 1 || got[0].Height > 500 {
			t.Errorf("rewound to %v", got)
		}
	})
}

// A reorg to a lower height shows in no number as if there were billions of
// blocks to do.
func TestReorgToLowerHeight(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(300)
	branch := c.Fork(250)
	branch.SetSpacing(0)
	branch.Mine(20) // more work than the 50 blocks they replace
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.mineOn(branch)
		w.syncTo(branch)
		st := w.syncer.Status()
		if st.Tip.Height != 270 || st.Target != 270 || st.Filters.Through != 270 || st.Scanned.Through != 270 {
			t.Errorf("%+v", st)
		}
		if st.Rate < 0 || st.Rate > 1e6 || st.ETA != 0 {
			t.Errorf("rate %v, eta %v", st.Rate, st.ETA)
		}
	})
}

// A peer that comes back with a lower height than it had is no liar: chains
// reorganize.
// Rule 14.
func TestPeerComesBackLower(t *testing.T) {
	story(t, 500, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.peers[1].SetBehaviour(spvtest.Behaviour{Lag: 5})
		w.peers[1].Disconnect()
		w.pass(time.Minute)
		if p := w.known(1); p.AdvertisedHeight != 495 || p.ValidatedHeight > 495 {
			t.Errorf("%+v", p)
		}
		w.wantUnpunished(1)
	})
}

// Blocks mined during the initial sync are had from peers that stated a lower
// height when they connected, if who told of them does not have them.
// Rule 2.
func TestBlocksMinedMeanwhileAreHadFromAll(t *testing.T) {
	story(t, 500, func(w *world) {
		script := spvtest.Script(1)
		w.wallet.watch(0, script)
		longer := w.chain.Fork(500)
		longer.Mine(2)
		longer.MineBlock(longer.Pay(script, 1e8))
		honest := w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.joinWith(longer, spvtest.Behaviour{NotFound: true})
		w.start()
		w.pass(5 * time.Second)
		honest.SetChain(longer)
		w.pass(2 * time.Minute)
		if st := w.syncer.Status(); st.Tip.Height != 503 || !st.Synced {
			t.Errorf("not in sync: %+v", st)
		}
		w.wantMatches(longer, 503)
	})
}

// Who has announced blocks that we don't know yet is not cut off for the height
// that it stated when it connected.
// Rule 3.
func TestAnnouncedBlocksKeepFromTheCut(t *testing.T) {
	story(t, 500, func(w *world) {
		honest := w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
		longer := w.chain.Fork(500)
		longer.Mine(12)
		w.joinWith(longer, spvtest.Behaviour{Lag: 2, DialLatency: 8 * time.Second})
		w.start()
		w.pass(2 * time.Second)
		honest.SetChain(longer)
		w.syncTo(longer)
		w.pass(10 * time.Second)
		if reason := w.cutReason(0); reason != "" {
			t.Errorf("cut off: %s", reason)
		}
	})
}

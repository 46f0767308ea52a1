package spv_test

import (
	"slices"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// times returns when a peer was sent a command, counted from a moment.
func (w *world) times(i int, command string, from time.Time) (at []time.Duration) {
	for _, r := range w.peers[i].Log() {
		if r.Command == command {
			at = append(at, r.Time.Sub(from))
		}
	}
	return at
}

// The first peer that connects starts the sync at that instant, whoever else is
// still being dialed.
func TestFirstPeerStartsTheSync(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{DialLatency: 3 * time.Second})
		w.join(spvtest.Behaviour{BlackHole: true})
		began := time.Now()
		w.start()
		w.pass(3 * time.Second)
		for _, command := range []string{wire.CmdGetHeaders, wire.CmdGetCFiltersV2} {
			at := w.times(0, command, began)
			if len(at) == 0 || at[0] != 3*time.Second {
				t.Errorf("%s after %v, want 3s", command, at)
			}
		}
		// It is in sync when the other's ten seconds are over.
		w.sync()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("synced after %v, want 10s", took)
		}
	})
}

// A full answer is followed by the next request at the same instant, until
// nothing more is claimed. (The handshake takes the first second.)
func TestHeadersAreAskedOnAtOnce(t *testing.T) {
	story(t, 9000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: time.Second})
		began := time.Now()
		w.start()
		w.sync()
		at := w.times(0, wire.CmdGetHeaders, began)
		want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second}
		if len(at) != 6 || !slices.Equal(at[:5], want) { // the sixth goes with sendheaders
			t.Errorf("getheaders after %v, want %v", at, want)
		}
	})
}

// The stages overlap: a sync takes about as long as its longest stage, not as
// long as all of them together. Here an answer takes a second: 6 for headers one
// after the other, 120 for filters and at least 6 for blocks three at a time.
func TestStagesOverlap(t *testing.T) {
	c := spvtest.NewChain(nil)
	for range 6 {
		c.Mine(1999)
		c.MineBlock(c.Pay(watched, 1e8))
	}
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.join(spvtest.Behaviour{Latency: time.Second})
		began := time.Now()
		w.start()
		w.sync()
		const longest, sum = 40 * time.Second, (6 + 40 + 6) * time.Second
		if took := time.Since(began); took > (longest+sum)/2 {
			t.Errorf("synced after %v; the longest stage takes %v, all together %v", took, longest, sum)
		}
		w.wantMatches(c, 2000, 4000, 6000, 8000, 10000, 12000)
	})
}

// The filters of one answer's headers come from more than one peer.
func TestFiltersOfOneAnswerAreSpread(t *testing.T) {
	story(t, 2000, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start()
		w.sync()
		for i, p := range w.peers {
			if n := p.FiltersRequested(); n < 100 || n > 1200 {
				t.Errorf("peer %d was asked for %d filters of 2000", i, n)
			}
		}
		w.wantEachOnce(1, 2000)
	})
}

// A peer is given three filter requests at first, and no more before one is
// answered.
func TestThreeRequestsAtATime(t *testing.T) {
	story(t, 1500, func(w *world) {
		w.join(spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.start()
		w.pass(time.Second)
		if n := w.total(wire.CmdGetCFiltersV2); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
	})
}

// While the lowest filters don't come, no more than 160 batches are fetched
// ahead.
// Rule 20.
func TestFetchingAheadIsBounded(t *testing.T) {
	story(t, 20000, func(w *world) {
		lowest := w.chain.Hash(1)
		w.join(spvtest.Behaviour{Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			m, ok := msg.(*wire.MsgGetCFsV2)
			return ok && m.StartHash == lowest
		}})
		w.start()
		w.pass(time.Second)
		p := w.peers[0]
		if p.FilterRequests(15_999) != 1 || p.FilterRequests(16_000) != 0 {
			t.Error("not 160 batches were asked for")
		}
		if st := w.syncer.Status(); st.Filters.Through != 0 {
			t.Errorf("filters through %d", st.Filters.Through)
		}
	})
}

// Far behind there is no pause: whenever an answer has come, the next request
// goes out at the same instant, to the end.
func TestNoPauseWhileBehind(t *testing.T) {
	story(t, 12000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 2 * time.Second})
		began := time.Now()
		w.start()
		w.sync()
		var all []time.Duration
		for _, r := range w.peers[0].Log() {
			all = append(all, r.Time.Sub(began))
		}
		for i := 1; i < len(all); i++ {
			if gap := all[i] - all[i-1]; gap > 4*time.Second {
				t.Errorf("nothing was asked for %v, from %v on", gap, all[i-1])
			}
		}
	})
}

// Blocks leave the chain while their filters are being fetched, and nobody says
// so: dcrd is silent about the filters of a side chain. The peers are asked for
// headers again, and none is blamed for its silence.
// Rules 8 and 14.
func TestBlocksThatLeftTheChainUnheard(t *testing.T) {
	for _, peers := range []int{1, 3} {
		story(t, 5000, func(w *world) {
			w.joinMany(peers, spvtest.Behaviour{NoAnnounce: true, Latency: 100 * time.Millisecond})
			w.start()
			w.while(func(st spv.Status) bool { return st.Phase != spv.Filters })
			branch := w.chain.Fork(4950)
			branch.Mine(55)
			w.mineOn(branch)
			began := time.Now()
			w.syncTo(branch)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%d peers: the branch was found after %v", peers, took)
			}
			for i := range w.peers {
				w.wantUnpunished(i)
			}
			w.wantNoViolations()
		})
	}
}

// A Syncer that finds its peers by itself gives others ten seconds before it takes
// the word of the first for the end of the chain.
// Rule 2.
func TestDiscoveredPeersAreWaitedFor(t *testing.T) {
	story(t, 500, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled) // and so it is known
		w.stop()
		w.pass(time.Hour)
		w.start(func(cfg *spv.Config) { cfg.Connect = nil })
		w.while(func(st spv.Status) bool { return st.Peers == 0 })
		met := time.Now()
		w.pass(10*time.Second - 2*time.Millisecond)
		if st := w.syncer.Status(); st.Synced || st.Phase != spv.Headers {
			t.Errorf("%v after the first peer: %+v", time.Since(met), st)
		}
		w.pass(2 * time.Millisecond)
		if st := w.syncer.Status(); !st.Synced {
			t.Errorf("%v after the first peer: %+v", time.Since(met), st)
		}
	})
}

package spv_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// mineOn announces more blocks at all peers.
func (w *world) mineOn(c *spvtest.Chain) {
	for _, p := range w.peers {
		p.SetChain(c)
	}
}

// New blocks come by announcement: one header each, no request for headers.
// Rules 6 and 8.
func TestNewBlocksAreFollowed(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(7)
	c.Mine(200)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, script)
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		before := w.total(wire.CmdGetHeaders)
		for range 20 {
			w.pass(time.Second)
			c = c.Fork(c.Height())
			c.MineBlock(c.Pay(script, 1e8))
			w.mineOn(c)
			synctest.Wait()
			if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != c.Tip().Hash {
				t.Fatalf("at %d, want %d: %+v", st.Tip.Height, c.Height(), st)
			}
		}
		if n := w.total(wire.CmdGetHeaders) - before; n != 0 {
			t.Errorf("%d getheaders while following", n)
		}
		w.wantEachOnce(1, c.Height())
		var heights []uint32
		for h := uint32(201); h <= 220; h++ {
			heights = append(heights, h)
		}
		w.wantMatches(c, heights...)
		w.wantNoViolations()
	})
}

// Of a burst of blocks one peer tells some seconds after the other. It is not cut
// off for being behind.
// Rule 3.
func TestBurstCutsNobodyOff(t *testing.T) {
	story(t, 200, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.chain.Mine(20)
		w.peers[0].SetChain(w.chain)
		w.pass(4 * time.Second)
		w.peers[1].SetChain(w.chain)
		w.pass(10 * time.Second)
		if reason := w.cutReason(1); reason != "" {
			t.Errorf("cut off: %s", reason)
		}
		w.syncTo(w.chain)
	})
}

// Reorgs of any depth are followed, and the wallet is rewound to the fork.
// Rule 8.
func TestReorgAfterSync(t *testing.T) {
	for _, depth := range []uint32{1, 3, 10, 700} {
		c := spvtest.NewChain(nil)
		script := spvtest.Script(7)
		c.Mine(299)
		c.MineBlock(c.Pay(script, 1e8))
		c.Mine(int(depth) - 1)
		c.MineBlock(c.Pay(script, 2e8))
		storyOn(t, c, func(w *world) {
			w.wallet.watch(0, script)
			w.joinMany(3, spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			w.wantMatches(c, 300, 300+depth)

			branch := c.Fork(300)
			branch.MineBlock(branch.Pay(script, 3e8))
			branch.Mine(int(depth))
			w.mineOn(branch)
			w.syncTo(branch)
			w.wantMatches(branch, 300, 301)
			if got := w.wallet.rewinds; len(got) != 1 || got[0] != c.ID(300) {
				t.Errorf("depth %d: rewound to %v, want the fork at 300", depth, got)
			}
			if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
				t.Errorf("depth %d: cut off: %v", depth, cuts)
			}
			w.wantNoViolations()
		})
	}
}

// A branch with more work in fewer blocks is the best one. Those that stay on the
// longer chain are not asked for it again and again.
// Rule 8.
func TestShorterBranchWithMoreWork(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(300)
	branch := c.Fork(290)
	branch.SetSpacing(0)
	branch.Mine(8)
	for name, stay := range map[string]bool{"initial": true, "following": false} {
		t.Run(name, func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				w.join(spvtest.Behaviour{})
				w.join(spvtest.Behaviour{})
				if stay {
					w.peers[1].SetChain(branch)
				}
				w.start()
				w.wait(spv.Settled)
				w.peers[1].SetChain(branch)
				w.syncTo(branch)
				w.pass(10 * time.Minute)
				if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != branch.Tip().Hash {
					t.Errorf("%+v", st)
				}
				if n := w.total(wire.CmdGetHeaders); n > 30 {
					t.Errorf("%d getheaders in 10 minutes", n)
				}
			})
		})
	}
}

// A to B to A: nothing is lost, and nothing that is still on disk is fetched
// again as a header.
// Rules 1 and 8.
func TestReorgAndBack(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(7)
	c.Mine(300)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(3)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, script)
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		b := c.Fork(300)
		b.Mine(6)
		w.mineOn(b)
		w.syncTo(b)
		w.wantMatches(b)
		c.Mine(4)
		w.mineOn(c)
		w.syncTo(c)
		w.wantMatches(c, 301)
	})
}

// A reorg in the middle of the initial sync is part of it, and nobody is
// punished.
// Rule 8.
func TestReorgDuringInitialSync(t *testing.T) {
	for _, phase := range []spv.Phase{spv.Headers, spv.Filters, spv.Scanning} {
		t.Run(string(phase), func(t *testing.T) {
			c := spvtest.NewChain(nil)
			script := spvtest.Script(7)
			c.Mine(5960) // no whole record of filters ends near the tip: scanning begins with the last one
			c.MineBlock(c.Pay(script, 1e8))
			c.Mine(9)
			storyOn(t, c, func(w *world) {
				w.wallet.watch(0, script)
				w.joinMany(3, spvtest.Behaviour{Latency: 200 * time.Millisecond})
				w.start()
				w.while(func(st spv.Status) bool {
					if st.Synced {
						t.Fatal("in sync before that phase was seen")
					}
					return st.Phase != phase || st.Tip.Height == 0
				})
				branch := c.Fork(5950)
				branch.MineBlock(branch.Pay(script, 2e8))
				branch.Mine(25)
				w.mineOn(branch)
				w.syncTo(branch)
				w.wantMatches(branch, 5951)
				if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
					t.Errorf("cut off: %v", cuts)
				}
			})
		})
	}
}

// An announcement that skips blocks makes us ask for what lies between.
// Rule 8.
func TestAnnouncementThatSkipsBlocks(t *testing.T) {
	story(t, 200, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{NoAnnounce: true})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(200)
		longer.Mine(50)
		w.mineOn(longer)
		w.pass(time.Second)
		longer = longer.Fork(250)
		longer.Mine(1)
		w.peers[0].SetBehaviour(spvtest.Behaviour{})
		w.peers[0].SetChain(longer)
		w.syncTo(longer)
	})
}

// After a full announcement of 2000 headers we ask on.
// Rule 8.
func TestFullAnnouncementIsAskedOn(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{NoAnnounce: true})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(100)
		longer.Mine(4500)
		w.peers[0].SetChain(longer)
		headers := wire.NewMsgHeaders()
		for h := uint32(101); h <= 2100; h++ {
			header := wireHeader(longer, h)
			headers.AddBlockHeader(&header)
		}
		for _, client := range w.peers[0].Clients() {
			client.Send(headers)
		}
		w.syncTo(longer)
	})
}

// A block whose filter nobody serves yet is followed as soon as somebody does,
// and nobody is banned for the wait.
// Rules 8 and 14.
func TestFiltersNotYetServed(t *testing.T) {
	story(t, 200, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		silent := spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetCFiltersV2: true}}
		for _, p := range w.peers {
			p.SetBehaviour(silent)
		}
		longer := w.chain.Fork(200)
		longer.Mine(1)
		w.mineOn(longer)
		w.pass(10 * time.Second)
		if st := w.syncer.Status(); st.Synced || st.Tip.Height != 201 {
			t.Errorf("at %d, synced %v without the filter", st.Tip.Height, st.Synced)
		}
		w.peers[2].SetBehaviour(spvtest.Behaviour{})
		w.syncTo(longer)
		peers, err := w.syncer.Peers(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if p.BanScore != 0 {
				t.Errorf("%s has ban score %d", p.Addr, p.BanScore)
			}
		}
	})
}

// Orphans are bounded: headers that link to nothing, again and again, end in a
// ban, and cost a request each at most.
// Rule 8.
func TestOrphanHeadersEndInABan(t *testing.T) {
	story(t, 100, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		other := w.chain.Fork(50)
		other.Mine(100)
		headers := wire.NewMsgHeaders()
		header := wireHeader(other, 120)
		headers.AddBlockHeader(&header)
		w.peers[1].SetBehaviour(spvtest.Behaviour{Hook: func(c *spvtest.Client, msg wire.Message) bool {
			if msg.Command() == wire.CmdGetHeaders {
				c.Send(headers)
				return true
			}
			return false
		}})
		for range 300 {
			for _, client := range w.peers[1].Clients() {
				client.Send(headers)
			}
			w.pass(time.Second)
		}
		if w.cutReason(1) == "" || len(w.peers[1].Clients()) != 0 {
			t.Error("the source of orphans is still connected")
		}
		if w.cutReason(0) != "" {
			t.Error("the honest peer was cut off")
		}
	})
}

// A deep reorg that is announced header by header while a getheaders is in
// flight is no fault of the peer, although most of its announcements link to
// nothing yet.
// Rules 8 and 14.
func TestReorgAnnouncedWhileAsking(t *testing.T) {
	story(t, 2000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 2 * time.Second, NoAnnounce: true})
		w.start()
		w.wait(spv.Settled)
		branch := w.chain.Fork(1000)
		branch.Mine(1200)
		w.peers[0].SetChain(branch)
		for h := uint32(1500); h <= branch.Height(); h++ {
			headers := wire.NewMsgHeaders()
			header := wireHeader(branch, h)
			headers.AddBlockHeader(&header)
			for _, client := range w.peers[0].Clients() {
				client.Send(headers)
			}
		}
		w.syncTo(branch)
		if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
			t.Errorf("cut off: %v", cuts)
		}
	})
}

// A wallet whose birthday has moved down since it was last asked is asked again;
// that the filters are not there yet is no error.
func TestBirthdayMovesDownDuringScan(t *testing.T) {
	story(t, 1000, func(w *world) {
		w.wallet.watch(900, spvtest.Script(1))
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.wallet.mu.Lock()
		w.wallet.from, w.wallet.covered = 100, nil // and nobody is told
		w.wallet.mu.Unlock()
		longer := w.chain.Fork(1000)
		longer.Mine(1)
		w.mineOn(longer)
		w.syncTo(longer)
		w.wantEachOnce(100, 1001)
	})
}

// A slow block peer delays nobody else: peer A stalls, a block announced by B
// is taken at once.
// Rule 22.
func TestStalledPeerFreezesNobody(t *testing.T) {
	story(t, 100, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.peers[0].SetBehaviour(spvtest.Behaviour{Silent: map[string]bool{"*": true}, NoAnnounce: true})
		longer := w.chain.Fork(100)
		longer.Mine(1)
		w.peers[1].SetChain(longer)
		synctest.Wait()
		if st := w.syncer.Status(); !st.Synced || st.Tip.Height != 101 {
			t.Errorf("at %d, synced %v", st.Tip.Height, st.Synced)
		}
	})
}

// A script watched later is scanned from stored filters: no header and no
// filter is requested again.
// Rules 1 and 15.
func TestWatchLaterScansStoredFilters(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(7)
	c.Mine(99)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(400)
	storyOn(t, c, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		headers, filters := w.total(wire.CmdGetHeaders), w.total(wire.CmdGetCFiltersV2)
		w.wallet.watch(0, script)
		w.sync() // a Synced from before the watch does not count
		w.wantMatches(c, 100)
		if w.total(wire.CmdGetHeaders) != headers || w.total(wire.CmdGetCFiltersV2) != filters {
			t.Error("headers or filters were fetched for a rescan")
		}
	})
}

// Filters below the birthday are not fetched; a lower birthday later fetches
// just the missing ones.
// Rule 15.
func TestBirthdayBoundsTheFilters(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.wallet.watch(2500, spvtest.Script(1))
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		if n := w.peers[0].FilterRequests(2499); n != 0 {
			t.Error("a filter below the birthday was fetched")
		}
		w.wallet.watch(1234, spvtest.Script(1))
		synctest.Wait()
		w.sync()
		w.wantEachOnce(1234, 3000)
		if n := w.peers[0].FilterRequests(1233); n != 0 {
			t.Error("a filter below the birthday was fetched")
		}
	})
}

// Peers below protocol 11 are asked for one filter at a time.
func TestSingleFilterRequests(t *testing.T) {
	story(t, 350, func(w *world) {
		w.join(spvtest.Behaviour{PVer: 10})
		w.start()
		w.wait(spv.Settled)
		w.wantEachOnce(1, 350)
		w.wantNoViolations()
	})
}

// The sync completes whenever one honest peer exists, whatever the others do,
// and no honest peer is ever cut off. A failing seed is printed.
// Rule 22.
func TestHostileNetworks(t *testing.T) {
	hostile := []spvtest.Behaviour{
		{Silent: map[string]bool{"*": true}},
		{Silent: map[string]bool{wire.CmdGetHeaders: true}},
		{Silent: map[string]bool{wire.CmdGetCFiltersV2: true, wire.CmdGetData: true}},
		{BadFilters: spvtest.FiltersFlipped},
		{BadFilters: spvtest.FiltersEmpty},
		{BadFilters: spvtest.FiltersShort},
		{BadFilters: spvtest.FiltersForeign},
		{BadHeaders: spvtest.HeadersBadPoW},
		{BadHeaders: spvtest.HeadersOldPoW},
		{BadHeaders: spvtest.HeadersWrongBits},
		{BadHeaders: spvtest.HeadersWrongLink},
		{BadHeaders: spvtest.HeadersUnlinked},
		{BadBlocks: spvtest.BlocksDropTx},
		{BadBlocks: spvtest.BlocksOther},
		{NotFound: true},
		{AdvertisedHeight: 1 << 30},
		{Lag: 50},
		{DropAfter: 3},
		{DropOn: map[string]bool{wire.CmdGetData: true}},
		{InvFlood: 100},
		{Garbage: []byte("garbage that is no message of the wire protocol")},
		{Magic: wire.MainNet},
		{SilentHandshake: true},
		{Latency: 20 * time.Second},
		{Bandwidth: 2000},
	}
	c := spvtest.NewChain(nil)
	script := spvtest.Script(7)
	c.Mine(1500)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(1000)
	c.MineBlock(c.Pay(script, 2e8))
	for seed := range uint64(12) {
		storyOn(t, c, func(w *world) {
			rng := rand.New(rand.NewPCG(seed, 1))
			n := 4 + rng.IntN(8)
			honest := rng.IntN(n)
			for i := range n {
				if i == honest {
					w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond})
					continue
				}
				w.join(hostile[rng.IntN(len(hostile))])
			}
			w.wallet.watch(0, script)
			w.start()
			began := time.Now()
			w.sync()
			w.wantMatches(c, 1501, 2502)
			if r := w.cutReason(honest); r != "" {
				t.Errorf("seed %d: the honest peer was cut off: %s", seed, r)
			}
			if took := time.Since(began); took > 3*time.Minute {
				t.Errorf("seed %d: synced after %v", seed, took)
			}
			if got := w.syncer.Status().Tip; got.Hash != c.Tip().Hash {
				t.Errorf("seed %d: tip %v", seed, got)
			}
		})
	}
}

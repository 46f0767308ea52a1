package spv_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// Headers, filters and blocks are fetched once, however many peers there are.
// Rule 1.
func TestEverythingIsFetchedOnce(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(9999)
	c.MineBlock(c.Pay(script, 5e8))
	c.Mine(10000)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, script)
		w.joinMany(8, spvtest.Behaviour{Latency: 20 * time.Millisecond})
		w.start()
		w.wait(spv.Settled)
		if n := w.initialHeaderRequests(); n > 11 {
			t.Errorf("%d getheaders before synced, want at most 11", n)
		}
		w.wantEachOnce(1, 20000)
		blocks := 0
		for _, p := range w.peers {
			if n := p.Count(wire.CmdSendHeaders); n != 1 {
				t.Errorf("a peer got %d sendheaders, want 1", n)
			}
			for _, n := range p.BlockRequests() {
				blocks += n
			}
		}
		if n := w.total(wire.CmdGetHeaders); n > 11+8 {
			t.Errorf("%d getheaders in all, want at most 11 and one for each peer", n)
		}
		if blocks != 1 {
			t.Errorf("%d block requests, want 1", blocks)
		}
		busy := 0
		for _, p := range w.peers {
			if p.FiltersRequested() > 0 {
				busy++
			}
		}
		if busy < 2 {
			t.Errorf("filters came from %d peer, want several", busy)
		}
		w.wantMatches(c, 10000)
		w.wantNoViolations()
	})
}

// With 8 peers no more bytes are received than with one: within 2 %.
// Rule 1.
func TestTotalBytesAreThoseOfOneCopy(t *testing.T) {
	received := func(peers int) (n int64) {
		story(t, 20000, func(w *world) {
			w.joinMany(peers, spvtest.Behaviour{Latency: 20 * time.Millisecond})
			w.start()
			n = w.wait(spv.Settled).ReceivedBytes
		})
		return n
	}
	one, eight := received(1), received(8)
	if eight > one+one/50 {
		t.Errorf("%d bytes from 8 peers, %d from one", eight, one)
	}
}

// Locators exist only inside the header stage: filters, blocks, rescans and new
// scripts cause no getheaders.
// Rule 6.
func TestLocatorsOnlyForHeaders(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(4000)
	c.MineBlock(c.Pay(script, 1e8))
	storyOn(t, c, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start()
		w.while(func(st spv.Status) bool { return st.Phase != spv.Filters })
		before := w.total(wire.CmdGetHeaders)
		w.wallet.watch(0, script)
		w.wait(spv.Settled)
		if n := w.total(wire.CmdGetHeaders) - before; n != len(w.peers) {
			t.Errorf("%d getheaders since the headers were complete, want those with sendheaders only", n)
		}
		w.wantMatches(c, 4001)
	})
}

// Every peer that claims more than we have is asked before the header stage
// ends: the one with the longest chain is not missed for a faster one.
// Rule 2.
func TestAllPeersAheadAreAsked(t *testing.T) {
	story(t, 3000, func(w *world) {
		longest := w.chain
		w.joinMany(3, spvtest.Behaviour{Lag: 5})
		w.joinWith(longest, spvtest.Behaviour{Latency: time.Second})
		w.start()
		w.sync()
		if got := w.syncer.Status().Tip.Height; got != 3000 {
			t.Errorf("synced at %d, want 3000", got)
		}
	})
}

// A claim that is not made good stops counting, and the sync ends.
// Rules 2 and 22.
func TestFalseHeightIsNotBelieved(t *testing.T) {
	story(t, 2500, func(w *world) {
		w.join(spvtest.Behaviour{AdvertisedHeight: 1<<31 - 1})
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		st := w.sync()
		if st.Tip.Height != 2500 || st.Target != 2500 {
			t.Errorf("tip %d, target %d, want 2500 both", st.Tip.Height, st.Target)
		}
		if n := w.peers[0].Count(wire.CmdGetHeaders); n > 3 {
			t.Errorf("the boaster got %d getheaders", n)
		}
	})
}

// Peers 7 behind are cut off, peers 6 behind are kept.
// Rule 3.
func TestLaggingPeersAreCutOff(t *testing.T) {
	story(t, 2500, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{Lag: 6})
		w.join(spvtest.Behaviour{Lag: 7})
		w.start()
		w.wait(spv.Settled)
		if len(w.peers[0].Clients()) != 1 || len(w.peers[1].Clients()) != 1 {
			t.Error("a peer at most 6 behind is not connected")
		}
		if len(w.peers[2].Clients()) != 0 {
			t.Error("a peer 7 behind is still connected")
		}
		if r := w.cutReason(2); !strings.Contains(r, "behind") {
			t.Errorf("reason %q", r)
		}
	})
}

// Once we are at the tip, a lagging peer is refused in the handshake: it gets
// our version message and nothing else.
// Rule 3.
func TestLaggingPeerIsRefusedInHandshake(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{Lag: 7, RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		w.peers[1].SetBehaviour(spvtest.Behaviour{Lag: 7})
		w.pass(time.Minute)
		if w.peers[1].Connections() == 0 {
			t.Fatal("it was never dialed")
		}
		for _, r := range w.peers[1].Log() {
			if r.Command != wire.CmdVersion {
				t.Errorf("it was sent %s", r.Command)
			}
		}
	})
}

// A peer that falls behind while we follow the chain is cut off too.
// Rule 3.
func TestPeerThatFallsBehindIsCutOff(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(300)
		for i := range 7 {
			longer.Mine(1)
			w.pass(time.Second)
			w.peers[0].SetChain(longer)
			w.peers[1].SetChain(longer)
			if i == 5 {
				w.pass(time.Minute)
				if len(w.peers[2].Clients()) != 1 {
					t.Error("cut off at 6 behind")
				}
			}
		}
		w.pass(10 * time.Second)
		if len(w.peers[2].Clients()) != 0 {
			t.Error("still connected at 7 behind")
		}
		if len(w.peers[1].Clients()) != 1 {
			t.Error("a peer that keeps up was cut off")
		}
	})
}

// sendheaders goes to nobody before the initial sync is complete.
// Rule 4.
func TestSendHeadersOnlyAfterInitialSync(t *testing.T) {
	story(t, 5000, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start()
		w.while(func(st spv.Status) bool {
			if n := w.total(wire.CmdSendHeaders); !st.Synced && n != 0 {
				t.Fatalf("%d sendheaders in phase %s", n, st.Phase)
			}
			return !st.Synced
		})
		w.wait(spv.Settled)
		w.pass(time.Hour)
		for i, p := range w.peers {
			if n := p.Count(wire.CmdSendHeaders); n != 1 {
				t.Errorf("peer %d got %d sendheaders, want 1", i, n)
			}
		}
	})
}

// One peer that goes away at sendheaders takes it from nobody else.
// Rule 4.
func TestSendHeadersIsNotSkipped(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.join(spvtest.Behaviour{DropOn: map[string]bool{wire.CmdSendHeaders: true}})
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		for i, p := range w.peers {
			if n := p.Count(wire.CmdSendHeaders); i != 2 && n != 1 {
				t.Errorf("peer %d got %d sendheaders, want 1", i, n)
			}
		}
	})
}

// A peer that joins late gets sendheaders at once, and its newer blocks are
// taken without waiting for an announcement.
// Rule 4.
func TestLatePeerIsServedAtOnce(t *testing.T) {
	story(t, 500, func(w *world) {
		w.join(spvtest.Behaviour{})
		longer := w.chain.Fork(500)
		longer.Mine(4)
		w.joinWith(longer, spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		if n := w.peers[1].Count(wire.CmdSendHeaders); n != 0 {
			t.Fatalf("%d sendheaders", n)
		}
		w.peers[1].SetBehaviour(spvtest.Behaviour{})
		w.syncTo(longer)
		if n := w.peers[1].Count(wire.CmdSendHeaders); n != 1 {
			t.Errorf("%d sendheaders, want 1", n)
		}
	})
}

// Announcements before the initial sync is complete are ignored, and nobody is
// punished for them.
// Rule 5.
func TestEarlyAnnouncementsAreIgnored(t *testing.T) {
	story(t, 4000, func(w *world) {
		w.join(spvtest.Behaviour{InvFlood: 10})
		first := wireHeader(w.chain, 3999)
		headers := wire.NewMsgHeaders()
		headers.AddBlockHeader(&first)
		w.join(spvtest.Behaviour{Unsolicited: []wire.Message{headers, headers, headers}})
		w.start()
		w.sync()
		if n := w.initialHeaderRequests(); n > 3 {
			t.Errorf("%d getheaders, want at most 3", n)
		}
		if n := w.total(wire.CmdGetData); n != 0 {
			t.Errorf("%d getdata", n)
		}
		if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
			t.Errorf("cut off: %v", cuts)
		}
	})
}

// A failing filter or block peer costs no header request.
// Rule 7.
func TestFilterFailureCostsNoHeaders(t *testing.T) {
	c := spvtest.NewChain(nil)
	script := spvtest.Script(1)
	c.Mine(1999)
	c.MineBlock(c.Pay(script, 1e8))
	c.Mine(1500)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, script)
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped})
		w.join(spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.join(spvtest.Behaviour{DropOn: map[string]bool{wire.CmdGetCFiltersV2: true}})
		w.join(spvtest.Behaviour{NotFound: true})
		w.join(spvtest.Behaviour{BadBlocks: spvtest.BlocksDropTx})
		w.start()
		w.sync()
		if n := w.initialHeaderRequests(); n > 3 {
			t.Errorf("%d getheaders before synced, want at most 3", n)
		}
		w.wantMatches(c, 2000)
		if r := w.cutReason(1); !strings.Contains(r, "filter") {
			t.Errorf("the liar was cut off for %q", r)
		}
		if r := w.cutReason(0); r != "" {
			t.Errorf("the honest peer was cut off: %s", r)
		}
	})
}

// A local failure ends Run with its error; no peer is blamed.
// Rule 7.
func TestLocalFailureIsNobodysFault(t *testing.T) {
	story(t, 200, func(w *world) {
		full := errors.New("disk full")
		w.wallet.watch(0, spvtest.Script(1))
		w.wallet.applyErr = full
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		err := <-w.done
		if !errors.Is(err, full) {
			t.Errorf("Run: %v, want %v", err, full)
		}
		if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
			t.Errorf("cut off: %v", cuts)
		}
		w.syncer.Close()
		w.syncer = nil
	})
}

// Blocks that are mined during the initial sync are part of it, and the peers
// that announce them keep up.
// Rules 2 and 3.
func TestBlocksMinedMeanwhile(t *testing.T) {
	story(t, 6000, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{Latency: 300 * time.Millisecond})
		w.start()
		longer := w.chain.Fork(6000)
		for range 10 {
			w.pass(100 * time.Millisecond)
			longer.Mine(1)
			for _, p := range w.peers {
				p.SetChain(longer)
			}
		}
		w.syncTo(longer)
		w.pass(10 * time.Second)
		if st := w.syncer.Status(); st.Peers != 4 {
			t.Errorf("%d peers left, want 4: %v", st.Peers, st.CutOff)
		}
	})
}

// Losing every peer makes Synced false; the same Syncer finds them again and
// catches up, with the whole initial sync.
// Rules 4 and 8.
func TestAllPeersLostAndRegained(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		for _, p := range w.peers {
			p.Refuse(true)
			p.Disconnect()
		}
		synctest.Wait()
		st := w.syncer.Status()
		if st.Synced || st.Phase != spv.Connecting || st.Reason == "" {
			t.Errorf("without peers: %+v", st)
		}
		if st.Target != 300 || st.Tip.Height != 300 {
			t.Errorf("tip %d of %d, want 300 of 300", st.Tip.Height, st.Target)
		}
		w.pass(time.Hour)
		longer := w.chain.Fork(300)
		longer.Mine(2500)
		for _, p := range w.peers {
			p.SetChain(longer)
			p.Refuse(false)
		}
		w.syncTo(longer)
		w.pass(time.Minute)
		for i, p := range w.peers {
			if n := p.Count(wire.CmdSendHeaders); n != 2 {
				t.Errorf("peer %d got %d sendheaders, want one for each connection", i, n)
			}
		}
	})
}

// No wait spins: with peers that are silent or nothing to do, the messages sent
// and the steps taken stay few. (A spin would also hang the bubble.)
// Rule 9.
func TestNoWaitSpins(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{Silent: map[string]bool{"*": true}})
		w.join(spvtest.Behaviour{SilentHandshake: true})
		w.join(spvtest.Behaviour{BlackHole: true})
		w.start()
		w.pass(time.Hour)
		if st := w.syncer.Status(); st.Synced {
			t.Error("synced with nobody's help")
		}
		if n := w.peers[0].Count(wire.CmdGetHeaders); n > 200 {
			t.Errorf("%d getheaders in an hour", n)
		}
	})
}

// Every wait ends with its context, whatever the Syncer is busy with.
// Rule 9.
func TestEveryWaitEndsWithItsContext(t *testing.T) {
	behaviours := map[string]spvtest.Behaviour{
		"dialing":   {BlackHole: true},
		"handshake": {SilentHandshake: true},
		"headers":   {Silent: map[string]bool{wire.CmdGetHeaders: true}},
		"filters":   {Silent: map[string]bool{wire.CmdGetCFiltersV2: true}},
		"blocks":    {Silent: map[string]bool{wire.CmdGetData: true}},
		"following": {},
	}
	for name, b := range behaviours {
		t.Run(name, func(t *testing.T) {
			c := spvtest.NewChain(nil)
			script := spvtest.Script(1)
			c.Mine(10)
			c.MineBlock(c.Pay(script, 1e8))
			storyOn(t, c, func(w *world) {
				w.wallet.watch(0, script)
				w.join(b)
				w.start()
				w.pass(2 * time.Second)
				before := time.Now()
				w.stop()
				if waited := time.Since(before); waited != 0 {
					t.Errorf("the end took %v", waited)
				}
			})
		})
	}
}

// A restart continues: nothing that is on disk is asked for again.
// Rules 1 and 15.
func TestRestartContinues(t *testing.T) {
	story(t, 4000, func(w *world) {
		w.wallet.watch(0, spvtest.Script(1))
		w.joinMany(2, spvtest.Behaviour{Latency: 50 * time.Millisecond})
		w.start()
		w.while(func(st spv.Status) bool { return st.Filters.Through < 1500 })
		w.stop()
		held := w.filtersOnDisk()
		for _, p := range w.peers {
			p.ResetCounts()
		}
		w.start()
		w.sync()
		for _, p := range w.peers {
			for h := uint32(1); h <= held; h++ {
				if p.FilterRequests(h) != 0 {
					t.Fatalf("filter %d was on disk and is asked for again", h)
				}
			}
		}
	})
}

// initialHeaderRequests counts the getheaders that came before sendheaders.
func (w *world) initialHeaderRequests() (n int) {
	for _, p := range w.peers {
		for _, r := range p.Log() {
			if r.Command == wire.CmdSendHeaders {
				break
			}
			if r.Command == wire.CmdGetHeaders {
				n++
			}
		}
	}
	return n
}

func (w *world) filtersOnDisk() uint32 {
	s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: w.dir})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	return s.Status().Filters.Through
}

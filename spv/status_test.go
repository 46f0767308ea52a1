package spv_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// paid is a chain that pays the watched script once in the middle and once near
// its end.
func paid(height int) *spvtest.Chain {
	c := spvtest.NewChain(nil)
	c.Mine(height/2 - 1)
	c.MineBlock(c.Pay(watched, 1e8))
	c.Mine(height - height/2 - 1)
	c.MineBlock(c.Pay(watched, 1e8))
	return c
}

// A sync goes through its phases in their order, each once, and is in sync once
// at its end: not between two answers.
func TestPhasesComeInOrder(t *testing.T) {
	storyOn(t, paid(9000), func(w *world) {
		w.wallet.watch(0, watched)
		w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
		phases := []spv.Phase{spv.Connecting}
		w.start()
		for st := range w.syncer.Watch(w.t.Context()) {
			if last := phases[len(phases)-1]; st.Phase != last {
				phases = append(phases, st.Phase)
			}
			if st.Synced != (st.Phase == spv.InSync) || st.Synced != (st.Reason == "") || st.Settled && !st.Synced {
				t.Fatalf("%+v", st)
			}
			if st.Settled {
				break
			}
		}
		want := []spv.Phase{spv.Connecting, spv.Headers, spv.Filters, spv.Scanning, spv.InSync}
		if !slices.Equal(phases, want) {
			t.Errorf("phases %v, want %v", phases, want)
		}
	})
}

// A status knows what is on disk: before Run, and from its first moment on. It
// never shows 0 of 0 when there are blocks.
func TestStatusOfWhatIsStored(t *testing.T) {
	story(t, 300, func(w *world) {
		w.wallet.watch(100, watched)
		p := w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.stop()
		check := func(st spv.Status) {
			t.Helper()
			if st.Tip.Hash != w.chain.Tip().Hash || st.Target != 300 || st.Filters.Through != 300 || st.Scanned.Through != 300 {
				t.Errorf("%+v", st)
			}
			if st.Synced || st.Phase != spv.Connecting || st.Reason == "" || st.Network != "simnet" {
				t.Errorf("%+v", st)
			}
		}
		s, err := spv.New(spv.Config{Params: w.chain.Params(), DataDir: w.dir, Wallets: []spv.Wallet{w.wallet}})
		if err != nil {
			t.Fatal(err)
		}
		check(s.Status())
		s.Close()
		p.Refuse(true)
		w.start()
		check(w.syncer.Status())
		w.pass(time.Minute)
		check(w.syncer.Status())
	})
}

// A height that a peer claimed in an earlier run is history: after a restart
// nobody is ahead before somebody says so.
// Rule 2.
func TestPersistedHeightsAreHistory(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{AdvertisedHeight: 9999})
		w.start()
		w.wait(spv.Settled)
		w.stop()
		w.peers[1].Refuse(true)
		w.start()
		st := w.sync()
		if st.Target != 300 {
			t.Errorf("target %d", st.Target)
		}
		if p := w.known(1); p.Connected || p.AdvertisedHeight != 0 || p.ValidatedHeight != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// Losing all peers in the middle is no progress: the target stays what it was.
func TestTargetOutlivesThePeers(t *testing.T) {
	story(t, 6000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: time.Second})
		w.start()
		w.while(func(st spv.Status) bool { return st.Tip.Height != 2000 })
		w.peers[0].Refuse(true)
		w.peers[0].Disconnect()
		synctest.Wait()
		for _, wait := range []time.Duration{0, time.Hour} {
			w.pass(wait)
			if st := w.syncer.Status(); st.Target != 6000 || st.Tip.Height != 2000 || st.Phase != spv.Connecting || st.Synced {
				t.Errorf("%+v", st)
			}
		}
	})
}

// However the peers come and go in the middle of a stage, the sync is complete in
// the end, and every connection of then gets its sendheaders.
func TestAllPeersLostInTheMiddle(t *testing.T) {
	c := paid(5000)
	for _, phase := range []spv.Phase{spv.Headers, spv.Filters, spv.Scanning} {
		t.Run(string(phase), func(t *testing.T) {
			storyOn(t, c, func(w *world) {
				w.wallet.watch(0, watched)
				w.joinMany(2, spvtest.Behaviour{Latency: 100 * time.Millisecond})
				w.start()
				w.while(func(st spv.Status) bool { return st.Phase != phase || st.Tip.Height < 2000 })
				for _, p := range w.peers {
					p.Refuse(true)
					p.Disconnect()
				}
				w.pass(time.Hour)
				if st := w.syncer.Status(); st.Synced || st.Phase != spv.Connecting {
					t.Errorf("%+v", st)
				}
				for _, p := range w.peers {
					p.ResetCounts()
					p.Refuse(false)
				}
				w.syncTo(c)
				w.pass(time.Minute)
				for i, p := range w.peers {
					if n := p.Count(wire.CmdSendHeaders); n != 1 {
						t.Errorf("peer %d got %d sendheaders", i, n)
					}
				}
				w.wantMatches(c, 2500, 5000)
			})
		})
	}
}

// The account of a sync with answers that take a second, to the second: the
// handshake and four requests for headers, the filters that were not fetched
// meanwhile, the blocks.
func TestSecondsOfThePhases(t *testing.T) {
	storyOn(t, paid(6100), func(w *world) {
		w.wallet.watch(6000, watched)
		w.join(spvtest.Behaviour{Latency: time.Second})
		w.start()
		w.sync()
		w.pass(time.Hour)
		got := w.syncer.Status().Seconds
		want := spv.Seconds{Total: got.Total, Headers: 5, Filters: 1, Scan: 1}
		if got != want || got.Total < 3570 {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// Nobody reads the changes: that delays nobody, and who looks in the end sees
// the newest. After the end of Run that is one without peers.
// Rule 18.
func TestNobodyReadsChanges(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		began := time.Now()
		w.start()
		w.wait(spv.Settled)
		if took := time.Since(began); took != 0 {
			t.Errorf("synced after %v", took)
		}
		synctest.Wait()
		if st := <-w.syncer.Watch(w.t.Context()); !st.Settled || st.Tip.Height != 3000 || st.Peers != 3 {
			t.Errorf("%+v", st)
		}
		changes := w.syncer.Watch(w.t.Context())
		w.stop()
		if st := <-changes; st.Synced || st.Peers != 0 || st.Tip.Height != 3000 {
			t.Errorf("after the end: %+v", st)
		}
	})
}

// How long a sync takes is not how fast a peer is: what counts is a single
// request. Good service raises the score above that of a stranger.
func TestLongSyncDoesNotLowerTheScore(t *testing.T) {
	storyOn(t, paid(24000), func(w *world) {
		w.wallet.watch(0, watched)
		w.join(spvtest.Behaviour{Latency: 1900 * time.Millisecond})
		began := time.Now()
		w.start()
		w.sync()
		if took := time.Since(began); took < 35*time.Second {
			t.Errorf("synced after %v already", took)
		}
		if p := w.known(0); p.Score != 90 || p.LatencyMS < 1899 || p.LatencyMS > 1901 {
			t.Errorf("score %v, latency %v ms, want 90 and 1900 ms", p.Score, p.LatencyMS)
		}
	})
}

// One verified answer for headers, for filters or for blocks is enough for a
// score above that of a stranger.
func TestEveryServiceRaisesTheScore(t *testing.T) {
	c := paid(100)
	for _, only := range []string{wire.CmdGetHeaders, wire.CmdGetCFiltersV2, wire.CmdGetData} {
		storyOn(t, c, func(w *world) {
			w.wallet.watch(0, watched)
			w.join(spvtest.Behaviour{Hook: func(_ *spvtest.Client, msg wire.Message) bool {
				return msg.Command() == only // everything but this is answered
			}})
			w.start()
			w.pass(time.Second)
			served := only != wire.CmdGetHeaders // it comes first
			if p := w.known(0); p.Score > 50 != served {
				t.Errorf("%s is never answered: score %v", only, p.Score)
			}
		})
	}
}

// Silence is not the end: with peers that never answer nothing is in sync,
// however long it takes, and the status says why.
// Rules 2 and 24.
func TestSilenceIsNotTheEnd(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(3, silent(wire.CmdGetHeaders, wire.CmdGetCFiltersV2))
		w.start()
		for range 300 {
			w.pass(10 * time.Second)
			if st := w.syncer.Status(); st.Synced || st.Reason == "" || st.ETA != 0 {
				t.Fatalf("%+v", st)
			}
		}
		if n := w.total(wire.CmdGetHeaders); n < 20 || n > 400 {
			t.Errorf("%d getheaders in 50 minutes to three peers", n)
		}
	})
}

// A peer is listed from the instant at which it is connected, before it has been
// of any use.
func TestNewPeerIsListedAtOnce(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(silent(wire.CmdGetHeaders))
		w.start()
		synctest.Wait()
		p := w.known(0)
		if !p.Connected || p.AdvertisedHeight != 300 || p.Score != 50 || !p.LastSeen.Equal(time.Now()) || p.UserAgent == "" {
			t.Errorf("%+v", p)
		}
	})
}

// The last status tells what was exchanged, and what all wallets were tested on.
func TestLastStatus(t *testing.T) {
	storyOn(t, paid(100), func(w *world) {
		w.join(spvtest.Behaviour{})
		m := newMemoryWallet()
		m.watch(40, watched)
		w.wallet.watch(20, watched)
		w.start(func(cfg *spv.Config) { cfg.Wallets = append(cfg.Wallets, m) })
		running := w.wait(spv.Settled)
		w.cancel()
		if err := <-w.done; err != nil {
			t.Fatal(err)
		}
		last := w.syncer.Status()
		if last.Requests != running.Requests || last.ReceivedBytes != running.ReceivedBytes || last.ReceivedBytes == 0 {
			t.Errorf("%+v, and before %+v", last.Requests, running.Requests)
		}
		if err := w.syncer.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := spv.New(spv.Config{Params: chaincfg.SimNetParams(), DataDir: w.dir, Wallets: []spv.Wallet{w.wallet, m, newMemoryWallet()}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Status().Scanned; got != (spv.Span{From: 40, Through: 100, Any: true}) {
			t.Errorf("scanned %+v", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		w.syncer = nil
	})
}

// What all wallets were tested on is nothing if that of two of them does not meet, or one
// was tested on nothing.
func TestCommonSpan(t *testing.T) {
	span := func(from, through uint32) spv.Span { return spv.Span{From: from, Through: through, Any: true} }
	for _, c := range []struct {
		of   []spv.Span
		want spv.Span
	}{
		{nil, spv.Span{}},
		{[]spv.Span{span(3, 9)}, span(3, 9)},
		{[]spv.Span{span(3, 9), span(5, 7), span(0, 8)}, span(5, 7)},
		{[]spv.Span{span(3, 9), span(9, 12)}, span(9, 9)},
		{[]spv.Span{span(3, 9), span(10, 12)}, spv.Span{}},
		{[]spv.Span{span(3, 9), span(10, 12), span(0, 20)}, spv.Span{}},
		{[]spv.Span{span(3, 9), {}, span(3, 9)}, spv.Span{}},
	} {
		if got := spv.CommonSpan(c.of...); got != c.want {
			t.Errorf("%v: %v, want %v", c.of, got, c.want)
		}
	}
}

package spv_test

import (
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// hooked is a peer that answers getheaders in its own way.
func hooked(answer func(c *spvtest.Client, m *wire.MsgGetHeaders)) spvtest.Behaviour {
	return spvtest.Behaviour{Hook: func(c *spvtest.Client, msg wire.Message) bool {
		m, ok := msg.(*wire.MsgGetHeaders)
		if ok {
			answer(c, m)
		}
		return ok
	}}
}

// empty answers that there is nothing more.
func empty(c *spvtest.Client, _ *wire.MsgGetHeaders) { c.Send(wire.NewMsgHeaders()) }

// knownWork has a Syncer know that the network has at least this much work.
func knownWork(work int64) func(*spv.Config) {
	return func(cfg *spv.Config) {
		params := chaincfg.SimNetParams()
		params.MinKnownChainWork = big.NewInt(work)
		cfg.Params = params
	}
}

// A node that is still syncing itself has nothing to say about headers. It is
// asked every half minute until it has, and is not blamed; nothing is in sync
// meanwhile.
// Rule 2.
func TestNodeThatIsSyncingItself(t *testing.T) {
	for name, claims := range map[string]int32{"knows the height": 3000, "knows nothing": -1} {
		t.Run(name, func(t *testing.T) {
			story(t, 3000, func(w *world) {
				b := hooked(empty)
				b.AdvertisedHeight = max(claims, 1)
				w.join(b)
				w.start(knownWork(1000))
				w.pass(20 * time.Minute)
				if n := w.total(wire.CmdGetHeaders); n < 180 || n > 240 {
					t.Errorf("%d getheaders in 20 minutes, want one in five or six seconds", n)
				}
				if st := w.syncer.Status(); st.Synced || st.Phase != spv.Headers || st.Reason == "" {
					t.Errorf("%+v", st)
				}
				w.wantUnpunished(0)
				w.peers[0].SetBehaviour(spvtest.Behaviour{})
				began := time.Now()
				w.syncTo(w.chain)
				if took := time.Since(began); took > 7*time.Second {
					t.Errorf("in sync %v after the node was", took)
				}
			})
		})
	}
}

// The peer that claims most has nothing after all: the next is asked at that
// instant, and the claim stops counting.
// Rule 2.
func TestEmptyAnswer(t *testing.T) {
	story(t, 2500, func(w *world) {
		b := hooked(empty)
		b.AdvertisedHeight = 5000
		w.join(b)
		w.joinMany(2, spvtest.Behaviour{})
		began := time.Now()
		w.start()
		st := w.sync()
		if took := time.Since(began); took != 0 || st.Tip.Height != 2500 || st.Target != 2500 {
			t.Errorf("synced after %v: %+v", took, st)
		}
		synctest.Wait()
		if n := w.peers[0].Count(wire.CmdGetHeaders); n > 2 {
			t.Errorf("%d getheaders, want one and that with sendheaders", n)
		}
		w.wantUnpunished(0)
	})
}

// A peer that delivers its headers one at a time does not hold up the sync with
// the others.
// Rule 22.
func TestHeadersByDrops(t *testing.T) {
	story(t, 5000, func(w *world) {
		drop := hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
			h, _ := w.chain.HeightOf(*m.BlockLocatorHashes[0])
			c.Send(w.chain.Headers(min(h+1, 5000), min(h+1, 5000)))
		})
		drop.AdvertisedHeight = 6000 // so that it is asked first
		w.join(drop)
		w.join(spvtest.Behaviour{})
		began := time.Now()
		w.start()
		w.sync()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("synced after %v", took)
		}
		if n := w.peers[0].Count(wire.CmdGetHeaders); n > 4 {
			t.Errorf("%d getheaders for single headers", n)
		}
	})
}

// The same full answer again and again, of headers that we have, ends in asking
// somebody else.
// Rules 2 and 22.
func TestSameAnswerAgainAndAgain(t *testing.T) {
	story(t, 5000, func(w *world) {
		same := hooked(func(c *spvtest.Client, _ *wire.MsgGetHeaders) { c.Send(w.chain.Headers(1, 2000)) })
		same.AdvertisedHeight = 6000
		w.join(same)
		w.join(spvtest.Behaviour{})
		w.start()
		st := w.sync()
		w.pass(time.Hour)
		if n := w.peers[0].Count(wire.CmdGetHeaders); st.Tip.Height != 5000 || n > 5 {
			t.Errorf("at %d after %d getheaders", st.Tip.Height, n)
		}
	})
}

// A claim that is made by reconnecting is not believed again and again: a
// boaster gets one getheaders for each claim, and its claims are doubted longer
// each time.
// Rule 22.
func TestBoasterReconnects(t *testing.T) {
	story(t, 500, func(w *world) {
		w.join(spvtest.Behaviour{AdvertisedHeight: 1_000_000})
		w.join(spvtest.Behaviour{})
		w.start()
		w.sync()
		for range 20 {
			w.pass(30 * time.Second)
			w.peers[0].Disconnect()
		}
		w.pass(time.Minute)
		if st := w.syncer.Status(); !st.Synced || st.Target != 500 {
			t.Errorf("%+v", st)
		}
		connections := w.peers[0].Connections()
		if n := w.peers[0].Count(wire.CmdGetHeaders); n > 2*connections {
			t.Errorf("%d getheaders in %d connections", n, connections)
		}
	})
}

// The only peer that is ahead leaves in the middle of its headers. What it had
// claimed is waited for, 5 seconds, because it had delivered; if it comes back
// the sync goes on where it was.
func TestPeerAheadLeavesInTheMiddle(t *testing.T) {
	for name, back := range map[string]bool{"for good": false, "and returns": true} {
		t.Run(name, func(t *testing.T) {
			story(t, 6000, func(w *world) {
				ahead := w.join(spvtest.Behaviour{Latency: time.Second})
				other := w.join(spvtest.Behaviour{Lag: 1996, RefuseConnections: true})
				w.start()
				w.while(func(st spv.Status) bool { return st.Tip.Height < 4000 })
				other.SetBehaviour(spvtest.Behaviour{Lag: 1996})
				ahead.Refuse(true)
				ahead.Disconnect()
				left := time.Now()
				if back {
					w.pass(4 * time.Second)
					ahead.Refuse(false)
					w.syncTo(w.chain)
					return
				}
				w.pass(5*time.Second - 1)
				if st := w.syncer.Status(); st.Synced || st.Tip.Height != 4004 {
					t.Errorf("%v after it left: %+v", time.Since(left), st)
				}
				w.pass(time.Nanosecond)
				if st := w.syncer.Status(); !st.Synced || st.Tip.Height != 4004 {
					t.Errorf("%v after it left: %+v", time.Since(left), st)
				}
			})
		})
	}
}

// During the initial sync each peer is asked for headers once, so that it shows
// how fast it is, and the fastest for all the rest. To have delivered last is no
// privilege.
// Rules 1 and 2.
func TestFastestPeerIsAskedForHeaders(t *testing.T) {
	story(t, 40000, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.join(spvtest.Behaviour{Latency: 20 * time.Millisecond, DialLatency: 200 * time.Millisecond})
		w.join(spvtest.Behaviour{Latency: 100 * time.Millisecond})
		w.start()
		w.sync()
		var asked []int
		for i := range w.peers {
			asked = append(asked, len(w.headerRequests(i)))
		}
		if asked[0]+asked[2] > 6 || asked[0]+asked[1]+asked[2] > 22 {
			t.Errorf("asked for headers: %d times", asked)
		}
	})
}

// headerRequests are the getheaders to a peer before its sendheaders.
func (w *world) headerRequests(i int) (requests []spvtest.Received) {
	for _, r := range w.peers[i].Log() {
		switch r.Command {
		case wire.CmdSendHeaders:
			return requests
		case wire.CmdGetHeaders:
			requests = append(requests, r)
		}
	}
	return requests
}

// One peer looks best and is broken; it does not starve the nine good ones. What it
// claims is waited for as long as it may take to answer, 30 seconds.
// Rules 2 and 22.
func TestBrokenBestPeer(t *testing.T) {
	for name, b := range map[string]spvtest.Behaviour{
		"silent":   silent("*"),
		"false":    {BadHeaders: spvtest.HeadersBadPoW},
		"unlinked": {BadHeaders: spvtest.HeadersUnlinked},
		"leaves":   {DropOn: map[string]bool{wire.CmdGetHeaders: true}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, 2500, func(w *world) {
				b.AdvertisedHeight = 2600
				w.join(b)
				w.joinMany(9, spvtest.Behaviour{})
				began := time.Now()
				w.start()
				w.sync()
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("synced after %v", took)
				}
			})
		})
	}
}

// A false stop hash or locator would show here: every getheaders of the initial
// sync begins with the last header that the peer delivered and ends in genesis.
// Rule 6.
func TestLocatorsBeginAtTheTip(t *testing.T) {
	story(t, 6500, func(w *world) {
		var first []chainhash.Hash
		w.join(spvtest.Behaviour{Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			if m, ok := msg.(*wire.MsgGetHeaders); ok {
				first = append(first, *m.BlockLocatorHashes[0])
				if last := m.BlockLocatorHashes[len(m.BlockLocatorHashes)-1]; *last != w.chain.Hash(0) {
					t.Errorf("a locator ends in %v", last)
				}
			}
			return false
		}})
		w.start()
		w.wait(spv.Settled)
		for i, h := range []uint32{0, 2000, 4000, 6000, 6500} {
			if i >= len(first) || first[i] != w.chain.Hash(h) {
				t.Fatalf("locator %d of %d does not begin at %d", i, len(first), h)
			}
		}
	})
}

// The only peer claims more than it has. That its claim is doubted when it comes
// back does not keep us from asking it, and so from being in sync.
// Rule 23.
func TestOnlyPeerIsDoubted(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{AdvertisedHeight: 9999})
		w.start()
		w.sync()
		w.peers[0].Disconnect()
		synctest.Wait()
		if st := w.syncer.Status(); st.Synced {
			t.Errorf("without peers: %+v", st)
		}
		began := time.Now()
		w.sync()
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("in sync again after %v", took)
		}
	})
}

// A peer that has delivered, and then does not answer, is waited for no longer
// than others might need to take its place; being in sync never contradicts the
// height aimed at.
// Rule 2.
func TestSyncedIsAtTheTarget(t *testing.T) {
	story(t, 6000, func(w *world) {
		answered := 0
		w.join(spvtest.Behaviour{Latency: time.Second, Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			if msg.Command() == wire.CmdGetHeaders {
				answered++
			}
			return answered > 2
		}})
		other := w.join(spvtest.Behaviour{Lag: 1996, RefuseConnections: true})
		w.start()
		w.while(func(st spv.Status) bool { return st.Tip.Height < 4000 })
		other.SetBehaviour(spvtest.Behaviour{Lag: 1996})
		synced := false
		for range 300 {
			w.pass(time.Second)
			st := w.syncer.Status()
			synced = synced || st.Synced
			if st.Synced && st.Target != st.Tip.Height {
				t.Fatalf("in sync at block %d of %d", st.Tip.Height, st.Target)
			}
		}
		if !synced {
			t.Error("never in sync with the other peer")
		}
	})
}

// A peer that has no more than we have, and says so, is believed when it comes
// back with more, however often it has come back without.
// Rule 23.
func TestNothingNewIsNoFailedClaim(t *testing.T) {
	story(t, 5000, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{Latency: 300 * time.Millisecond})
		w.start()
		w.sync()
		for range 8 {
			w.pass(20 * time.Second)
			for _, p := range w.peers {
				p.Disconnect()
			}
		}
		for _, p := range w.peers {
			p.Refuse(true)
			p.Disconnect()
		}
		w.pass(5 * time.Second)
		w.chain.Mine(50)
		w.peers[0].SetBehaviour(spvtest.Behaviour{Lag: 50})
		for _, p := range w.peers {
			p.SetChain(w.chain)
			p.Refuse(false)
		}
		w.while(func(st spv.Status) bool { return st.Peers < 2 || !st.Synced })
		if st := w.syncer.Status(); st.Tip.Height != 5050 {
			t.Errorf("in sync with %d peers at %d", st.Peers, st.Tip.Height)
		}
	})
}

// Peers that have delivered a full answer, and then say nothing for longer than a claim
// counts, have not said that there is no more: nothing is in sync before one has.
// Rule 2.
func TestSilenceInTheMiddleIsNotTheEnd(t *testing.T) {
	for _, n := range []int{1, 3} {
		story(t, 5000, func(w *world) {
			for range n {
				w.join(hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
					at, _ := w.chain.HeightOf(*m.BlockLocatorHashes[0])
					headers := w.chain.Headers(at+1, min(at+2000, w.chain.Height()))
					if at == 0 {
						c.Send(headers)
						return
					}
					time.AfterFunc(25*time.Second, func() { c.Send(headers) })
				}))
			}
			w.start()
			if st := w.sync(); st.Tip.Height != 5000 {
				t.Errorf("%d peers: in sync at %d", n, st.Tip.Height)
			}
		})
	}
}

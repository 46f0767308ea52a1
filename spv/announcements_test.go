package spv_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// asked counts what was asked of all peers: headers, filters and blocks.
func (w *world) asked() int {
	return w.total(wire.CmdGetHeaders) + w.total(wire.CmdGetCFiltersV2) + w.total(wire.CmdGetData)
}

// known is what the registry shows of a peer.
func (w *world) known(i int) spv.Peer {
	w.t.Helper()
	peers, err := w.syncer.Peers(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range peers {
		if p.Addr == w.addrs[i] {
			return p
		}
	}
	w.t.Fatalf("the registry does not know %s", w.addrs[i])
	return spv.Peer{}
}

// wantUnpunished checks that nothing is held against a peer, and that it is
// still connected.
func (w *world) wantUnpunished(i int) {
	w.t.Helper()
	if p := w.known(i); p.BanScore != 0 || !p.BannedUntil.IsZero() || !p.Connected {
		w.t.Errorf("peer %d: ban score %d, banned until %v, connected %v: %v", i, p.BanScore, p.BannedUntil, p.Connected, p.BanReasons)
	}
	if r := w.cutReason(i); r != "" {
		w.t.Errorf("peer %d was cut off: %s", i, r)
	}
}

// Headers from far below the tip, announced as if they were new, cause no
// request, and nobody is punished for them.
// Rule 8.
func TestOldAnnouncementsAreNothingNew(t *testing.T) {
	story(t, 600, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		before := w.asked()
		w.peers[0].Send(
			w.chain.Headers(600-256, 600-256), w.chain.Headers(600-257, 600-257),
			w.chain.Headers(1, 500), w.chain.Headers(1, 1))
		synctest.Wait()
		if n := w.asked() - before; n != 0 {
			t.Errorf("%d requests", n)
		}
		if st := w.syncer.Status(); !st.Synced || st.Tip.Height != 600 {
			t.Errorf("%+v", st)
		}
		w.wantUnpunished(0)
	})
}

// The same block announced a thousand times is fetched once.
// Rules 1 and 8.
func TestRepeatedAnnouncement(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{NoAnnounce: true})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(100)
		longer.Mine(1)
		w.mineOn(longer)
		w.pass(time.Minute) // it has not just connected, which would be too much
		before := w.asked()
		for range 1000 {
			w.peers[0].Send(longer.Headers(101, 101))
			synctest.Wait()
		}
		w.syncTo(longer)
		if n := w.asked() - before; n != 1 {
			t.Errorf("%d requests, want the one for the filter", n)
		}
		w.wantUnpunished(0)
	})
}

// In a reorg the only peer announces nothing but the last header of its new
// branch. The headers between are asked for, once, and the branch is followed
// at that instant.
// Rule 8.
func TestLoneHeaderOfAReorg(t *testing.T) {
	story(t, 300, func(w *world) {
		w.join(spvtest.Behaviour{NoAnnounce: true})
		w.start()
		w.wait(spv.Settled)
		before := w.total(wire.CmdGetHeaders)
		branch := w.chain.Fork(290)
		branch.Mine(15)
		w.mineOn(branch)
		w.peers[0].Send(branch.Headers(305, 305))
		synctest.Wait()
		if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != branch.Tip().Hash {
			t.Errorf("%+v", st)
		}
		if n := w.total(wire.CmdGetHeaders) - before; n != 1 {
			t.Errorf("%d getheaders, want 1", n)
		}
		w.wantUnpunished(0)
	})
}

// An announced header without the work for it gets its sender banned. It moves
// neither our tip nor what is known of the sender's height.
// Rules 10 and 14.
func TestFalseAnnouncement(t *testing.T) {
	story(t, 300, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(300)
		longer.Mine(1)
		header := wireHeader(longer, 301)
		for works := true; works; {
			header.Nonce++
			_, err := longer.Rules().Check([]chain.Header{chain.HeaderFromWire(&header)})
			works = err == nil
		}
		headers := wire.NewMsgHeaders()
		headers.AddBlockHeader(&header)
		w.peers[1].Send(headers)
		synctest.Wait()
		if st := w.syncer.Status(); !st.Synced || st.Tip.Height != 300 || st.Target != 300 {
			t.Errorf("%+v", st)
		}
		p := w.known(1)
		if p.ValidatedHeight > 300 || p.AdvertisedHeight != 300 || p.Connected || time.Until(p.BannedUntil) != 24*time.Hour {
			t.Errorf("%+v", p)
		}
		if r := w.cutReason(1); !strings.Contains(r, "proof of work") {
			t.Errorf("cut off for %q", r)
		}
		w.wantUnpunished(0)
	})
}

// Blocks announced by inv during the initial sync raise nobody's height and no
// target.
// Rules 2 and 5.
func TestInvRaisesNoTarget(t *testing.T) {
	story(t, 4000, func(w *world) {
		w.join(spvtest.Behaviour{InvFlood: 10, Latency: 100 * time.Millisecond})
		w.start()
		w.while(func(st spv.Status) bool {
			if st.Target > 4000 {
				t.Fatalf("target %d", st.Target)
			}
			return !st.Synced
		})
		if p := w.known(0); p.AdvertisedHeight != 4000 || p.ValidatedHeight != 4000 {
			t.Errorf("%+v", p)
		}
	})
}

// What a peer said just before it went away does no harm.
func TestLastWordsOfAPeer(t *testing.T) {
	story(t, 100, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(100)
		longer.Mine(50)
		w.peers[1].Refuse(true)
		w.peers[1].SetChain(longer)
		w.peers[1].Disconnect()
		synctest.Wait()
		if n := w.syncer.Status().Peers; n != 1 {
			t.Errorf("%d peers, want 1", n)
		}
		w.peers[0].SetChain(longer)
		w.syncTo(longer)
		w.wantUnpunished(0)
	})
}

// A block that comes while the peer that announced the one before stalls with
// its filter is taken at once.
func TestStalledRequestFreezesNobody(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.wait(spv.Settled)
		longer := w.chain.Fork(100)
		longer.Mine(1)
		w.peers[0].SetBehaviour(spvtest.Behaviour{Silent: map[string]bool{"*": true}})
		w.peers[0].SetChain(longer)
		w.peers[1].SetChain(longer)
		w.peers[1].SetBehaviour(spvtest.Behaviour{})
		synctest.Wait()
		if st := w.syncer.Status(); st.Tip.Height != 101 || st.Phase != spv.Filters {
			t.Fatalf("the filter is not waited for: %+v", st)
		}
		w.while(func(st spv.Status) bool { return st.Peers < 2 })
		longer = longer.Fork(101)
		longer.Mine(1)
		w.peers[1].SetChain(longer)
		synctest.Wait()
		if tip := w.syncer.Status().Tip; tip.Height != 102 {
			t.Errorf("at %d, want 102 at once", tip.Height)
		}
		w.syncTo(longer)
	})
}

// A flood of announcements starts no goroutine for each: no more than wait for
// requests, of which a peer has 16 at most. New blocks in it are taken in their
// order.
// Rule 20.
func TestAnnouncementFlood(t *testing.T) {
	story(t, 200, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		w.pass(5 * time.Minute) // it has not just connected, which would be too much
		before, most := runtime.NumGoroutine(), 0
		for n := range uint32(45) {
			for k := range uint32(100) {
				h := 1 + (100*n+k)%200
				w.peers[0].Send(w.chain.Headers(h, h))
			}
			synctest.Wait()
			w.pass(time.Second / 3)
			most = max(most, runtime.NumGoroutine())
		}
		longer := w.chain.Fork(200)
		longer.Mine(200)
		w.peers[0].SetBehaviour(spvtest.Behaviour{Bandwidth: 100_000}) // so that they come one after the other
		w.mineOn(longer)
		last := uint32(0)
		w.while(func(st spv.Status) bool {
			most = max(most, runtime.NumGoroutine())
			if st.Tip.Height < last || st.Tip.Height > 200 && st.Tip.Hash != longer.Hash(st.Tip.Height) {
				t.Fatalf("at %v after %d", st.Tip, last)
			}
			last = st.Tip.Height
			return last < longer.Height()
		})
		w.syncTo(longer)
		if most > before+16 {
			t.Errorf("%d goroutines, %d before", most, before)
		}
		if n := w.total(wire.CmdGetHeaders); n != 2 {
			t.Errorf("%d getheaders, want those of the initial sync and with sendheaders", n)
		}
		w.wantUnpunished(0)
	})
}

// Announcements that link to nothing, with nothing to show when asked: ten in a
// row cost nothing, each further one ten points, and the twentieth is the ban. The
// same goes for blocks that are announced by hash.
// Rules 8 and 14.
func TestTwentiethOrphanIsTheBan(t *testing.T) {
	story(t, 100, func(w *world) {
		other := w.chain.Fork(50)
		other.Mine(100)
		for name, announce := range map[string]func(*spvtest.Peer){
			"headers": func(p *spvtest.Peer) { p.Send(other.Headers(120, 120)) },
			"inv": func(p *spvtest.Peer) {
				hash := other.Hash(121)
				inv := wire.NewMsgInv()
				inv.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hash))
				p.Send(inv)
			},
		} {
			i := len(w.peers)
			p := w.join(spvtest.Behaviour{})
			w.start()
			w.wait(spv.Settled)
			p.SetBehaviour(hooked(empty))
			before := p.Count(wire.CmdGetHeaders)
			for n := 1; n < 20; n++ {
				announce(p)
				synctest.Wait()
				if got := w.known(i).BanScore; got != max(0, 10*(n-10)) {
					t.Fatalf("%s: %d points after %d", name, got, n)
				}
				if got := p.Count(wire.CmdGetHeaders) - before; got != n {
					t.Fatalf("%s: %d getheaders after %d", name, got, n)
				}
			}
			announce(p)
			synctest.Wait()
			if got := w.known(i); time.Until(got.BannedUntil) != 24*time.Hour || got.Connected {
				t.Errorf("%s: %+v", name, got)
			}
			w.stop()
		}
	})
}

package spv_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/spv/internal/chaindb"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// Headers of the chain of these tests commit to their filters from here on.
const activation = 2050

var watched = spvtest.Script(1)

// setStory is a world with a chain whose headers do not commit to their filters
// below the activation. A wallet that watches from genesis finds payments in
// blocks 1234 and 2500.
func setStory(t *testing.T, fn func(w *world)) {
	t.Helper()
	c := spvtest.NewChain(nil, spvtest.CommitFrom(activation))
	c.Mine(1233)
	c.MineBlock(c.Pay(watched, 1e8))
	c.Mine(2499 - 1234)
	c.MineBlock(c.Pay(watched, 2e8))
	c.Mine(500)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		fn(w)
	})
}

// startSet runs the Syncer with the rules of the world's chain.
func (w *world) startSet(change ...func(*spv.Config)) {
	w.t.Helper()
	rules := w.chain.KnownRules()
	w.start(append([]func(*spv.Config){func(cfg *spv.Config) {
		cfg.Params, cfg.Rules = nil, rules
	}}, change...)...)
}

// liar lies about all filters below the activation, or about one.
func liar(at uint32) spvtest.Behaviour {
	return spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped, BadFilterAt: at, BadFilterBelow: activation}
}

// wantRight checks that the wallet has what it should, that what is stored is
// what the chain has, and who was banned.
func (w *world) wantRight(banned ...int) {
	w.t.Helper()
	w.wantMatches(w.chain, 1234, 2500)
	w.wantNoViolations()
	isBanned := make(map[int]bool)
	for _, i := range banned {
		isBanned[i] = true
	}
	for i := range w.peers {
		reason := w.cutReason(i)
		if isBanned[i] != strings.Contains(reason, "known set") {
			w.t.Errorf("peer %d was cut off for %q", i, reason)
		}
	}
	peers, err := w.syncer.Peers(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range peers {
		for i, addr := range w.addrs {
			if p.Addr == addr && p.BannedUntil.IsZero() == isBanned[i] {
				w.t.Errorf("peer %d banned until %v", i, p.BannedUntil)
			}
		}
	}
	w.stop()
	w.wantStored()
}

// wantStored checks what is in chain.db.
func (w *world) wantStored() {
	w.t.Helper()
	db, err := chaindb.Open(w.dir+"/"+spv.ChainFile, w.chain.KnownRules())
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	all := chain.Range{From: 0, To: w.chain.Height()}
	err = db.Blocks(all, func(height uint32, _ *chain.Header, filter []byte) bool {
		if string(filter) != string(w.chain.Filter(height)) {
			w.t.Errorf("filter %d is wrong", height)
			return false
		}
		return true
	})
	if err != nil {
		w.t.Error(err)
	}
}

// requests is how often all peers were asked for a filter.
func (w *world) requests(height uint32) (n int) {
	for _, p := range w.peers {
		n += p.FilterRequests(height)
	}
	return n
}

// waitWrong waits until the set was found to be wrong.
func (w *world) waitWrong() {
	w.t.Helper()
	w.while(func(st spv.Status) bool { return !strings.Contains(st.Reason, "not the known set") })
}

// Without a lie the set costs what it weighs.
// Rules 1 and 11.
func TestFilterSetHonest(t *testing.T) {
	setStory(t, func(w *world) {
		w.joinMany(4, spvtest.Behaviour{Latency: 20 * time.Millisecond})
		w.startSet()
		w.sync()
		w.wantEachOnce(1, w.chain.Height())
		w.wantRight()
	})
}

// The verdict is remembered: after a restart nothing is fetched again.
// Rule 11.
func TestFilterSetRestartVerified(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.startSet()
		w.sync()
		w.stop()
		w.startSet()
		w.sync()
		w.wantEachOnce(1, w.chain.Height())
		w.wantRight()
	})
}

// A restart in the middle goes on hashing where the stored filters end.
func TestFilterSetRestartInTheMiddle(t *testing.T) {
	setStory(t, func(w *world) {
		w.joinMany(2, spvtest.Behaviour{Latency: 50 * time.Millisecond, Lag: w.chain.Height() - 900})
		w.startSet()
		w.while(func(st spv.Status) bool { return st.Filters.Through < 900 })
		w.stop()
		held := w.filtersOnDisk()
		for _, p := range w.peers {
			p.SetBehaviour(spvtest.Behaviour{})
			p.ResetCounts()
		}
		w.startSet()
		w.sync()
		w.wantEachOnce(held+1, w.chain.Height())
		w.wantRight()
	})
}

// A birthday above the activation costs nothing of the set, wherever it is.
// Rule 15.
func TestFilterSetNotNeeded(t *testing.T) {
	for _, birthday := range []uint32{activation, activation + 1, 2500} {
		setStory(t, func(w *world) {
			w.wallet.watch(birthday, watched)
			w.joinMany(3, liar(0))
			w.startSet()
			w.sync()
			w.wantMatches(w.chain, 2500)
			for h := uint32(1); h < birthday; h++ {
				if n := w.requests(h); n != 0 {
					t.Fatalf("birthday %d: filter %d was requested %d times", birthday, h, n)
				}
			}
			w.wantEachOnce(birthday, w.chain.Height())
			if cuts := w.syncer.Status().CutOff; len(cuts) != 0 {
				t.Errorf("cut off: %v", cuts)
			}
		})
	}
}

// A birthday lowered to below the activation makes the set needed, and it is
// verified then.
// Rules 11 and 15.
func TestFilterSetNeededLater(t *testing.T) {
	setStory(t, func(w *world) {
		w.wallet.watch(2400, watched)
		w.join(liar(700))
		w.startSet()
		w.sync()
		w.wallet.watch(activation-1, watched)
		w.waitWrong()
		w.wantMatches(w.chain, 2500)
		w.wallet.watch(0, watched)
		w.stop()
		w.join(spvtest.Behaviour{})
		w.startSet()
		w.sync()
		w.wantMatches(w.chain, 1234, 2500)
		w.stop()
		w.wantStored()
	})
}

// The chain has not reached the activation: the set can't be verified, and
// nothing is tested.
// Rule 11.
func TestFilterSetIncomplete(t *testing.T) {
	setStory(t, func(w *world) {
		whole := w.chain
		p := w.joinWith(whole, spvtest.Behaviour{Lag: whole.Height() - activation + 2})
		w.startSet()
		w.pass(time.Hour)
		st := w.syncer.Status()
		if st.Synced || st.Scanned.Any || st.Reason == "" {
			t.Errorf("at block %d: %+v", st.Tip.Height, st)
		}
		p.SetBehaviour(spvtest.Behaviour{})
		p.Disconnect() // it tells its height when it is back
		w.syncTo(whole)
		w.wantRight()
	})
}

// One wrong filter: its liar is banned, and everything else is fetched at most
// once more for each peer whose copy is looked at.
// Rules 11 and 14.
func TestFilterSetOneWrongFilter(t *testing.T) {
	for _, at := range []uint32{1, 850, activation - 1} {
		setStory(t, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{Latency: 20 * time.Millisecond})
			w.join(spvtest.Behaviour{Latency: 20 * time.Millisecond, BadFilters: spvtest.FiltersFlipped, BadFilterAt: at})
			w.startSet()
			w.wantSynced(3, at)
		})
	}
}

// wantSynced waits for the end of a story with one liar about one filter, who
// may not have been asked for it.
func (w *world) wantSynced(liar int, at uint32) {
	w.t.Helper()
	w.sync()
	if w.peers[liar].FilterRequests(at) == 0 {
		w.wantEachOnce(1, w.chain.Height())
		w.wantRight()
		return
	}
	copies := 2
	if w.peers[liar].FilterRequests(at) > 1 || w.peers[liar].FiltersRequested() > activation-100 {
		copies = 3 // the liar's was looked at first
	}
	for h := uint32(1); h <= w.chain.Height(); h++ {
		most := 1
		if h < activation {
			most = copies
			if h/100 == at/100 {
				most++
			}
		}
		if n := w.requests(h); n > most {
			w.t.Fatalf("filter %d was requested %d times, want at most %d", h, n, most)
		}
	}
	w.wantRight(liar)
}

// Many wrong filters of one among four.
// Rule 11.
func TestFilterSetManyWrongFilters(t *testing.T) {
	setStory(t, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{Latency: 20 * time.Millisecond})
		w.join(spvtest.Behaviour{Latency: 20 * time.Millisecond, BadFilters: spvtest.FiltersFlipped, BadFilterBelow: activation})
		w.startSet()
		w.sync()
		w.wantRight(3)
	})
}

// Three liars who agree about every filter, and a single honest peer.
// Rules 11 and 22.
func TestFilterSetLiarsAgree(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(spvtest.Behaviour{Latency: 20 * time.Millisecond})
		b := liar(0)
		b.Latency = 20 * time.Millisecond
		w.joinMany(3, b)
		w.startSet()
		w.sync()
		w.wantRight(1, 2, 3)
	})
}

// A liar who delivered everything is alone: nobody is there to compare with, so
// it is not blamed, not asked again, and nothing is tested. The honest peer that
// joins proves it.
// Rule 11.
func TestFilterSetSingleLiar(t *testing.T) {
	for name, at := range map[string]uint32{"one": 850, "all": 0} {
		t.Run(name, func(t *testing.T) {
			setStory(t, func(w *world) {
				w.join(liar(at))
				honest := w.join(spvtest.Behaviour{RefuseConnections: true})
				w.startSet()
				w.pass(time.Hour)
				st := w.syncer.Status()
				if st.Synced || st.Scanned.Any || !strings.Contains(st.Reason, "waiting for other peers") {
					t.Errorf("alone with a liar: %+v", st)
				}
				if r := w.cutReason(0); r != "" || st.Peers != 1 {
					t.Errorf("%d peers, the liar was cut off for %q", st.Peers, r)
				}
				w.wantEachOnce(1, w.chain.Height())
				honest.SetBehaviour(spvtest.Behaviour{})
				w.syncTo(w.chain)
				if at != 0 {
					for h := uint32(1); h < activation; h++ {
						if n := w.requests(h); n != 2 && h/100 != at/100 {
							t.Fatalf("filter %d was requested %d times, want twice", h, n)
						}
					}
				}
				w.wantRight(0)
			})
		})
	}
}

// If everybody has the same wrong set, perhaps it is us who are wrong: nobody
// is blamed, nothing is dropped, and each is asked for one copy a day at most.
// Rules 11 and 14.
func TestFilterSetEverybodyAgrees(t *testing.T) {
	setStory(t, func(w *world) {
		w.joinMany(3, liar(850))
		w.startSet()
		w.pass(20 * time.Hour)
		st := w.syncer.Status()
		if st.Synced || !strings.Contains(st.Reason, "waiting for other peers") || len(st.CutOff) != 0 {
			t.Errorf("%+v", st)
		}
		if st.Filters.Through != w.chain.Height() {
			t.Errorf("filters through %d, want all", st.Filters.Through)
		}
		for h := uint32(1); h < activation; h++ {
			if n := w.requests(h); n > 4 {
				t.Fatalf("filter %d was requested %d times, want one copy of each peer", h, n)
			}
		}
		if n := w.total(wire.CmdGetHeaders); n > 100 {
			t.Errorf("%d getheaders", n)
		}
	})
}

// A restart between the mismatch and its resolution: the stored set is found to
// be wrong again, and compared.
func TestFilterSetRestartWhenWrong(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(850))
		w.startSet()
		w.waitWrong()
		w.stop()
		w.join(spvtest.Behaviour{})
		for _, p := range w.peers {
			p.ResetCounts()
		}
		w.startSet()
		w.sync()
		asked := w.peers[0].FilterRequests(850) > 0
		for h := uint32(1); h < activation; h++ {
			if n := w.requests(h); n > 2 && h/100 != 8 {
				t.Fatalf("filter %d was requested %d times after the restart", h, n)
			}
		}
		if asked {
			w.wantRight(0)
		} else {
			w.wantRight() // who had delivered it is not known any more
		}
	})
}

// A restart when the wrong filters have been dropped and are fetched again.
func TestFilterSetRestartWhenDropped(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(0))
		w.join(spvtest.Behaviour{Latency: 200 * time.Millisecond, RefuseConnections: true})
		w.startSet()
		w.waitWrong()
		w.peers[1].Refuse(false)
		w.while(func(st spv.Status) bool { return st.Filters.Through >= 1500 })
		w.stop()
		w.startSet()
		w.sync()
		w.wantMatches(w.chain, 1234, 2500)
		w.stop()
		w.wantStored()
	})
}

// The peer whose copy is fetched goes away in the middle of it: the copy of
// another takes its place, and its own is continued if it comes back first.
func TestFilterSetAuditedPeerLeaves(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(850))
		slow := spvtest.Behaviour{Latency: 200 * time.Millisecond}
		w.joinMany(2, spvtest.Behaviour{Latency: slow.Latency, RefuseConnections: true})
		w.startSet()
		w.waitWrong()
		w.peers[1].SetBehaviour(slow)
		w.while(func(spv.Status) bool { return w.peers[1].FiltersRequested() < 500 })
		w.peers[1].Disconnect()
		w.peers[1].Refuse(true)
		w.pass(time.Minute)
		before := w.peers[1].FilterRequests(1)
		w.peers[1].Refuse(false)
		w.syncTo(w.chain)
		if n := w.peers[1].FilterRequests(1); n != before {
			t.Errorf("filter 1 was requested %d times of the peer that came back", n)
		}
		w.wantRight(0)
	})
	setStory(t, func(w *world) {
		w.join(liar(850))
		slow := spvtest.Behaviour{Latency: 200 * time.Millisecond}
		w.joinMany(2, spvtest.Behaviour{Latency: slow.Latency, RefuseConnections: true})
		w.startSet()
		w.waitWrong()
		w.peers[1].SetBehaviour(spvtest.Behaviour{DropAfter: 12, Latency: slow.Latency})
		w.pass(10 * time.Second)
		w.peers[2].SetBehaviour(slow)
		w.syncTo(w.chain)
		w.wantRight(0)
	})
}

// A peer that does not answer for its copy costs time, not the sync.
// Rule 22.
func TestFilterSetSilentPeer(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(850))
		w.join(spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetCFiltersV2: true}, RefuseConnections: true})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.startSet()
		w.waitWrong()
		w.peers[1].Refuse(false)
		w.pass(time.Minute)
		w.peers[2].Refuse(false)
		w.syncTo(w.chain)
		w.wantRight(0)
	})
}

// The only peer whose copy there is to compare with is asked again soon after it
// serves, however long it did not.
// Rule 23.
func TestFilterSetLastPeerIsAskedAgain(t *testing.T) {
	for _, after := range []time.Duration{5 * time.Minute, 5*time.Minute + 20*time.Second, 6 * time.Minute, 7 * time.Minute} {
		setStory(t, func(w *world) {
			w.join(liar(850))
			p := w.join(spvtest.Behaviour{Silent: silentTo(wire.CmdGetCFiltersV2), RefuseConnections: true})
			w.startSet()
			w.waitWrong()
			w.peers[0].Refuse(true)
			w.peers[0].Disconnect()
			p.Refuse(false)
			w.pass(after)
			p.SetBehaviour(spvtest.Behaviour{})
			p.Disconnect()
			healed := time.Now()
			w.syncTo(w.chain)
			if took := time.Since(healed); took > 30*time.Second {
				t.Errorf("in sync %v after it serves: %+v", took, w.known(1).History)
			}
		})
	}
}

// A reorg that takes part of the set with it: it is hashed again, on the branch
// that has it.
// Rules 8 and 11.
func TestFilterSetReorg(t *testing.T) {
	setStory(t, func(w *world) {
		other := w.chain.Fork(1800)
		other.Mine(int(w.chain.Height()) - 1800 - 5)
		p := w.joinWith(other, spvtest.Behaviour{})
		w.startSet()
		w.pass(time.Minute)
		if st := w.syncer.Status(); st.Synced || st.Tip.Hash != other.Tip().Hash {
			t.Errorf("on the other branch: %+v", st)
		}
		serve(p, w.chain)
		w.syncTo(w.chain)
		w.wantRight()
	})
}

// The right set, and then a reorg to a branch whose filters are not the set, and
// back: what is fetched again is verified again.
func TestFilterSetReorgAndBack(t *testing.T) {
	setStory(t, func(w *world) {
		other := w.chain.Fork(1800)
		other.Mine(int(w.chain.Height()) - 1800 + 5)
		p := w.join(spvtest.Behaviour{})
		w.startSet()
		w.sync()
		serve(p, other)
		w.pass(time.Minute)
		if st := w.syncer.Status(); st.Synced || st.Tip.Hash != other.Tip().Hash {
			t.Errorf("on the other branch: %+v", st)
		}
		back := w.chain.Fork(w.chain.Height())
		back.Mine(20)
		w.chain = back
		serve(p, back)
		w.syncTo(back)
		w.wantRight()
	})
}

// serve has a peer come back with another chain.
func serve(p *spvtest.Peer, c *spvtest.Chain) {
	p.Refuse(true)
	p.Disconnect()
	synctest.Wait()
	p.SetChain(c)
	p.Refuse(false)
}

package spv_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// withFaulty has a faulty peer alone with us for a moment, at the end of which
// check looks at what that was to it, and then completes the sync with two honest
// ones, who have nothing held against them.
func withFaulty(t *testing.T, b spvtest.Behaviour, check func(w *world)) {
	t.Helper()
	c := paid(400)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.join(b)
		w.joinMany(2, spvtest.Behaviour{RefuseConnections: true})
		w.start()
		synctest.Wait()
		check(w)
		for _, p := range w.peers[1:] {
			p.Refuse(false)
		}
		w.syncTo(c)
		w.pass(10 * time.Second) // both are there
		w.wantMatches(c, 200, 400)
		w.wantUnpunished(1)
		w.wantUnpunished(2)
	})
}

// banned checks that the faulty peer is banned for a day, and why.
func (w *world) banned(why string) {
	w.t.Helper()
	p := w.known(0)
	if time.Until(p.BannedUntil) != 24*time.Hour || p.Connected || p.Score > 20 {
		w.t.Errorf("not banned for a day: %+v", p)
	}
	if r := w.cutReason(0); !strings.Contains(r, why) {
		w.t.Errorf("cut off for %q, want %q", r, why)
	}
	if h := p.History; len(h) != 1 || h[0].Kind != spv.PeerBanned || !h[0].Until.Equal(p.BannedUntil) || !strings.Contains(h[0].Reason, why) {
		w.t.Errorf("its history is %+v", h)
	}
}

// A header that breaks a rule proves its sender bad, whatever the rule. None of
// it gets into the chain, and nobody else pays.
// Rules 10 and 14.
func TestFalseHeadersAreBanned(t *testing.T) {
	for fault, why := range map[spvtest.HeaderFault]string{
		spvtest.HeadersBadPoW:     "proof of work",
		spvtest.HeadersOldPoW:     "proof of work",
		spvtest.HeadersWrongBits:  "difficulty",
		spvtest.HeadersWrongPrice: "ticket price",
		spvtest.HeadersWrongVotes: "votes",
		spvtest.HeadersPast:       "median",
		spvtest.HeadersWrongLink:  "link",
	} {
		t.Run(fmt.Sprint(why, fault), func(t *testing.T) {
			withFaulty(t, spvtest.Behaviour{BadHeaders: fault, BadHeaderAt: 250}, func(w *world) {
				w.banned(why)
				if tip := w.syncer.Status().Tip.Height; tip > 249 {
					t.Errorf("at %d", tip)
				}
			})
		})
	}
}

// Headers whose heights don't follow are no answer at all: 20 points and the
// connection.
// Rule 14.
func TestHeightsThatDontFollow(t *testing.T) {
	withFaulty(t, spvtest.Behaviour{BadHeaders: spvtest.HeadersWrongHeight, BadHeaderAt: 250}, func(w *world) {
		if p := w.known(0); p.BanScore != 20 || p.Connected || !strings.Contains(w.cutReason(0), "follows") {
			t.Errorf("%+v, cut off for %q", p, w.cutReason(0))
		}
	})
}

// Right headers that hang in the air are no answer to the question either. They
// are taken for an announcement, which is ignored at this stage, and the question
// stalls.
// Rule 14.
func TestUnlinkedHeadersAreNoAnswer(t *testing.T) {
	withFaulty(t, spvtest.Behaviour{BadHeaders: spvtest.HeadersUnlinked}, func(w *world) {
		if p := w.known(0); p.BanScore != 0 || !p.Connected || w.syncer.Status().Tip.Height != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// A header from the future is no proof: perhaps it is our clock that is wrong.
// Its sender is not banned.
// Rules 14 and 24.
func TestFutureHeaderIsNoFault(t *testing.T) {
	withFaulty(t, spvtest.Behaviour{BadHeaders: spvtest.HeadersFuture, BadHeaderAt: 250}, func(w *world) {
		if p := w.known(0); p.BanScore != 0 || !p.BannedUntil.IsZero() {
			t.Errorf("%+v", p)
		}
	})
}

// A filter that its header does not commit to is a ban. One that does not fit the
// question costs 20 points and the connection; one that answers no question is
// not taken for an answer.
// Rules 11 and 14.
func TestFalseFilters(t *testing.T) {
	for fault, tc := range map[spvtest.FilterFault]struct {
		points int
		why    string
	}{
		spvtest.FiltersFlipped: {100, "filter does not match"},
		spvtest.FiltersEmpty:   {100, "filter does not match"},
		spvtest.FiltersSwapped: {100, "filter does not match"},
		spvtest.FiltersShort:   {20, "filters for"},
		spvtest.FiltersProof:   {20, "hashes"},
		spvtest.FiltersForeign: {0, ""},
	} {
		t.Run(fmt.Sprint(fault), func(t *testing.T) {
			withFaulty(t, spvtest.Behaviour{BadFilters: fault}, func(w *world) {
				if tc.points == 100 {
					w.banned(tc.why)
					return
				}
				if p := w.known(0); p.BanScore != tc.points || !strings.Contains(w.cutReason(0), tc.why) || p.Connected == (tc.points > 0) {
					t.Errorf("%+v, cut off for %q", p, w.cutReason(0))
				}
				if st := w.syncer.Status(); st.Filters.Through != 0 {
					t.Errorf("filters through %d", st.Filters.Through)
				}
			})
		})
	}
}

// A block that is not the one of its header is a ban. The one peer that was asked
// for it is at fault, no other.
// Rules 11 and 14.
func TestFalseBlocks(t *testing.T) {
	for _, fault := range []spvtest.BlockFault{
		spvtest.BlocksDropTx, spvtest.BlocksDoubleTx, spvtest.BlocksChangedTx,
	} {
		t.Run(fmt.Sprint(fault), func(t *testing.T) {
			withFaulty(t, spvtest.Behaviour{BadBlocks: fault}, func(w *world) {
				w.banned("block does not match")
				if len(w.wallet.matched) != 0 {
					t.Error("the wallet has a false block")
				}
			})
		})
	}
}

// A peer that says it does not have a block is asked again after a few seconds if
// there is nobody else, and no sooner.
// Rules 14 and 23.
func TestBlockThatAPeerDoesNotHave(t *testing.T) {
	withFaulty(t, spvtest.Behaviour{NotFound: true}, func(w *world) {
		w.pass(time.Minute)
		if n := w.peers[0].Count(wire.CmdGetData); n < 5 || n > 25 {
			t.Errorf("%d getdata in a minute", n)
		}
		w.wantUnpunished(0)
	})
}

// A peer that alternates between right and false answers ends up banned, and
// does not get itself rehabilitated by the right ones.
// Rule 14.
func TestAlternatingPeerEndsBanned(t *testing.T) {
	c := paid(3000)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(0, watched)
		w.join(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped, BadFilterAt: 2222})
		w.join(spvtest.Behaviour{RefuseConnections: true})
		w.start()
		w.pass(10 * time.Minute)
		if p := w.known(0); p.BannedUntil.IsZero() || p.Score > 20 || p.Connected {
			t.Errorf("%+v", p)
		}
		if n := w.peers[0].Connections(); n != 1 {
			t.Errorf("%d connections", n)
		}
		w.peers[1].Refuse(false)
		w.syncTo(c)
		w.wantMatches(c, 1500, 3000)
	})
}

// A ban is reported once, however much is in flight at the banned peer.
// Rule 14.
func TestBanIsReportedOnce(t *testing.T) {
	story(t, 1000, func(w *world) {
		w.join(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped})
		w.start()
		w.pass(time.Hour)
		st := w.syncer.Status()
		if len(st.CutOff) != 1 {
			t.Errorf("reported: %v", st.CutOff)
		}
		if !strings.Contains(st.Reason, "banned") || st.Phase != spv.Connecting {
			t.Errorf("%+v", st)
		}
	})
}

// What is held against peers has bounds, in Status and in memory: the oldest of
// many cuts is forgotten first.
// Rule 20.
func TestCutsAreBounded(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.join(silent(wire.CmdGetHeaders, wire.CmdGetCFiltersV2))
		w.start()
		w.sync()
		w.peers[1].SetBehaviour(spvtest.Behaviour{Lag: 7})
		w.peers[1].Disconnect()
		w.pass(3 * time.Hour)
		cuts := w.syncer.Status().CutOff
		if len(cuts) != 64 {
			t.Errorf("%d cuts, want 64", len(cuts))
		}
		for i := 1; i < len(cuts); i++ {
			if cuts[i].Time.Before(cuts[i-1].Time) {
				t.Fatal("not in order")
			}
		}
	})
}

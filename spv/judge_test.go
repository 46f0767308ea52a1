package spv_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// foundByItself has a Syncer know all peers from an earlier run, at block 50, and
// starts it without telling it of any.
func (w *world) foundByItself(b spvtest.Behaviour, c *spvtest.Chain) {
	w.t.Helper()
	for _, p := range w.peers {
		p.SetChain(c.Fork(50))
		p.SetBehaviour(spvtest.Behaviour{})
	}
	w.start()
	w.wait(spv.Settled)
	w.stop()
	for _, p := range w.peers {
		p.SetChain(c)
		p.SetBehaviour(b)
	}
	w.start(func(cfg *spv.Config) { cfg.Connect = nil })
}

// faults are ways in which a peer may not serve, for a while.
var faults = map[string]spvtest.Behaviour{
	"silent about headers": silent(wire.CmdGetHeaders),
	"silent about filters": silent(wire.CmdGetCFiltersV2),
	"silent about blocks":  silent(wire.CmdGetData),
	"without blocks":       {NotFound: true},
	"hangs up on headers":  {DropOn: map[string]bool{wire.CmdGetHeaders: true}},
	"hangs up on filters":  {DropOn: map[string]bool{wire.CmdGetCFiltersV2: true}},
	"hangs up on blocks":   {DropOn: map[string]bool{wire.CmdGetData: true}},
}

// Who is the last able to serve is asked again within seconds once it serves,
// over reconnections, however long it did not. No pause, no score and no memory
// of having been of no use outlasts that. What it was asked for last may have to
// time out first.
// Rule 23.
func TestTheLastPeerIsAskedAgain(t *testing.T) {
	c := paid(400)
	for fault, b := range faults {
		for _, discover := range []bool{false, true} {
			for _, reconnect := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, discovery %v, reconnect %v", fault, discover, reconnect), func(t *testing.T) {
					storyOn(t, c, func(w *world) {
						w.wallet.watch(0, watched)
						p := w.join(b)
						if discover {
							w.foundByItself(b, c)
						} else {
							w.start()
						}
						w.pass(7 * time.Minute)
						if st := w.syncer.Status(); st.Synced {
							t.Fatalf("there is no fault: %+v", st)
						}
						p.SetBehaviour(spvtest.Behaviour{})
						healed := time.Now()
						limit := 30 * time.Second
						if reconnect {
							p.Disconnect()
						} else {
							limit += 30 * time.Second
						}
						w.syncTo(c)
						if took := time.Since(healed); took > limit {
							t.Errorf("in sync %v after it serves: %+v", took, w.known(0).History)
						}
						w.wantMatches(c, 200, 400)
					})
				})
			}
		}
	}
}

// The same where others are connected that have nothing of what is missing: it is
// let in and asked again, beside them or in their place.
// Rules 22 and 23.
func TestTheLastAbleAmongOthersIsAskedAgain(t *testing.T) {
	c := paid(400)
	for fault, b := range faults {
		for _, discover := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, discovery %v", fault, discover), func(t *testing.T) {
				storyOn(t, c, func(w *world) {
					w.wallet.watch(0, watched)
					p := w.join(spvtest.Behaviour{})
					w.joinMany(2, spvtest.Behaviour{})
					useless := spvtest.Behaviour{NotFound: true, Silent: silentTo(wire.CmdGetHeaders, wire.CmdGetCFiltersV2)}
					if discover {
						w.foundByItself(useless, c)
					} else {
						for _, other := range w.peers[1:] {
							other.SetBehaviour(useless)
						}
						p.SetBehaviour(b) // before it can serve anything
						w.start()
					}
					p.SetBehaviour(b)
					w.pass(7 * time.Minute)
					if st := w.syncer.Status(); st.Synced {
						t.Fatalf("there is no fault: %+v", st)
					}
					p.SetBehaviour(spvtest.Behaviour{})
					healed := time.Now()
					w.syncTo(c)
					if took := time.Since(healed); took > 90*time.Second {
						t.Errorf("in sync %v after it serves: %+v", took, w.known(0).History)
					}
					w.wantMatches(c, 200, 400)
				})
			})
		}
	}
}

// A pause because of blocks ends when these leave the best chain, also if nothing
// else is to be fetched that could show it.
// Rule 23.
func TestPauseEndsWithItsBranch(t *testing.T) {
	c := paid(400)
	other := c.Fork(390)
	other.Mine(20)
	storyOn(t, c, func(w *world) {
		w.wallet.watch(395, watched)
		p := w.join(spvtest.Behaviour{NotFound: true})
		w.start()
		w.pass(time.Minute)
		if h := w.known(0).History; len(h) != 1 || h[0].Data != "blocks" || time.Until(h[0].Until) < time.Minute {
			t.Fatalf("no pause: %+v", h)
		}
		p.SetChain(other)
		p.Disconnect()
		w.syncTo(other)
		w.wantMatches(other)
		if h := w.known(0).History; h[0].Until.After(time.Now()) {
			t.Errorf("the pause goes on: %+v", h)
		}
	})
}

// Who is proved bad stays banned although nobody else is left, over a restart,
// and the status says that this is why.
// Rules 14 and 23.
func TestProvedBadStaysBanned(t *testing.T) {
	for _, discover := range []bool{false, true} {
		story(t, 400, func(w *world) {
			p := w.join(spvtest.Behaviour{})
			liar := spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped}
			if discover {
				w.foundByItself(liar, w.chain)
			} else {
				p.SetBehaviour(liar)
				w.start()
			}
			w.pass(time.Minute)
			n := p.Connections()
			p.SetBehaviour(spvtest.Behaviour{})
			for restart := range 2 {
				w.pass(time.Hour)
				st := w.syncer.Status()
				if p.Connections() != n || st.Phase != spv.Connecting {
					t.Fatalf("connected again: %+v", st)
				}
				for _, part := range []string{"banned", w.addrs[0], w.known(0).BannedUntil.UTC().Format(time.DateTime), "filter does not match its header"} {
					if !strings.Contains(st.Reason, part) {
						t.Errorf("discovery %v, restart %d: %q does not say %q", discover, restart, st.Reason, part)
					}
				}
				w.stop()
				w.start(func(cfg *spv.Config) {
					if discover {
						cfg.Connect = nil
					}
				})
			}
			w.pass(time.Minute)
			if err := w.syncer.UnbanPeer(w.t.Context(), w.addrs[0]); err != nil {
				t.Fatal(err)
			}
			w.syncTo(w.chain)
		})
	}
}

// A ban by hand is named too.
// Rule 23.
func TestBannedByHandIsSaid(t *testing.T) {
	story(t, 100, func(w *world) {
		w.join(spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		if err := w.syncer.BanPeer(w.t.Context(), "10.0.0.1"); err != nil {
			t.Fatal(err)
		}
		w.pass(0)
		if st := w.syncer.Status(); !strings.Contains(st.Reason, "by the operator") {
			t.Errorf("%+v", st)
		}
	})
}

package spv_test

import (
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// clockSteps are by how much a clock is wrong, or set. The tip is an hour old.
var clockSteps = []time.Duration{
	time.Second, time.Minute, 2 * time.Hour, day, 30 * day, year, 10 * year,
	-time.Second, -time.Minute, -2 * time.Hour, -day, -30 * day, -year, -10 * year,
}

// allowed reports whether blocks of an hour ago are not too early for a clock that is
// wrong by so much.
func allowed(wrong time.Duration) bool { return wrong >= -3*time.Hour }

// clockStory is a network with a schedule, in which nothing but our clock is wrong.
type clockStory struct {
	*world
	discover bool
}

// clockRun has fn run in it, with peers that are given or found.
func clockRun(t *testing.T, discover bool, fn func(*clockStory)) {
	params := chaincfg.SimNetParams()
	params.Net = 0x5ced01e5
	c := spvtest.NewChain(params)
	c.Mine(200)
	storyOn(t, c, func(w *world) {
		s := &clockStory{w, discover}
		b := spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 50 * time.Millisecond}
		if !discover {
			w.joinMany(4, b)
		} else {
			book := addrbook.Open(w.dir, nil)
			for range 12 {
				w.heardOf(book, spvtest.NewPeer(c, b))
			}
			if err := book.Close(); err != nil {
				t.Fatal(err)
			}
		}
		fn(s)
	})
}

func (s *clockStory) begin() {
	s.start(func(cfg *spv.Config) {
		cfg.Params = s.chain.Rules().Params()
		if s.discover {
			cfg.Connect = nil
		}
	})
}

func (s *clockStory) set(wrong time.Duration) { s.setBy.Store(int64(wrong)) }

// live lets time pass. All the while it is not in sync with blocks missing, nor with a
// tip that is older than it seems without a word about that.
func (s *clockStory) live(d time.Duration) spv.Status {
	s.t.Helper()
	for began := time.Now(); time.Since(began) < d; s.pass(100 * time.Millisecond) {
		st := s.syncer.Status()
		if st.Synced && st.Tip.Hash != s.chain.Tip().Hash {
			s.t.Fatalf("in sync with blocks missing: %+v", st)
		}
		old := time.Since(st.Tip.Time)+time.Duration(s.setBy.Load()) >= day
		if said := strings.Contains(st.OldTip.Cause, "old by this computer's clock"); st.Synced && time.Since(began) > 35*time.Second && said != old {
			s.t.Fatalf("old: %v, said: %+v", old, st.OldTip)
		}
	}
	return s.syncer.Status()
}

// mine makes a block and has it announced, which takes a moment.
func (s *clockStory) mine() {
	c := s.chain.Fork(s.chain.Height())
	c.Mine(1)
	s.chain = c
	s.mineOn(c)
	s.pass(300 * time.Millisecond)
}

// wantSynced checks that everything is in sync after some time; wrong is that nothing
// can be, and that the reason is said.
func (s *clockStory) wantSynced(within time.Duration, wrong time.Duration) {
	s.t.Helper()
	st := s.live(within)
	switch {
	case !allowed(wrong):
		s.behindClock()
	case !st.Synced:
		s.t.Fatalf("not in sync after %v: %+v", within, st)
	}
}

// end is what happened to the peers: how many connections there were. Nobody was
// punished.
func (s *clockStory) end() (connections int) {
	s.t.Helper()
	known, err := s.syncer.Peers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range known {
		if p.BanScore != 0 || !p.BannedUntil.IsZero() {
			s.t.Errorf("punished: %+v", p)
		}
	}
	for _, p := range s.peers {
		connections += p.Connections()
	}
	return connections
}

// byClock runs a story for each way to have peers, without and with each step; the number of
// connections has to be the same, or as many as chance may make of it. While it is not in
// sync for long it looks for somebody faster, one every ten seconds.
func byClock(t *testing.T, fn func(s *clockStory, wrong time.Duration)) {
	for name, discover := range map[string]bool{"given": false, "found": true} {
		t.Run(name, func(t *testing.T) {
			usual := 0
			for _, wrong := range append([]time.Duration{0}, clockSteps...) {
				t.Run(wrong.String(), func(t *testing.T) {
					clockRun(t, discover, func(s *clockStory) {
						fn(s, wrong)
						n := s.end()
						if wrong == 0 {
							usual = n
						}
						most := usual + 1
						if discover && !allowed(wrong) {
							most += int(80 * time.Second / (10 * time.Second))
						}
						if n > most || n < usual-1 {
							t.Errorf("%d connections, %d without that", n, usual)
						}
					})
				})
			}
		})
	}
}

// TestClockStepsAtTheStart: a clock that is wrong from the beginning by whatever it is,
// and then set right.
// Rule 24.
func TestClockStepsAtTheStart(t *testing.T) {
	byClock(t, func(s *clockStory, wrong time.Duration) {
		s.set(wrong)
		s.begin()
		s.wantSynced(20*time.Second, wrong)
		s.live(time.Minute)
		s.set(0)
		s.wantSynced(20*time.Second, 0)
		s.mine()
		s.wantSynced(2*time.Second, 0)
	})
}

// TestClockStepsWhileRunning: a clock that is set by whatever it is while everything is
// in sync, and back again later. Blocks that come meanwhile are taken, or it is said why
// not, until they can be.
// Rule 24.
func TestClockStepsWhileRunning(t *testing.T) {
	byClock(t, func(s *clockStory, wrong time.Duration) {
		s.begin()
		s.wantSynced(20*time.Second, 0)
		s.live(2 * time.Minute)
		s.set(wrong)
		s.wantSynced(2*time.Second, 0)
		s.live(7 * time.Minute) // strangers are tried after five without a block
		s.mine()
		s.wantSynced(2*time.Second, wrong)
		s.live(time.Minute)
		s.set(0)
		s.wantSynced(20*time.Second, 0)
		s.mine()
		s.wantSynced(2*time.Second, 0)
		s.live(time.Minute)
	})
}

// TestLiarsAboutTheTime: whatever seven of eight peers say that the time is, they make
// nobody out of sync with a clock that is right, nor in sync with one that is behind, nor
// keep it from being said that the tip is old for one that is ahead.
// Rules 22 and 24.
func TestLiarsAboutTheTime(t *testing.T) {
	for _, ours := range []time.Duration{0, -day, 30 * day} {
		for _, theirs := range []time.Duration{0, -3 * time.Hour, 3 * time.Hour, -year, year, -day, 30 * day} {
			clockRun(t, false, func(s *clockStory) {
				for range 7 {
					s.join(spvtest.Behaviour{ClockAhead: theirs})
				}
				s.peers, s.addrs = s.peers[3:], s.addrs[3:] // one of those that are honest is left
				s.set(ours)
				s.begin()
				s.wantSynced(40*time.Second, ours)
				if st := s.syncer.Status(); allowed(ours) && (!st.Trouble.IsZero() || st.OldTip.IsZero() == (ours > 0)) {
					t.Errorf("%v, and %v by the others: %+v", ours, theirs, st)
				}
				s.mine()
				s.wantSynced(2*time.Second, ours)
				s.end()
			})
		}
	}
}

// TestAfterSleep: when the machine slept, which nothing but the clock tells, connections
// that do not stand any more are made anew within seconds, and until somebody is there for
// certain it is not in sync.
// Rule 24.
func TestAfterSleep(t *testing.T) {
	for dead := range 4 {
		story(t, 200, func(w *world) {
			w.joinMany(3, spvtest.Behaviour{Latency: 50 * time.Millisecond})
			w.start()
			w.wait(spv.Settled)
			w.pass(time.Minute + 10*time.Second) // no ping is under way
			for _, p := range w.peers[:dead] {
				p.SetBehaviour(spvtest.Behaviour{Silent: map[string]bool{wire.CmdPing: true}})
			}
			w.setBy.Store(int64(8 * time.Hour))
			w.while(func(st spv.Status) bool { return st.Synced })
			woke := time.Now()
			w.sync()
			if took := time.Since(woke); dead < 3 && took > 200*time.Millisecond || took > 6*time.Second {
				t.Errorf("%d of 3 dead: in sync after %v", dead, took)
			}
			w.pass(6*time.Second - time.Since(woke))
			for i, p := range w.peers {
				want := 1
				if i < dead {
					want = 2
				}
				if n := p.Connections(); n != want || len(p.Clients()) != 1 || w.known(i).Score < 50 {
					t.Errorf("%d of 3 dead: %d connections to peer %d, %+v", dead, n, i, w.known(i))
				}
			}
		})
	}
}

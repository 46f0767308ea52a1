package spv_test

import (
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// behindClock checks that the Syncer is not in sync, and says that it is because of the
// clock.
func (w *world) behindClock() spv.Status {
	w.t.Helper()
	st := w.syncer.Status()
	if st.Synced || !strings.Contains(st.Reason, "ahead of this computer's clock") || st.Trouble.Remedy == "" {
		w.t.Fatalf("%+v", st)
	}
	return st
}

// TestClockBehindAtTheStart: with blocks that our clock does not allow yet we are not in
// sync, whoever serves them is not to blame, and they are taken once it does.
// Rule 24.
func TestClockBehindAtTheStart(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"a little": 2*time.Hour + time.Minute, "much": 130 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			story(t, 200, func(w *world) {
				c := w.chain.Fork(200)
				c.Mine(int(time.Since(c.Time()).Seconds() + ahead.Seconds()))
				w.chain = c
				w.joinMany(3, spvtest.Behaviour{})
				w.start()
				w.pass(20 * time.Second)
				if st := w.behindClock(); st.Tip.Time.After(time.Now().Add(2*time.Hour)) || st.Tip.Height < 200 {
					t.Fatalf("%+v", st)
				}
				w.pass(time.Until(c.Time().Add(-2*time.Hour - time.Second)))
				w.behindClock()
				w.pass(25 * time.Second)
				if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != c.Tip().Hash || !st.Trouble.IsZero() {
					t.Fatalf("%+v", st)
				}
				for i := range w.peers {
					if p := w.known(i); p.BanScore != 0 || p.Score < 0 {
						t.Errorf("%+v", p)
					}
				}
			})
		})
	}
}

// TestClockCatchesUp: when the clock has come to the next block we are not in sync until
// that is there, not for the moment of asking for it either.
// Rule 24.
func TestClockCatchesUp(t *testing.T) {
	for name, running := range map[string]bool{"at the start": false, "while running": true} {
		t.Run(name, func(t *testing.T) {
			story(t, 200, func(w *world) {
				c := w.chain.Fork(200)
				c.MineTemplate(spvtest.Template{Time: time.Now().Add(2*time.Hour + 10*time.Minute)})
				if !running {
					w.chain = c
				}
				w.joinMany(3, spvtest.Behaviour{Latency: 300 * time.Millisecond})
				w.start()
				if running {
					w.wait(spv.Settled)
					w.mineOn(c)
				}
				w.pass(20 * time.Second)
				w.behindClock()
				for began := time.Now(); ; w.pass(100 * time.Millisecond) {
					st := w.syncer.Status()
					switch {
					case st.Tip.Hash == c.Tip().Hash && st.Synced:
						return
					case st.Synced, time.Since(began) > 11*time.Minute:
						w.t.Fatalf("%+v", st)
					}
				}
			})
		})
	}
}

// TestClockSetBack: a clock that is set back while running is no reason to leave the
// chain, nor to call it complete.
// Rule 24.
func TestClockSetBack(t *testing.T) {
	story(t, 200, func(w *world) {
		w.joinMany(3, spvtest.Behaviour{})
		w.start()
		w.wait(spv.Settled)
		c := w.chain.Fork(200)
		c.Mine(3*3600 + 600) // as if it was set back by as much, less the hour it stands ahead
		w.mineOn(c)
		w.pass(20 * time.Second)
		w.behindClock()
		w.pass(11 * time.Minute)
		if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != c.Tip().Hash {
			t.Fatalf("%+v", st)
		}
		c = c.Fork(c.Height())
		c.Mine(1)
		w.mineOn(c)
		w.pass(time.Second)
		if st := w.syncer.Status(); st.Tip.Hash != c.Tip().Hash {
			t.Fatalf("%+v", st)
		}
	})
}

// TestFutureBlockIsOvertaken: who mines one block of the wrong time holds us up until
// the others have done more work, and no longer.
// Rules 22 and 24.
func TestFutureBlockIsOvertaken(t *testing.T) {
	story(t, 200, func(w *world) {
		liar := w.chain.Fork(200)
		liar.MineTemplate(spvtest.Template{Time: time.Now().Add(48 * time.Hour)})
		w.joinMany(2, spvtest.Behaviour{})
		w.joinWith(liar, spvtest.Behaviour{})
		w.start()
		w.pass(20 * time.Second)
		w.behindClock()
		c := w.chain.Fork(200)
		c.Mine(1)
		for _, p := range w.peers[:2] {
			p.SetChain(c)
		}
		w.pass(20 * time.Second)
		if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != c.Tip().Hash {
			t.Fatalf("%+v", st)
		}
	})
}

// TestFutureBlockThatNobodyHas: a block that was too early and that nobody has any more
// when it is not is given up.
func TestFutureBlockThatNobodyHas(t *testing.T) {
	story(t, 200, func(w *world) {
		gone := w.chain.Fork(200)
		gone.MineTemplate(spvtest.Template{Time: time.Now().Add(2*time.Hour + 10*time.Minute)})
		w.joinMany(2, spvtest.Behaviour{})
		liar := w.joinWith(gone, spvtest.Behaviour{})
		w.start()
		w.pass(20 * time.Second)
		liar.SetChain(w.chain)
		w.behindClock()
		w.pass(9 * time.Minute)
		w.behindClock()
		w.pass(90 * time.Second)
		if st := w.syncer.Status(); !st.Synced || st.Tip.Hash != w.chain.Tip().Hash {
			t.Fatalf("%+v", st)
		}
	})
}

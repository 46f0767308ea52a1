package spv_test

import (
	"sync"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// walker claims a million blocks and answers each getheaders, slowly, with the
// next 2000 headers that we have already; before it is at the end it hangs up and
// begins again.
func walker(w *world, delay time.Duration) spvtest.Behaviour {
	var mu sync.Mutex
	pos := make(map[*spvtest.Client]uint32)
	b := hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
		mu.Lock()
		at := pos[c]
		pos[c] = at + 2000
		mu.Unlock()
		if at+2000 > w.chain.Height() {
			c.Close()
			return
		}
		headers := w.chain.Headers(at+1, at+2000)
		time.AfterFunc(delay, func() { c.Send(headers) })
	})
	b.AdvertisedHeight = 1_000_000
	return b
}

// Who claims a million blocks and delivers known ones, just in time, ever again,
// keeps nobody from being in sync or from following.
// Rule 22.
func TestKnownHeadersKeepNoClaimAlive(t *testing.T) {
	for _, delay := range []time.Duration{400 * time.Millisecond, 9 * time.Second, 14 * time.Second} {
		for _, joins := range []bool{false, true} {
			story(t, 41_000, func(w *world) {
				w.joinMany(7, spvtest.Behaviour{Latency: 50 * time.Millisecond})
				b := walker(w, delay)
				b.RefuseConnections = joins
				late := w.join(b)
				w.start()
				if joins {
					w.sync()
					w.pass(time.Minute)
					late.Refuse(false)
				}
				began := time.Now()
				w.walkFor(5*time.Minute+50*delay, began, delay, joins)
			})
		}
	}
}

// walkFor lets time pass, with a block now and then, and checks that the Syncer is
// in sync nearly all the time and has each block's filter within seconds.
func (w *world) walkFor(d time.Duration, began time.Time, delay time.Duration, joins bool) {
	w.t.Helper()
	first, unsynced := time.Duration(-1), 0
	var mined time.Time
	for time.Since(began) < d {
		w.pass(time.Second)
		st := w.syncer.Status()
		switch {
		case !st.Synced:
			unsynced++
		case first < 0:
			first = time.Since(began)
		}
		if int(time.Since(began).Seconds())%300 == 299 {
			w.chain.Mine(1)
			for _, p := range w.peers[:7] {
				p.SetChain(w.chain)
			}
			mined = time.Now()
		}
		if !mined.IsZero() && time.Since(mined) >= 5*time.Second && st.Filters.Through != w.chain.Height() {
			w.t.Fatalf("delay %v, joins %v: block %d, mined %v ago, has no filter yet", delay, joins, w.chain.Height(), time.Since(mined))
		}
	}
	if first < 0 || first > 15*time.Second {
		w.t.Errorf("delay %v, joins %v: in sync after %v", delay, joins, first)
	}
	if unsynced > int(d.Seconds())/15 {
		w.t.Errorf("delay %v, joins %v: not in sync %d seconds of %v", delay, joins, unsynced, d)
	}
}

// A peer that delivers everything, ever slower, holds up the sync by no more
// than the answers that it takes to show that.
// Rule 22.
func TestSlowDeliveryIsNoPrivilege(t *testing.T) {
	took := make(map[bool]time.Duration)
	for _, attacked := range []bool{false, true} {
		story(t, 60_000, func(w *world) {
			b := spvtest.Behaviour{Latency: 20 * time.Millisecond}
			if attacked {
				b = slower(w)
			}
			w.join(b)
			w.joinMany(7, spvtest.Behaviour{Latency: 20 * time.Millisecond, DialLatency: 50 * time.Millisecond})
			began := time.Now()
			w.start()
			w.sync()
			took[attacked] = time.Since(began)
		})
	}
	if took[true] > 2*took[false] {
		t.Errorf("in sync after %v, without the slow peer after %v", took[true], took[false])
	}
}

// slower answers getheaders ever more slowly, always in seven times the average of
// its answers so far.
func slower(w *world) spvtest.Behaviour {
	var mu sync.Mutex
	delay, average := 100*time.Millisecond, 0.0
	return hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
		at, _ := w.chain.HeightOf(*m.BlockLocatorHashes[0])
		mu.Lock()
		d := delay
		average = (4*average + float64(d)) / 5
		delay = min(max(time.Duration(7*average), 230*time.Millisecond), 14900*time.Millisecond)
		mu.Unlock()
		headers := w.chain.Headers(at+1, min(at+2000, w.chain.Height()))
		time.AfterFunc(d, func() { c.Send(headers) })
	})
}

// However many peers shake hands and then say nothing, the one that answers is
// found within seconds.
// Rule 22.
func TestSilentPeersCostSeconds(t *testing.T) {
	for _, n := range []int{7, 15, 30, 63} {
		story(t, 20_000, func(w *world) {
			w.joinMany(n, spvtest.Behaviour{Silent: map[string]bool{wire.CmdGetHeaders: true, wire.CmdGetCFiltersV2: true, wire.CmdGetData: true}})
			w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 100 * time.Millisecond})
			began := time.Now()
			w.start(func(cfg *spv.Config) { cfg.MaxPeers = n + 1 })
			w.while(func(st spv.Status) bool { return st.Filters.Through < 20_000 })
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("%d silent peers: all filters after %v", n, took)
			}
			w.sync()
			if took := time.Since(began); took > 16*time.Second {
				t.Errorf("%d silent peers: synced after %v", n, took)
			}
		})
	}
}

// The only peer says once that it does not have a block. It is asked again
// within seconds.
// Rule 23.
func TestOnlySourceOfBlocksIsAskedAgain(t *testing.T) {
	storyOn(t, paid(3000), func(w *world) {
		w.wallet.watch(0, watched)
		var once sync.Once
		w.join(spvtest.Behaviour{Hook: func(c *spvtest.Client, msg wire.Message) (handled bool) {
			if m, ok := msg.(*wire.MsgGetData); ok {
				once.Do(func() {
					handled = true
					missing := wire.NewMsgNotFound()
					for _, inv := range m.InvList {
						missing.AddInvVect(inv)
					}
					c.Send(missing)
				})
			}
			return handled
		}})
		began := time.Now()
		w.start()
		w.sync()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("synced after %v", took)
		}
		w.wantUnpunished(0)
	})
}

// A reorg of any depth while filters of the old branch are being fetched from the
// only peer costs seconds, even if all that it can be asked at a time is of the
// old branch.
// Rules 8 and 23.
func TestReorgDuringFiltersOfTheOnlyPeer(t *testing.T) {
	for _, depth := range []uint32{1, 20, 700, 9000} {
		story(t, 20_000, func(w *world) {
			w.join(spvtest.Behaviour{NoAnnounce: true, Latency: 100 * time.Millisecond})
			w.start()
			w.while(func(st spv.Status) bool { return st.Phase != spv.Filters })
			w.pass(300 * time.Millisecond) // many requests are under way
			branch := w.chain.Fork(20_000 - depth)
			branch.Mine(int(depth) + 5)
			w.mineOn(branch)
			began := time.Now()
			w.syncTo(branch)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("a reorg of %d: in sync after %v", depth, took)
			}
			w.wantUnpunished(0)
		})
	}
}

// Whether the last filters are asked for depends on the headers that we have,
// not on what somebody claims.
// Rule 22.
func TestBoastsHoldUpNoFilters(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.joinMany(7, spvtest.Behaviour{AdvertisedHeight: 1_000_000, Silent: map[string]bool{wire.CmdGetHeaders: true}})
		w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 100 * time.Millisecond})
		began := time.Now()
		w.start()
		w.while(func(st spv.Status) bool { return st.Filters.Through < 3000 })
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("all filters after %v", took)
		}
	})
}

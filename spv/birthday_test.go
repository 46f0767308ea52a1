package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// lateWallet takes its time to tell its birthday.
type lateWallet struct{ *memoryWallet }

func (l lateWallet) Birthday() (uint32, bool) {
	time.Sleep(time.Second)
	return l.memoryWallet.Birthday()
}

// Until a wallet has told its birthday no filter is fetched: the first could be below
// it.
// Rule 15.
func TestBirthdayIsWaitedFor(t *testing.T) {
	story(t, 3000, func(w *world) {
		w.wallet.watch(2500, watched)
		<-w.wallet.changed // it has not changed since it is asked first
		p := w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Wallets = []spv.Wallet{lateWallet{w.wallet}} })
		w.pass(time.Second - 1)
		if n := p.FiltersRequested(); n != 0 {
			w.t.Errorf("%d filters were asked for before the birthday was known", n)
		}
		w.sync()
		if n := p.FiltersRequested(); n != 501 {
			w.t.Errorf("%d filters were asked for, want the 501 from the birthday on", n)
		}
	})
}

// A birthday above the tip, of a wallet or given, leaves nothing to fetch or to test:
// that is in sync, and what comes from there on is tested.
// Rule 15.
func TestBirthdayAboveTheTip(t *testing.T) {
	story(t, 50, func(w *world) {
		w.wallet.watch(60, watched)
		p := w.join(spvtest.Behaviour{})
		w.start(func(cfg *spv.Config) { cfg.Birthday = new(uint32(70)) })
		if st := w.wait(spv.Settled); st.Filters.Any || st.Scanned.Any || st.Unscanned != 0 {
			t.Errorf("%+v", st)
		}
		if n := p.FiltersRequested(); n != 0 {
			t.Errorf("%d filters were asked for below the birthday", n)
		}
		c := w.chain.Fork(50)
		c.Mine(12)
		c.MineBlock(c.Pay(watched, 1e8))
		p.SetChain(c)
		w.syncTo(c)
		w.wantMatches(c, 63)
	})
}

// That a wallet is asked again, because somebody waits or because it has changed, calls
// off nothing that is under way: of the copy each filter is asked for once.
func TestAskingAWalletDisturbsNoCopy(t *testing.T) {
	setStory(t, func(w *world) {
		w.join(liar(850))
		honest := w.join(spvtest.Behaviour{Latency: time.Second, RefuseConnections: true})
		w.startSet()
		w.waitWrong()
		honest.Refuse(false)
		w.while(func(spv.Status) bool { return honest.FilterRequests(500) == 0 })
		w.sync() // has the wallet asked again
		for h := uint32(1); h < activation; h++ {
			if n := honest.FilterRequests(h); n != 1 && h/100 != 8 {
				w.t.Fatalf("filter %d was asked for %d times, want once", h, n)
			}
		}
		w.wantRight(0)
	})
}

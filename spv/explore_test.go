package spv_test

import (
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// dawdler claims a million blocks and answers each getheaders after a while with
// no more than so many headers.
func dawdler(w *world, most uint32, delay time.Duration) spvtest.Behaviour {
	b := hooked(func(c *spvtest.Client, m *wire.MsgGetHeaders) {
		at, _ := w.chain.HeightOf(*m.BlockLocatorHashes[0])
		headers := w.chain.Headers(at+1, min(at+most, w.chain.Height()))
		time.AfterFunc(delay, func() { c.Send(headers) })
	})
	b.AdvertisedHeight = 1_000_000
	return b
}

// Rule 22: however many peers give a little at a time, or much slowly, the one
// that does not is found within seconds.
func TestDawdlersAreTriedTogether(t *testing.T) {
	for _, c := range []struct {
		most  uint32
		delay time.Duration
	}{
		{1, 450 * time.Millisecond},
		{100, 450 * time.Millisecond},
		{1999, 1800 * time.Millisecond},
		{2000, 1800 * time.Millisecond},
	} {
		story(t, 20_000, func(w *world) {
			for range 63 {
				w.join(dawdler(w, c.most, c.delay))
			}
			w.join(spvtest.Behaviour{Latency: 50 * time.Millisecond, DialLatency: 300 * time.Millisecond})
			began := time.Now()
			w.start(func(cfg *spv.Config) { cfg.MaxPeers = 64 })
			w.while(func(st spv.Status) bool { return st.Filters.Through < 20_000 })
			took := time.Since(began)
			t.Logf("%d headers after %v: all filters after %v", c.most, c.delay, took)
			if took > 8*time.Second {
				t.Errorf("%d headers after %v: all filters after %v", c.most, c.delay, took)
			}
		})
	}
}

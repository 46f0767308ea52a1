package spv

import (
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/spvtest"
)

// Who is asked on because it may be on another branch has to show new headers, or to
// have been asked not long ago because nobody delivers. Nobody is asked on for as long
// as it likes to tell what everybody knows.
// Rule 22.
func TestKnownHeadersAreAskedForNoLonger(t *testing.T) {
	c := spvtest.NewChain(nil)
	c.Mine(3000)
	for name, test := range map[string]struct {
		known, failed bool
		rechecked     time.Duration // ago
		on            bool
	}{
		"new ones":                        {false, true, time.Hour, true},
		"known ones":                      {true, true, time.Hour, false},
		"known ones, after a recheck":     {true, true, recheckPause - 1, true},
		"known ones, long after it":       {true, true, recheckPause, false},
		"known ones, and its claim lasts": {true, false, time.Hour, false}, // its claim is the reason
	} {
		e, sessions := stillEngine(t, 0, 1_000_000)
		s := sessions[0]
		e.now = c.Time().Add(time.Hour)
		e.network.tip.Store(0)
		span := func(from, to uint32) chain.Batch {
			var headers []chain.Header
			for h := from; h <= to; h++ {
				headers = append(headers, c.Header(h))
			}
			batch, err := e.rules.Check(headers)
			if err != nil {
				t.Fatal(err)
			}
			return batch
		}
		if test.known {
			for _, from := range []uint32{1, 2001} {
				if _, err := e.chain.Add(span(from, min(from+1999, 3000)), e.now); err != nil {
					t.Fatal(err)
				}
			}
		}
		if test.failed {
			e.registry.ClaimFailed(s.addr, e.now)
		}
		s.recheck.decided(e.now.Add(-test.rechecked))
		e.takeHeaders(&headerRequest{s: s, since: e.now}, span(1, 2000), 2000)
		if s.recheck.wanted != test.on {
			t.Errorf("%s: asked on: %v", name, s.recheck.wanted)
		}
	}
}

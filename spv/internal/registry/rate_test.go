package registry

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	type answer struct {
		at, took time.Duration
		bytes    int
	}
	const s = time.Second
	for name, c := range map[string]struct {
		answers []answer
		want    bool // the last one makes the verdict
	}{
		"just fast enough":                {[]answer{{30 * s, 30 * s, 30 * rateMin}}, false},
		"just too slow":                   {[]answer{{30 * s, 30 * s, 30*rateMin - 1}}, true},
		"not long enough":                 {[]answer{{30*s - 1, 30*s - 1, 0}}, false},
		"one long answer":                 {[]answer{{100 * s, 100 * s, 100 * 2000}}, true},
		"several add up":                  {[]answer{{10 * s, 10 * s, 9999}, {20 * s, 10 * s, 9999}, {30 * s, 10 * s, 9999}}, true},
		"pauses don't count":              {[]answer{{10 * s, 10 * s, 0}, {1000 * s, 10 * s, 0}, {2000 * s, 9 * s, 0}}, false},
		"pauses don't count, enough":      {[]answer{{10 * s, 10 * s, 0}, {1000 * s, 10 * s, 0}, {2000 * s, 10 * s, 0}}, true},
		"at the same time, counted once":  {[]answer{{15 * s, 15 * s, 0}, {15 * s, 15 * s, 0}, {29 * s, 14 * s, 0}}, false},
		"at the same time, rates add up":  {[]answer{{29 * s, 29 * s, 15 * rateMin}, {30 * s, 30 * s, 15 * rateMin}}, false},
		"begun before the others":         {[]answer{{20 * s, 10 * s, 0}, {31 * s, 31 * s, 0}}, true},
		"prompt, however small":           {[]answer{{29 * s, 29 * s, 0}, {30 * s, s, 10}, {31 * s, 2 * s, 0}}, false},
		"no time at all":                  {[]answer{{0, 0, 0}, {0, 0, 100}}, false},
		"a fast time and then a slow one": {[]answer{{31 * s, 31 * s, 1 << 20}, {62 * s, 31 * s, 9999}}, true},
	} {
		var m rate
		got := false
		for i, a := range c.answers {
			if got = m.add(a.bytes, a.took, t0.Add(a.at)); got && i != len(c.answers)-1 {
				t.Errorf("%s: slow at answer %d", name, i)
			}
		}
		if got != c.want {
			t.Errorf("%s: slow %v", name, got)
		}
	}
}

// The pauses of a slow peer: per kind, twice as long each time in a row, and no
// success ends them.
// Rule 14.
func TestSlowPeersRest(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	now := t0
	crawl := func(bytes int) {
		now = now.Add(40 * time.Second)
		r.Delivered(addrA, Filters, bytes, 40*time.Second, now)
		r.Success(addrA, Filters, time.Second, now)
	}
	for _, pause := range []time.Duration{30, 60, 120, 240, 300, 300} {
		pause *= time.Second
		crawl(1000)
		for _, at := range []time.Duration{0, pause - 1} {
			wantAddrs(t, r.Serving(Filters, 100, now.Add(at)), addrB)
		}
		if got := r.Serving(Filters, 100, now.Add(pause)); len(got) != 2 {
			t.Errorf("still resting after %v", pause)
		}
		if got := r.Serving(Blocks, 100, now); len(got) != 2 {
			t.Error("not asked for blocks because filters came slowly")
		}
		now = now.Add(pause)
	}
	crawl(1 << 20)
	if got := r.Serving(Filters, 100, now); len(got) != 2 {
		t.Error("rests although it was fast")
	}
	crawl(1000)
	if got := r.Serving(Filters, 100, now.Add(30*time.Second)); len(got) != 2 {
		t.Error("the pauses do not start over after a fast time")
	}
	r.Reset(addrA)
	if got := r.Serving(Filters, 100, now); len(got) != 2 {
		t.Error("a reset does not end the pause")
	}
	crawl(1000)
	if got := r.Serving(Filters, 100, now.Add(30*time.Second)); len(got) != 2 {
		t.Error("a reset does not start the pauses over")
	}
	if got := r.score(r.peers[addrA], now); got < scoreFloor {
		t.Errorf("score %v: what it sent was right", got)
	}
}

// Slow is better than nobody.
// Rule 23.
func TestTheOnlyPeerMayBeSlow(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectOne(t, r, addrA, 100)
	r.Delivered(addrA, Blocks, 1, time.Minute, t0)
	wantAddrs(t, r.Serving(Blocks, 100, t0), addrA)
	connectOne(t, r, addrB, 100)
	r.Incomplete(addrB, Blocks, errFault, t0)
	r.Delivered(addrA, Blocks, 1, time.Minute, t0)
	wantAddrs(t, r.Serving(Blocks, 100, t0), addrA)
	r.Ban(addrB, t0)
	r.Delivered(addrA, Filters, 1, time.Minute, t0)
	wantAddrs(t, r.Serving(Filters, 100, t0), addrA)
}

func TestHeadersAreNotMeasured(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	for range 10 {
		r.Delivered(addrA, Headers, 1, time.Minute, t0)
	}
	if got := r.Serving(Headers, 100, t0); len(got) != 2 {
		t.Errorf("only %v are asked", got)
	}
	r.Delivered("192.0.2.77:1", Filters, 1, time.Minute, t0) // a stranger
	if r.Len() != 2 {
		t.Error("a stranger is known now")
	}
}

// A slow peer that has become quick is asked again.
// Rule 23.
func TestQuickAnswerEndsThePauseOfASlowPeer(t *testing.T) {
	r := fixture(t, Options{}, addrA, addrB)
	connectAll(t, r, 100)
	r.Delivered(addrA, Filters, 1000, 40*time.Second, t0)
	r.Delivered(addrA, Blocks, 1000, time.Second, t0)
	r.Delivered(addrA, Filters, 1000, rateFree, t0)
	wantAddrs(t, r.Serving(Filters, 100, t0), addrB)
	r.Delivered(addrA, Filters, 1000, rateFree-1, t0)
	if got := r.Serving(Filters, 100, t0); len(got) != 2 {
		t.Errorf("only %v are asked", got)
	}
}

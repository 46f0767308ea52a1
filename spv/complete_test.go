package spv

import (
	"testing"
	"time"

	"dcrspv/spv/chain"
)

// The end of the headers is put off by a request that may bring new ones, for as long
// as it is not late, and not by one at a peer that walks through known ones.
// Rule 22.
func TestWhoWalksIsNotWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		from          uint32
		walking, late bool
		complete      bool
	}{
		"at the tip":                {100, false, false, false},
		"at the tip, late":          {100, false, true, true},
		"through known ones":        {50, true, false, true},
		"on a branch":               {50, false, false, false},
		"beyond what is known":      {100, true, false, false},
		"through known ones, late":  {50, true, true, true},
		"on a branch that it keeps": {99, false, true, true},
	} {
		e, sessions := stillEngine(t, 100, 100, 1000)
		e.headers.grown = e.now
		e.network.discover, e.network.firstPeer = true, e.now.Add(-time.Hour)
		s := sessions[1]
		s.peer = stillSource{}
		s.headers.asked, s.chain.walking = true, c.walking
		s.headers.request = &headerRequest{s: s, since: e.now, from: chain.BlockID{Height: c.from}, late: c.late}
		e.headers.requests = headerRequests{s.headers.request}
		if got := e.headersComplete(); got != c.complete {
			t.Errorf("%s: complete %v", name, got)
		}
	}
}

// Who joins is waited for until some seconds after the last header, and then no more:
// nobody puts off the end by coming back.
// Rule 22.
func TestJoinersAreWaitedForOnce(t *testing.T) {
	for after, complete := range map[time.Duration]bool{0: false, joinedPatience - 1: false, joinedPatience: true, time.Hour: true} {
		for _, asked := range []bool{false, true} {
			e, sessions := stillEngine(t, 100, 100, 1000)
			e.headers.grown = e.now.Add(-2 * time.Hour)
			e.network.discover, e.network.firstPeer = true, e.now.Add(-2*time.Hour)
			s := sessions[1]
			s.peer = stillSource{}
			s.since = e.headers.grown.Add(after)
			if asked {
				s.headers.asked, s.headers.request = true, &headerRequest{s: s, since: e.now, from: e.chain.Tip()}
				e.headers.requests = headerRequests{s.headers.request}
			}
			if got := e.headersComplete(); got != complete {
				t.Errorf("joined %v after the last header, asked %v: complete %v", after, asked, got)
			}
		}
	}
}

// Before the first header they are waited for as well, from the first peer on: that one
// has answered, with nothing, is not the end.
func TestJoinersAreWaitedForFromTheFirstPeerOn(t *testing.T) {
	for after, complete := range map[time.Duration]bool{0: false, joinedPatience - 1: false, joinedPatience: true} {
		e, sessions := stillEngine(t, 100, 1000, 1000)
		e.network.discover, e.network.firstPeer = true, e.now.Add(-2*time.Hour)
		sessions[0].chain.answered = true
		sessions[0].headers.asked = true
		sessions[1].since = e.network.firstPeer.Add(after)
		if got := e.headersComplete(); got != complete {
			t.Errorf("joined %v after the first peer: complete %v", after, got)
		}
	}
}

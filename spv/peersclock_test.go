package spv

import (
	"fmt"
	"testing"
	"time"
)

func TestSayOffsets(t *testing.T) {
	const minute, hour, year = time.Minute, time.Hour, 365 * 24 * time.Hour
	for want, offsets := range map[string][]time.Duration{
		"": nil,
		" (the clocks of 1 of 1 peers are like it)":            {9 * minute},
		" (the clocks of 3 of 4 peers are like it)":            {-minute, 0, time.Second, 2 * hour},
		" (the clocks of 2 of 3 peers are 2h00m ahead of it)":  {2 * hour, 0, 2*hour + minute},
		" (the clocks of 3 of 3 peers are 365 days behind it)": {-year, -year + minute, -year - minute},
	} {
		if got := sayOffsets(offsets); got != want {
			t.Errorf("%v: %q, want %q", offsets, got, want)
		}
	}
}

// clockSource is a peer that says what time it is.
type clockSource struct {
	stillSource
	offset time.Duration
}

func (s clockSource) Info() SourceInfo { return SourceInfo{TimeOffset: s.offset} }

// Many peers of one network count as one, wherever it is known which that is.
// Rule 24.
func TestPeersClockCountsNetworks(t *testing.T) {
	for _, liars := range []string{"198.51.%d.1:9108", "127.0.0.1:%d"} {
		e, sessions := stillEngine(t, 100, 100, 100)
		for _, s := range sessions {
			s.peer = clockSource{}
		}
		for i := range 7 {
			addr := fmt.Sprintf(liars, i+1)
			e.sessions[addr] = &session{addr: addr, since: e.now, peer: clockSource{offset: time.Hour}}
		}
		if got, want := e.peersClock(), " (the clocks of 2 of 3 peers are like it)"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package spv

import (
	"encoding/binary"
	"testing"
	"time"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"
	"dcrspv/spv/internal/requests"

	"github.com/decred/dcrd/chaincfg/v3"
)

// When no block comes strangers make room for strangers: those that were there before
// stay.
// Rule 22.
func TestStrangersMakeRoomForStrangers(t *testing.T) {
	e, sessions := stillEngine(t, 100, 100, 100, 100)
	e.cfg.Params, e.cfg.MaxPeers, e.network.discover, e.following.on = chaincfg.SimNetParams(), 2, true, true
	e.stall = stall{newest: e.chain.Tip(), stale: e.now.Add(-time.Hour)}
	for i, s := range sessions {
		s.peer = stillSource{}
		s.since = e.now.Add(-time.Hour + time.Duration(i)*time.Minute)
	}
	e.tryStrangers()
	if e.sessions[sessions[0].addr] == nil || e.sessions[sessions[1].addr] == nil || e.sessions[sessions[2].addr] != nil {
		t.Errorf("left: %v", e.sessions)
	}
}

// One that has served well before stays, and the worst of the others makes room.
// Rule 22.
func TestStrangerThatHasServedStays(t *testing.T) {
	e, sessions := stillEngine(t, 100, 100, 100, 100)
	e.cfg.Params, e.cfg.MaxPeers, e.network.discover, e.following.on = chaincfg.SimNetParams(), 2, true, true
	e.now = e.now.Add(time.Hour)
	e.stall = stall{newest: e.chain.Tip(), stale: e.now.Add(-time.Hour)}
	for _, s := range sessions {
		s.peer = stillSource{}
		s.since = e.now.Add(-time.Hour)
	}
	served, stranger := sessions[0], sessions[2]
	for _, s := range []*session{served, stranger} {
		e.registry.Success(s.addr, registry.Filters, 50*time.Millisecond, e.now)
	}
	stranger.since = e.now.Add(-time.Minute)
	e.tryStrangers()
	if e.sessions[served.addr] == nil || e.sessions[sessions[1].addr] != nil || e.sessions[stranger.addr] == nil {
		t.Errorf("left: %v", e.sessions)
	}
}

// When nothing moves, and those that are connected could not give what is missing
// and rest, they make room, as many as there are others to try.
// Rule 22.
func TestWhoRestsMakesRoom(t *testing.T) {
	for spares := range 4 {
		e, sessions := stillEngine(t, 100, 100, 100)
		e.cfg.MaxPeers, e.network.discover = 2, true
		for _, s := range sessions {
			s.peer = stillSource{}
			e.registry.Failure(s.addr, registry.Filters, 100, errBadFilter, e.now)
		}
		for i := range spares {
			if err := e.registry.Add([]string{"20.1.0.1:1", "20.2.0.1:1", "20.3.0.1:1"}[i], false, e.now); err != nil {
				t.Fatal(err)
			}
		}
		var header chain.Header
		binary.LittleEndian.PutUint32(header[128:], 100) // its height
		r := newRequest(registry.Filters, []chain.Header{header}, nil, nil, nil)
		e.filters.requests = []*request{r}
		table := requests.NewTable[*request]()
		table.Join("somebody else", 0)
		table.Assign([]*requests.Request[*request]{r.Request}, e.able, e.now)
		e.stall = stall{at: e.milestone(), since: e.now.Add(-stallFilterPatience)}
		e.replaceUseless()
		if left, want := len(e.sessions), max(2-spares, 0); left != want {
			t.Errorf("%d others: %d are left, want %d", spares, left, want)
		}
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"
)

// What was done about peers can be looked up afterwards, in text and JSON.
func TestPeerHistory(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		n.peers[0].SetBehaviour(spvtest.Behaviour{BadFilters: spvtest.FiltersFlipped})
		n.dcrspv("sync")
		history := func(i int) []peerEventDoc {
			var peers []peerDoc
			n.json(&peers, "peers")
			for _, p := range peers {
				if p.Addr == n.addrs[i] {
					return p.History
				}
			}
			t.Fatalf("%s is not known: %+v", n.addrs[i], peers)
			return nil
		}
		got := history(0)
		if len(got) != 1 || got[0].Kind != "ban" || got[0].Data != "" || got[0].Until == nil ||
			*got[0].Until != got[0].Time+24*3600 || !strings.Contains(got[0].Reason, "filter does not match its header") {
			t.Fatalf("%+v", got)
		}
		if honest := history(1); honest == nil || len(honest) != 0 {
			t.Errorf("of the honest one: %+v", honest)
		}
		text := n.dcrspv("peers")
		for _, part := range []string{"\n\nTIME (UTC) ", n.addrs[0] + "  ban ", time.Unix(*got[0].Until, 0).UTC().Format(time.DateTime) + "  filter does not match"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
		n.dcrspv("peers", "ban", n.addrs[1])
		if got := history(1); len(got) != 1 || got[0].Reason != "by the operator" || got[0].Time != testNow.Unix() {
			t.Errorf("banned by hand: %+v", got)
		}
		n.dcrspv("peers", "unban", n.addrs[1])
		n.dcrspv("peers", "reset", n.addrs[0])
		if a, b := history(0), history(1); len(a)+len(b) != 0 {
			t.Errorf("the ban is lifted, and the other reset: %+v %+v", a, b)
		}
		if text := n.dcrspv("peers"); strings.Contains(text, "TIME") {
			t.Errorf("nothing has happened, and\n%s", text)
		}
	})
}

// Of many events the last twenty are printed, in order, and what is left out is
// said.
// Rule 26.
func TestPeerHistoryIsCut(t *testing.T) {
	var list []spv.Peer
	for i := range 5 {
		peer := spv.Peer{Addr: fmt.Sprintf("192.0.2.%d:9108", i)}
		for k := range 5 {
			at := testNow.Add(time.Duration(5*k+i) * time.Minute)
			peer.History = append(peer.History, spv.PeerEvent{Kind: spv.PeerPaused, Data: "blocks", Time: at, Reason: fmt.Sprintf("fault %02d", 5*k+i)})
		}
		list = append(list, peer)
	}
	var out strings.Builder
	if err := (&program{stdout: &out}).printPeerEvents(list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 22 || lines[21] != "5 events before that: --json" {
		t.Fatalf("%s", out.String())
	}
	for i, line := range lines[1:21] {
		if want := fmt.Sprintf("192.0.2.%d:9108  pause blocks  -      fault %02d", i%5, i+5); !strings.HasSuffix(line, want) {
			t.Errorf("%q, want %q", line, want)
		}
	}
}

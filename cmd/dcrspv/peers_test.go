package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPeersOffline(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		list := func() (peers []peerDoc) {
			n.json(&peers, "peers", "list")
			return peers
		}
		if peers := list(); peers == nil || len(peers) != 0 {
			t.Fatalf("%+v", peers)
		}
		n.dcrspv("peers", "ban", "203.0.113.7")
		peers := list()
		if len(peers) != 1 || peers[0].BannedUntil == nil || *peers[0].BannedUntil != testNow.AddDate(0, 0, 1).Unix() {
			t.Fatalf("%+v", peers)
		}
		if text := n.dcrspv("peers"); !strings.Contains(text, "203.0.113.7") || !strings.Contains(text, "banned until "+testNow.AddDate(0, 0, 1).Format(time.DateTime)) {
			t.Errorf("%s", text)
		}
		var exported []peerDoc
		decode(t, n.dcrspv("peers", "export"), &exported)
		if len(exported) != 1 {
			t.Errorf("export: %+v", exported)
		}
		n.dcrspv("peers", "unban", "203.0.113.7")
		if peers := list(); len(peers) != 0 {
			t.Fatalf("%+v", peers)
		}
		n.dcrspv("peers", "reset", "203.0.113.7")
		for _, action := range []string{"ban", "unban", "reset"} {
			for _, host := range []string{"not a host", " ", "[]", "999.1.1.1."} {
				n.run("peers", action, host).wantFailure(t, statusUsage, "bad host", host)
			}
		}
		if peers := list(); len(peers) != 0 {
			t.Fatalf("%+v", peers)
		}

		// What the Syncer remembers is what is listed.
		n.dcrspv("sync")
		peers = list()
		if len(peers) != 1 || peers[0].Addr != n.addrs[0] || peers[0].Connected || peers[0].Score <= 50 {
			t.Errorf("after sync: %+v", peers)
		}
		if text := n.dcrspv("peers", "reset", n.addrs[0]); !strings.Contains(text, "starts anew") {
			t.Errorf("reset: %q", text)
		}
		if again := list(); len(again) != 1 || again[0].Score >= peers[0].Score {
			t.Errorf("reset: %+v", again)
		}
	})
}

// TestBanIsObeyed: a peer that was banned by hand is not connected to until the
// ban is lifted.
// Rule 14.
func TestBanIsObeyed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		n.dcrspv("peers", "ban", n.addrs[0])
		n.dcrspv("sync")
		if n.peers[0].Connections() != 0 || n.peers[1].Connections() == 0 {
			t.Error("the ban was not obeyed")
		}
		n.dcrspv("peers", "unban", n.addrs[0])
		n.dcrspv("sync")
		if n.peers[0].Connections() == 0 {
			t.Error("the ban was not lifted")
		}
	})
}

// TestPeersHelp: every verb is explained and shown.
func TestPeersHelp(t *testing.T) {
	text := dcrspv(t, "peers", "--help").stdout
	for _, verb := range []string{"list", "ban", "unban", "reset", "export"} {
		if !strings.Contains(text, "\n"+verb+" ") || verb != "list" && !strings.Contains(text, "dcrspv peers "+verb) {
			t.Errorf("%s is not explained: %s", verb, text)
		}
	}
	see := slices.Collect(strings.Lines(text))
	if len(see) > 30 {
		t.Errorf("%d lines", len(see))
	}
}

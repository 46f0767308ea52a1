package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// truthBetween is what is true of one address when only a range of blocks
// counts: what spends a coin from before the range says nothing then.
func (n *testNetwork) truthBetween(addr string, from, to uint32) (entries int, net int64) {
	n.t.Helper()
	_, script := n.script(addr)
	history := n.demo.chain.Truth([][]byte{script}).History
	for _, e := range history {
		foreign := e.Net < 0 && history[0].Height < from
		if e.Height >= from && e.Height <= to && !foreign {
			entries++
			net += e.Net
		}
	}
	return entries, net
}

// TestRescanAddresses: a question about any addresses, over a range of blocks,
// that leaves the wallet as it was.
func TestRescanAddresses(t *testing.T) {
	n := newTestNetwork(t, 2)
	addr := n.demo.used[0]
	tip := n.demo.chain.Height()
	first := n.demo.truth.History[0].Height
	for _, c := range []struct {
		args     []string
		from, to uint32
	}{
		{nil, 0, tip},
		{[]string{"--from", fmt.Sprint(first)}, first, tip},
		{[]string{"--from", fmt.Sprint(first + 1)}, first + 1, tip},
		{[]string{"--to", fmt.Sprint(first)}, 0, first},
		{[]string{"--from", fmt.Sprint(first), "--to", fmt.Sprint(first)}, first, first},
		{[]string{"--to", "2000000000"}, 0, tip},
		{[]string{"--to", "2024-12-01"}, 0, 0}, // before block 1
		{[]string{"--from", "2025-01-01", "--to", "2025-01-01"}, 0, tip},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var doc rescanDoc
			n.json(&doc, append([]string{"rescan", addr}, c.args...)...)
			entries, net := n.truthBetween(addr, c.from, c.to)
			if len(doc.History) != entries || doc.Balance.Total != net || !doc.Synced {
				t.Errorf("%d transactions, total %d, want %d and %d", len(doc.History), doc.Balance.Total, entries, net)
			}
			if doc.History == nil || doc.Utxos == nil {
				t.Error("a list is null")
			}
		})
	}
	var doc statusDoc
	n.json(&doc, "status")
	if doc.Scanned.From != nil {
		t.Errorf("the address is watched now: %+v", doc)
	}
	if text := n.dcrspv("rescan", addr); !strings.Contains(text, n.demo.truth.History[0].TxID.String()) {
		t.Errorf("text: %s", text)
	}
}

// TestRescanWatched: the whole watch set is tested again, from stored filters.
func TestRescanWatched(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		requests := n.peers[0].FiltersRequested()
		var doc rescanDoc
		n.json(&doc, "rescan", "--from", "200")
		if n.peers[0].FiltersRequested() != requests {
			t.Error("filters were fetched again")
		}
		if doc.Requests.Blocks == 0 || doc.Balance.Total != n.demo.truth.Total {
			t.Errorf("%+v", doc)
		}
		n.wantBalance(n.demo.truth)
	})
}

func TestLastHeightOfADay(t *testing.T) {
	c := make(times, 1000)
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for h := range c {
		c[h] = start + int64(h)*3600
	}
	height, reached, err := firstSince(c, 999, time.Date(2025, 1, 3, 0, 0, 0, 0, time.UTC))
	if height != 48 || !reached || err != nil {
		t.Errorf("%d, %v, %v", height, reached, err)
	}
	if _, reached, _ := firstSince(c, 999, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); reached {
		t.Error("reached a time after the tip")
	}
	if _, _, err := firstSince(c, 2000, time.Date(2025, 1, 3, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("no error for a missing header")
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"
	"dcrspv/wallet"
)

// truthBetween is what is true of scripts in a range of blocks, and at its end.
func (n *testNetwork) truthBetween(from, to uint32, scripts ...[]byte) (entries []spvtest.Entry, total int64) {
	truth := n.demo.chain.Fork(to).Truth(scripts)
	for _, e := range truth.History {
		if e.Height >= from {
			entries = append(entries, e)
		}
	}
	return entries, truth.Total
}

// wantRange checks the answer to a question about a range.
func (d *rescanDoc) wantRange(t *testing.T, entries []spvtest.Entry, total int64) {
	t.Helper()
	if len(d.History) != len(entries) || d.Balance.Total != total || !d.Synced || !d.Complete {
		t.Fatalf("%d transactions of %d, total %d of %d, %+v", len(d.History), len(entries), d.Balance.Total, total, d)
	}
	for i, e := range entries {
		if got := d.History[i]; got.TxID != e.TxID.String() || got.Net != e.Net {
			t.Errorf("%+v, not %+v", got, e)
		}
	}
}

// TestRescanAddresses: a question about any addresses, over a range of blocks, is
// answered by all that is true of it, and leaves the wallet as it was.
// Rule 26.
func TestRescanAddresses(t *testing.T) {
	n := newTestNetwork(t, 2)
	addr := n.demo.used[0]
	_, script := n.script(addr)
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
		{[]string{"--birthday", fmt.Sprint(first), "--from", fmt.Sprint(first + 1)}, first + 1, tip},
		{[]string{"--birthday", "2025-01-01", "--quick"}, 1, tip},
		{[]string{"--to", "2000000000"}, 0, tip},
		{[]string{"--to", "2024-12-01"}, 0, 0}, // before block 1
		{[]string{"--from", "2025-01-01", "--to", "2025-01-01"}, 1, tip},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			var doc rescanDoc
			n.json(&doc, append([]string{"rescan", addr}, c.args...)...)
			entries, total := n.truthBetween(c.from, c.to, script)
			doc.wantRange(t, entries, total)
			if doc.From != c.from || doc.To != c.to {
				t.Errorf("the range is %d to %d", doc.From, doc.To)
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

// TestRescanBeginsBefore: the answer about a range knows the coins from before it, and
// of an account the addresses that came into use before it; a quick one does not, and
// says so.
// Rule 26.
func TestRescanBeginsBefore(t *testing.T) {
	n := newTestNetwork(t, 1)
	history := n.demo.truth.History
	last := history[len(history)-1].Height // of the only one in the range
	entries, total := history[len(history)-1:], n.demo.truth.Total
	var doc rescanDoc
	n.json(&doc, "rescan", n.demo.xpub, "--from", fmt.Sprint(last))
	doc.wantRange(t, entries, total)

	var quick rescanDoc
	n.json(&quick, "rescan", n.demo.xpub, "--from", fmt.Sprint(last), "--quick")
	if quick.Complete || quick.Balance.Total == total || len(quick.Warnings) == 0 {
		t.Errorf("%+v", quick)
	}

	// Where all is watched from a birthday on, that is where it begins.
	n.dcrspv("watch", n.demo.xpub, "--from", fmt.Sprint(history[0].Height))
	doc = rescanDoc{}
	n.json(&doc, "rescan", n.demo.xpub, "--from", fmt.Sprint(last))
	doc.wantRange(t, entries, total)
	if *doc.Scanned.From != history[0].Height {
		t.Errorf("tested from %d", *doc.Scanned.From)
	}
}

// TestRescanWatched: the whole watch set is tested again, from stored filters.
// Rules 15 and 26.
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

// TestRescanOfAWatchedKey: a question about a watched key is answered by what watching
// it has found, with its gap and its public keys.
// Rule 26.
func TestRescanOfAWatchedKey(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub, "--gap", "60", "--pubkeys")
	n.dcrspv("sync")
	_, file := n.files()
	w, err := wallet.Open(file, n.demo.params)
	if err != nil {
		t.Fatal(err)
	}
	var addr string
	for range 50 {
		if addr, err = w.NextAddress(t.Context(), n.demo.xpub); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	_, far := n.script(addr)
	c := n.demo.chain.Fork(n.demo.chain.Height())
	c.MineBlock(c.Pay(far, 5e8))
	n.peers[0].SetChain(c)
	n.dcrspv("sync")
	var doc rescanDoc
	n.json(&doc, "rescan", n.demo.xpub)
	if b := n.balance(); doc.Balance.Total != b.Total || b.Total != n.demo.truth.Total+5e8 || !doc.Complete {
		t.Errorf("%+v, not %+v", doc.Balance, b)
	}
}

// TestRescanEndsBeforeItBegins: a height and a date can be the wrong way round too.
func TestRescanEndsBeforeItBegins(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	for _, args := range [][]string{{}, {n.demo.used[0]}} {
		args = append([]string{"rescan", "--from", "300", "--to", "2024-12-01"}, args...)
		n.run(args...).wantFailure(t, statusUsage, "is after --to", "swap them")
	}
}

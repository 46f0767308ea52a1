package main

import (
	"strings"
	"testing"
	"time"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/chainhash"
)

func TestEventLines(t *testing.T) {
	tx, by := chainhash.Hash{31: 0xaa}, chainhash.Hash{31: 0xbb}
	block := chain.BlockID{Height: 7}
	debits := []wallet.Debit{{Amount: 1e8}}
	for want, ev := range map[string]wallet.Event{
		"received    1.5 DCR in block 7, " + tx.String():                       {Kind: wallet.EventMined, Tx: tx, Block: block, Net: 1.5e8},
		"sent        -1 DCR in block 7, " + tx.String():                        {Kind: wallet.EventMined, Tx: tx, Block: block, Net: -1e8, Debits: debits},
		"moved       0 DCR in block 7, " + tx.String():                         {Kind: wallet.EventMined, Tx: tx, Block: block, Debits: debits},
		"unconfirmed 1.5 DCR, not in a block and not verified, " + tx.String(): {Kind: wallet.EventUnmined, Tx: tx, Net: 1.5e8},
		"pending     -1 DCR, our own and not in a block, " + tx.String():       {Kind: wallet.EventUnmined, Tx: tx, Net: -1e8, Own: true, Debits: debits},
		"unconfirmed -1 DCR, not in a block and signed with our keys, behind another one that spends the same, " + tx.String(): {
			Kind: wallet.EventUnmined, Tx: tx, Debits: debits,
		},
		"conflicted  " + tx.String() + ", its coin was spent by " + by.String(): {Kind: wallet.EventConflicted, Tx: tx, By: by},
		"superseded  " + tx.String() + ", a ticket below the price":             {Kind: wallet.EventSuperseded, Tx: tx},
		"expired     " + tx.String():                                            {Kind: wallet.EventExpired, Tx: tx},
		"removed     " + tx.String():                                            {Kind: wallet.EventRemoved, Tx: tx},
		"reorg       3 blocks above block 7 undone":                             {Kind: wallet.EventReorg, Block: block, Depth: 3},
		"disapproved block 7":                                                   {Kind: wallet.EventDisapproved, Block: block},
		"":                                                                      {Kind: wallet.EventTip, Block: block},
	} {
		if got := eventLine(ev); got != want {
			t.Errorf("%s: %q, want %q", ev.Kind, got, want)
		}
	}
}

func TestWordsForNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1_550_000: "1.6 MB", 2_000_000_000: "2.0 GB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if got := plural(1, "peer") + plural(0, "peer") + plural(2, "entry"); got != "1 peer0 peers2 entries" {
		t.Error(got)
	}
	if got := roundDuration(1234*time.Millisecond) + " " + roundDuration(61400*time.Millisecond); got != "1.2s 1m1s" {
		t.Error(got)
	}
}

// TestPeerTableIsClean: what peers say of themselves cannot act on a terminal.
// Rule 21.
func TestPeerTableIsClean(t *testing.T) {
	p, stdout, _ := testProgram(t)
	err := p.printPeers([]spv.Peer{
		{Addr: "192.0.2.1:9108", UserAgent: "/\x1b[31mevil\x07\n/", Score: 50, LatencyMS: 12.4, PVer: 11, AdvertisedHeight: 900, ValidatedHeight: 700, Persistent: true, BanScore: 30},
		{Addr: "192.0.2.2:9108", BannedUntil: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), BanReasons: []string{"first", "false\x1b filter"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := stdout.String()
	if strings.ContainsAny(text, "\x1b\x07") || strings.Count(text, "\n") != 3 {
		t.Errorf("%q", text)
	}
	for _, want := range []string{"12 ms", "900, proved 700", "persistent, 30 ban points", "banned until 2026-03-01 12:00:00 (false filter)", "evil"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}

// TestOnATerminal: bars until it is in sync, then lines.
func TestOnATerminal(t *testing.T) {
	n := newTestNetwork(t, 1)
	p, stdout, stderr := testProgram(t)
	p.terminal = true
	if status := p.run(n.args("sync")); status != statusDone {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, want := range []string{"headers", "filters", "scan", "1200/1200", "synced      block 1200"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is not on the screen: %s", want, stderr)
		}
	}
	if !strings.HasPrefix(stdout.String(), "Synced to block 1200") {
		t.Errorf("%s", stdout)
	}
}

// TestDemoThatIsWrong: a wallet that does not agree with the chain is a
// failure.
func TestDemoThatIsWrong(t *testing.T) {
	d, err := newDemoNetwork(smallDemo)
	if err != nil {
		t.Fatal(err)
	}
	defer d.net.Close()
	right := demoResult{
		status: spv.Status{Tip: spv.BlockInfo{Hash: d.truth.Tip.Hash}},
		balance: balanceDoc{
			Spendable: d.truth.Spendable, Immature: d.truth.Immature,
			Staked: d.truth.Staked, Total: d.truth.Total,
		},
		history: len(d.truth.History),
	}
	if !newDemoDoc(d, right).Correct {
		t.Error("the truth is not correct")
	}
	for name, spoil := range map[string]func(*demoResult){
		"balance": func(r *demoResult) { r.balance.Spendable-- },
		"history": func(r *demoResult) { r.history++ },
		"tip":     func(r *demoResult) { r.status.Tip.Hash[0]++ },
	} {
		wrong := right
		spoil(&wrong)
		if newDemoDoc(d, wrong).Correct {
			t.Errorf("wrong %s passes", name)
		}
	}
}

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// TestEndToEnd is the main job: watch, sync, and the right answers.
func TestEndToEnd(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 3)
		n.dcrspv("watch", n.demo.xpub)

		var st statusDoc
		n.json(&st, "sync")
		tip := n.demo.chain.Tip()
		if !st.Synced || st.Phase != "synced" || st.Network != "simnet" || st.Tip.Height != tip.Height ||
			st.Tip.Hash != tip.Hash.String() || st.Tip.Time != n.demo.chain.Time().Unix() || st.Target != tip.Height || st.Peers != 3 {
			t.Errorf("%+v, want tip %v", st, tip)
		}
		for name, span := range map[string]spanDoc{"filters": st.Filters, "scanned": st.Scanned} {
			if span.From == nil || span.Through == nil || *span.From != 0 || *span.Through != tip.Height {
				t.Errorf("%s: %+v", name, span)
			}
		}
		if st.Requests.Headers == 0 || st.Requests.Filters == 0 || st.Requests.Blocks == 0 || st.ReceivedBytes == 0 || st.Seconds.Total <= 0 {
			t.Errorf("counters: %+v", st)
		}
		n.wantBalance(n.demo.truth)

		// Nothing is fetched twice, and the files tell what sync told.
		before := n.count(wire.CmdGetCFiltersV2) + n.count(wire.CmdGetCFilterV2) + n.count(wire.CmdGetData)
		text := n.dcrspv("sync")
		if !strings.Contains(text, fmt.Sprintf("Synced to block %d", tip.Height)) {
			t.Errorf("sync: %q", text)
		}
		if after := n.count(wire.CmdGetCFiltersV2) + n.count(wire.CmdGetCFilterV2) + n.count(wire.CmdGetData); after != before {
			t.Errorf("%d filter and block requests in the second sync", after-before)
		}
		var stored statusDoc
		n.json(&stored, "status")
		if stored.Tip != st.Tip || *stored.Filters.Through != tip.Height || *stored.Scanned.Through != tip.Height || stored.Synced || stored.Peers != 0 {
			t.Errorf("status: %+v", stored)
		}
		if text := n.dcrspv("status"); !strings.Contains(text, n.demo.xpub) {
			t.Errorf("status: %s", text)
		}

		var peers []peerDoc
		n.json(&peers, "peers")
		if len(peers) != 3 {
			t.Errorf("peers: %+v", peers)
		}
		for _, p := range n.peers {
			if v := p.Violations(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		}

		var report verifyDoc
		n.json(&report, "verify")
		if report.Chain.Headers != tip.Height+1 || report.Chain.Filters != tip.Height+1 || report.Wallet.Transactions != len(n.demo.truth.History) {
			t.Errorf("verify: %+v", report)
		}
		if text := n.dcrspv("verify"); !strings.Contains(text, "chain.db") || !strings.Contains(text, "wallet.db") {
			t.Errorf("verify: %s", text)
		}
	})
}

// TestTextForPeople: without --json the answers are in DCR and in words.
func TestTextForPeople(t *testing.T) {
	n := newTestNetwork(t, 1)
	for _, c := range []struct{ command, want string }{
		{"balance", "0 DCR"}, {"history", "no transactions"}, {"utxos", "no unspent outputs"},
		{"peers", "no peers"}, {"status", "nothing: dcrspv watch"},
	} {
		if text := n.dcrspv(c.command); !strings.Contains(text, c.want) {
			t.Errorf("empty %s: %q", c.command, text)
		}
	}
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	for _, c := range []struct{ command, want string }{
		{"balance", amount(n.demo.truth.Total)},
		{"history", n.demo.truth.History[0].TxID.String()},
		{"utxos", n.demo.truth.Coins[0].OutPoint.Hash.String()},
		{"peers", n.addrs[0]},
		{"address", "Ss"},
	} {
		if text := n.dcrspv(c.command); !strings.Contains(text, c.want) {
			t.Errorf("%s does not say %q: %q", c.command, c.want, text)
		}
	}
}

func TestWatchAndUnwatch(t *testing.T) {
	n := newTestNetwork(t, 1)
	used := n.demo.used[0]
	var doc watchDoc
	n.json(&doc, "watch", "--from", "100", n.demo.xpub, used)
	if len(doc.Watched) != 2 || doc.Watched[0].XPub != n.demo.xpub || doc.Watched[1].Address != used || doc.Watched[1].From != 100 {
		t.Fatalf("watch: %+v", doc)
	}
	var addr addressDoc
	n.json(&addr, "address")
	if addr.Address != used { // nothing is known to be used yet
		t.Errorf("address: %s, want %s", addr.Address, used)
	}
	n.json(&doc, "unwatch", used)
	if len(doc.Watched) != 1 {
		t.Fatalf("unwatch: %+v", doc)
	}
	n.run("unwatch", used).wantFailure(t, statusFailed, used)
	n.json(&doc, "unwatch", n.demo.xpub)
	if doc.Watched == nil || len(doc.Watched) != 0 {
		t.Fatalf("empty watch set: %+v", doc)
	}
	n.run("address").wantFailure(t, statusFailed, "watch XPUB")
}

// TestBirthday: filters below the birthday are not fetched.
// Rule 15.
func TestBirthday(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		var st statusDoc
		n.json(&st, "sync", "--birthday", "700")
		if *st.Filters.From != 700 || st.Scanned.From != nil {
			t.Errorf("%+v", st)
		}
		if n.peers[0].FilterRequests(600) != 0 || n.peers[0].FilterRequests(701) != 1 {
			t.Error("filters below the birthday were fetched")
		}
	})
}

// TestNotSynced: nobody answers. The document is printed all the same.
// Rule 24.
func TestNotSynced(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.peers[0].Refuse(true)
		r := n.run("sync", "--timeout", "300ms")
		r.wantFailure(t, statusNotSynced, "not synced within 300ms", "connect", n.addrs[0])
		r = n.run("sync", "--timeout", "300ms", "--json")
		var st statusDoc
		decode(t, r.stdout, &st)
		if r.status != statusNotSynced || st.Synced || st.Phase != "connecting" || st.Tip.Height != 0 {
			t.Errorf("status %d, %+v", r.status, st)
		}
		for _, args := range [][]string{
			{"run"}, {"rescan"}, {"rescan", n.demo.used[0]}, {"broadcast", txHex(t, n.demo.chain.Pay(spvtest.Script(1), 1e8))},
		} {
			r := n.run(append(args, "--timeout", "300ms", "--log-level", "off")...)
			r.wantFailure(t, statusNotSynced, "not synced")
		}
	})
}

// TestRunFollows: run prints what comes in and what is undone, and an
// interrupt is its normal end.
// Rules 8 and 18.
func TestRunFollows(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		n.dcrspv("watch", n.demo.xpub)
		run := n.start("run", "--json")
		tip := n.demo.chain.Tip()
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height), run.ended)

		c := n.demo.chain.Fork(tip.Height)
		_, script := n.script(n.demo.used[3])
		pay := c.Pay(script, 123456789)
		c.MineBlock(pay)
		for _, p := range n.peers {
			p.SetChain(c)
		}
		run.stderr.wait(t, "received    1.23456789 DCR in block "+fmt.Sprint(tip.Height+1), run.ended)
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height+1), run.ended)

		branch := n.demo.chain.Fork(tip.Height)
		branch.Mine(3)
		for _, p := range n.peers {
			p.SetChain(branch)
		}
		run.stderr.wait(t, "reorg       1 block above block "+fmt.Sprint(tip.Height), run.ended)
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height+3), run.ended)
		if status := run.interrupt(); status != statusDone {
			t.Fatalf("status %d: %s", status, run.stderr)
		}
		var st statusDoc
		decode(t, run.stdout.String(), &st)
		if !st.Synced || st.Tip.Height != tip.Height+3 {
			t.Errorf("%+v", st)
		}
	})
}

// TestInterruptedSync interrupts the sync at random moments, and goes on, until
// it is done: nothing is lost, and nothing is fetched again but what was on its
// way.
// Rule 17.
func TestInterruptedSync(t *testing.T) {
	n := newTestNetwork(t, 0)
	n.dcrspv("watch", n.demo.xpub)
	rng := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var interrupt func()
	left := 0
	for range 2 {
		n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{
			Hook: func(*spvtest.Client, wire.Message) bool {
				mu.Lock()
				defer mu.Unlock()
				if left--; left == 0 {
					interrupt()
				}
				return false
			},
		}))
	}
	for attempt := range 40 {
		mu.Lock()
		left = 1 + rng.IntN(12+attempt)
		s := n.prepare("sync")
		interrupt = func() { s.signals <- os.Interrupt }
		mu.Unlock()
		s.begin()
		status := <-s.ended
		switch {
		case status == statusDone:
			n.wantBalance(n.demo.truth)
			n.json(new(verifyDoc), "verify")
			return
		case status != statusFailed || !strings.Contains(s.stderr.String(), "dcrspv: interrupted: "):
			t.Fatalf("status %d: %s", status, s.stderr)
		}
	}
	t.Fatal("40 interrupted syncs and no progress")
}

// TestSecondInterruptForces: whoever presses Ctrl-C twice does not want to wait.
func TestSecondInterruptForces(t *testing.T) {
	forced := make(chan struct{})
	p, _, _ := testProgram(t)
	signals := make(chan os.Signal, 2)
	p.signals, p.force = signals, func() { close(forced) }
	ended := false
	go p.watchSignals(t.Context(), func() { ended = true })
	signals <- os.Interrupt
	signals <- os.Interrupt
	<-forced
	if !ended {
		t.Error("the first did not end the context")
	}
}

func TestBroadcast(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 0)
		delivered := make(chan struct{}, 4)
		addPeer := func() {
			n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{
				Hook: func(_ *spvtest.Client, msg wire.Message) bool {
					if _, ok := msg.(*wire.MsgTx); ok {
						delivered <- struct{}{}
					}
					return false
				},
			}))
		}
		addPeer()
		addPeer()
		n.dcrspv("watch", n.demo.xpub)
		_, script := n.script(n.demo.used[0])
		tx := n.demo.chain.Pay(script, 5e8)
		var doc broadcastDoc
		n.json(&doc, "broadcast", txHex(t, tx))
		if doc.TxID != tx.TxHash().String() || len(doc.Told) != 2 || len(doc.Taken) != 2 || len(doc.Delivered) != 2 || !doc.Kept {
			t.Errorf("%+v", doc)
		}
		for range n.peers {
			<-delivered
		}
		if b := n.balance(); b.Unconfirmed != 5e8 || b.Total != n.demo.truth.Total {
			t.Errorf("%+v", b)
		}
		if text := n.dcrspv("history"); !strings.Contains(text, "NOT IN A BLOCK") || !strings.Contains(text, "our own") {
			t.Errorf("history: %s", text)
		}
		var waiting []unminedDoc
		n.json(&waiting, "history", "--unmined")
		if want := (unminedDoc{TxID: doc.TxID, State: unconfirmed, Net: 5e8, Own: true}); !sameUnmined(waiting, want) {
			t.Errorf("history --unmined: %+v", waiting)
		}

		// Each run announces it again, as long as it is not mined: a peer that does
		// not have it asks for it.
		addPeer()
		run := n.start("run")
		<-delivered
		if status := run.interrupt(); status != statusDone {
			t.Fatalf("status %d: %s", status, run.stderr)
		}
		c := n.demo.chain.Fork(n.demo.chain.Height())
		c.MineBlock(tx)
		for _, p := range n.peers {
			p.SetChain(c)
		}
		n.dcrspv("sync")
		n.json(&waiting, "history", "--unmined")
		if len(waiting) != 0 {
			t.Errorf("mined, and still waiting: %+v", waiting)
		}

		// Nobody asked for it.
		p, _, _ := testProgram(t)
		for text, result := range map[string]spv.PublishResult{
			"none of 3 peers": {AnnouncedTo: n.addrs}, "1 peer asked": {AnnouncedTo: n.addrs, RequestedBy: n.addrs[:1]},
		} {
			for kept, remedy := range map[bool]string{true: "dcrspv drop " + doc.TxID, false: ": "} {
				err := p.reportBroadcast(tx, result, kept)
				if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), remedy) {
					t.Errorf("nobody has it: %v", err)
				}
			}
		}
	})
}

// TestReadTx: hex comes as an argument or through standard input, with white
// space as it may be.
func TestReadTx(t *testing.T) {
	c := spvtest.NewChain(nil)
	want := c.Pay(spvtest.Script(1), 1e8)
	text := txHex(t, want)
	for _, in := range []string{text, text + "\n", "  " + text[:40] + "\r\n" + text[40:], strings.ToUpper(text)} {
		p, _, _ := testProgram(t)
		p.set.params = chaincfg.SimNetParams()
		p.stdin = strings.NewReader(in)
		for _, arg := range []string{in, "-"} {
			tx, err := p.readTx(arg)
			if err != nil || tx.TxHash() != want.TxHash() {
				t.Errorf("%q: %v", arg, err)
			}
		}
	}
	for _, in := range []string{"", "0", "zz", text + "00", text[:len(text)-2], strings.Repeat("0", 10_000_000), "\x00\x1b"} {
		p, _, _ := testProgram(t)
		p.set.params = chaincfg.SimNetParams()
		p.stdin = strings.NewReader(in)
		if _, err := p.readTx("-"); userError(err).status != statusUsage {
			t.Errorf("%.20q: %v", in, err)
		}
	}
}

// TestProxyIsUsed: with --proxy nothing is dialed directly, and a proxy that is
// not there is the reason given.
func TestProxyIsUsed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		r := n.run("sync", "--proxy", "127.0.0.1:1", "--timeout", "300ms")
		r.wantFailure(t, statusNotSynced, "127.0.0.1:1")
		if n.peers[0].Connections() != 0 {
			t.Error("the peer was dialed past the proxy")
		}
	})
}

func TestDemo(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		r := dcrspv(t, "demo")
		if r.status != statusDone || !strings.Contains(r.stdout, "right to the atom") || !strings.Contains(r.stdout, "serves false filters") {
			t.Errorf("status %d: %s%s", r.status, r.stdout, r.stderr)
		}
		r = dcrspv(t, "demo", "--json")
		var doc demoDoc
		decode(t, r.stdout, &doc)
		if r.status != statusDone || !doc.Correct || doc.Balance != doc.Truth || doc.Balance.Total == 0 || len(doc.CutOff) < 2 {
			t.Errorf("status %d: %+v", r.status, doc)
		}
	})
}

func TestNetworkNames(t *testing.T) {
	for name, params := range networks {
		if got := networkName(params()); got != name {
			t.Errorf("%s is called %s", name, got)
		}
	}
	if got := networkName(&chaincfg.Params{Name: "other"}); got != "other" {
		t.Error(got)
	}
}

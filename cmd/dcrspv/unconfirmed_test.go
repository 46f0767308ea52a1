package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/wire"
)

// sameUnmined compares all but inputs and outputs.
func sameUnmined(got []unminedDoc, want ...unminedDoc) bool {
	return slices.EqualFunc(got, want, func(a, b unminedDoc) bool {
		return a.TxID == b.TxID && a.State == b.State && a.By == b.By && a.Net == b.Net && a.Own == b.Own && a.Label == b.Label
	})
}

// TestPendingSpendsShow: a coin that a transaction on its way spends names it, and that
// tells what it spends and pays, but the coin stays spendable until it is mined.
// Rule 13.
func TestPendingSpendsShow(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		var before []utxoDoc
		n.json(&before, "utxos")
		at := slices.IndexFunc(before, func(u utxoDoc) bool { return u.Spendable && u.Tree == 0 })
		coin := before[at]
		var op wire.OutPoint
		for _, c := range n.demo.truth.Coins {
			if c.OutPoint.Hash.String() == coin.TxID && c.OutPoint.Index == coin.Index {
				op = c.OutPoint
			}
		}
		_, back := n.script(n.demo.used[2])
		tx := n.demo.chain.Spend([]wire.OutPoint{op}, wire.NewTxOut(coin.Amount-2e6, spvtest.Script(1)), wire.NewTxOut(1e6, back))
		_, script := n.script(coin.Address)
		n.sign(tx, script)
		n.dcrspv("broadcast", txHex(t, tx))

		var after []utxoDoc
		n.json(&after, "utxos")
		want := slices.Clone(before)
		want[at].SpentBy = tx.TxHash().String()
		if !slices.Equal(after, want) {
			t.Errorf("%+v, want %+v", after, want)
		}
		if text := n.dcrspv("utxos"); strings.Count(text, tx.TxHash().String()) != 1 || !strings.Contains(text, "SPENT BY") {
			t.Errorf("%s", text)
		}
		var waiting []unminedDoc
		n.json(&waiting, "history", "--unmined")
		if len(waiting) != 1 || len(waiting[0].Inputs) != 1 || len(waiting[0].Outputs) != 2 {
			t.Fatalf("%+v", waiting)
		}
		in, out := waiting[0].Inputs[0], waiting[0].Outputs
		if in.TxID != coin.TxID || in.Index != coin.Index || !in.Ours || in.Amount == nil || *in.Amount != coin.Amount {
			t.Errorf("%+v", in)
		}
		if out[0].Ours || out[0].Amount != coin.Amount-2e6 || out[0].Script != fmt.Sprintf("%x", spvtest.Script(1)) {
			t.Errorf("%+v", out[0])
		}
		if want := (outputDoc{1, 1e6, true, n.demo.used[2], fmt.Sprintf("%x", back)}); out[1] != want {
			t.Errorf("%+v, want %+v", out[1], want)
		}
	})
}

// TestRunHearsOfUnconfirmed: a payment that a peer announces is shown before it
// is in a block, as what it is worth: nothing of it is verified.
// Rule 13.
func TestRunHearsOfUnconfirmed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 2)
		n.dcrspv("watch", n.demo.xpub)
		tip := n.demo.chain.Tip()
		run := n.start("run")
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height), run.ended)
		c := n.demo.chain.Fork(tip.Height)
		_, script := n.script(n.demo.used[3])
		pay := c.Pay(script, 123456789)
		for _, p := range n.peers {
			p.AnnounceTx(pay)
		}
		line := "unconfirmed 1.23456789 DCR, not in a block and not verified, " + pay.TxHash().String()
		run.stderr.wait(t, line, run.ended)
		if status := run.interrupt(); status != statusDone {
			t.Fatalf("status %d: %s", status, run.stderr)
		}
		if strings.Count(run.stderr.String(), line) != 1 {
			t.Errorf("told more than once: %s", run.stderr)
		}

		if b := n.balance(); b.Unconfirmed != 123456789 || b.Total != n.demo.truth.Total || b.Spendable != n.demo.truth.Spendable {
			t.Errorf("%+v", b)
		}
		var mined []entryDoc
		if n.json(&mined, "history"); len(mined) != len(n.demo.truth.History) {
			t.Errorf("%d are mined, want %d", len(mined), len(n.demo.truth.History))
		}
		var waiting []unminedDoc
		n.json(&waiting, "history", "--unmined")
		if want := (unminedDoc{TxID: pay.TxHash().String(), State: unconfirmed, Net: 123456789}); !sameUnmined(waiting, want) {
			t.Errorf("%+v, want %+v", waiting, want)
		}
		for _, args := range [][]string{{"history"}, {"history", "--unmined"}, {"history", "--last", "1"}} {
			text := n.dcrspv(args...)
			if !strings.Contains(text, "NOT IN A BLOCK") || !strings.Contains(text, "unverified") || !strings.Contains(text, pay.TxHash().String()) {
				t.Errorf("%v: %s", args, text)
			}
		}

		// It is mined.
		run = n.start("run")
		run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height), run.ended)
		c.MineBlock(pay)
		for _, p := range n.peers {
			p.SetChain(c)
		}
		run.stderr.wait(t, fmt.Sprintf("received    1.23456789 DCR in block %d", tip.Height+1), run.ended)
		if status := run.interrupt(); status != statusDone {
			t.Fatalf("status %d: %s", status, run.stderr)
		}
		if b := n.balance(); b.Unconfirmed != 0 || b.Total != n.demo.truth.Total+123456789 {
			t.Errorf("%+v", b)
		}
		if text := n.dcrspv("history", "--unmined"); !strings.Contains(text, "nothing waits") {
			t.Error(text)
		}
	})
}

// TestConflictedAndDropped: of two payments of our own, one spends a coin that
// another transaction in a block spends as well, the other is only forgotten by
// the peers. The first is shown as conflicted, the second stays unconfirmed.
func TestConflictedAndDropped(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		coins := n.spendable(2)
		c := n.demo.chain.Fork(n.demo.chain.Height())
		send := func(coin spvtest.Coin) (txid string) {
			tx := n.sign(c.Spend([]wire.OutPoint{coin.OutPoint}, wire.NewTxOut(coin.Amount-10_000, spvtest.Script(1))), coin.Script)
			n.dcrspv("broadcast", txHex(t, tx))
			return tx.TxHash().String()
		}
		lost, dropped := send(coins[0]), send(coins[1])
		other := c.Spend([]wire.OutPoint{coins[0].OutPoint}, wire.NewTxOut(coins[0].Amount-20_000, spvtest.Script(2)))
		c.MineBlock(other)
		n.peers[0].SetChain(c)
		n.dcrspv("sync")

		want := []unminedDoc{
			{TxID: lost, State: "conflicted", By: other.TxHash().String(), Own: true},
			{TxID: dropped, State: unconfirmed, Net: -coins[1].Amount, Own: true},
		}
		var waiting []unminedDoc
		n.json(&waiting, "history", "--unmined")
		if !sameUnmined(waiting, want...) {
			t.Errorf("%+v, want %+v", waiting, want)
		}
		if b := n.balance(); b.Unconfirmed != -coins[1].Amount || b.Total != n.demo.truth.Total-coins[0].Amount {
			t.Errorf("%+v", b)
		}
		text := n.dcrspv("history")
		for _, part := range []string{"conflicted with " + other.TxHash().String(), "unconfirmed, our own"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in %s", part, text)
			}
		}
		n.run("broadcast", "00").wantFailure(t, statusUsage)

		// Without that block it may be mined again.
		longer := n.demo.chain.Fork(n.demo.chain.Height())
		longer.Mine(2)
		n.peers[0].SetChain(longer)
		n.dcrspv("sync")
		n.json(&waiting, "history", "--unmined")
		for _, u := range waiting {
			if u.State != unconfirmed {
				t.Errorf("after the reorg: %+v", u)
			}
		}
	})
}

// TestNoRelay: with the switch, given as a flag or in the configuration file, no
// peer is asked for what is not in a block, and nothing is told of it.
func TestNoRelay(t *testing.T) {
	for name, args := range map[string][]string{"flag": {"--no-relay"}, "file": nil} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T) {
				n := newVirtualNetwork(t, 2)
				if name == "file" {
					if err := os.WriteFile(filepath.Join(n.dir, configName), []byte("no-relay = true\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				n.dcrspv("watch", n.demo.xpub)
				run := n.start(append([]string{"run"}, args...)...)
				tip := n.demo.chain.Tip()
				run.stderr.wait(t, fmt.Sprintf("synced      block %d", tip.Height), run.ended)
				c := n.demo.chain.Fork(tip.Height)
				_, script := n.script(n.demo.used[3])
				pay := c.Pay(script, 5e8)
				for _, p := range n.peers {
					p.AnnounceTx(pay)
				}
				c.MineBlock(pay)
				for _, p := range n.peers {
					p.SetChain(c)
				}
				run.stderr.wait(t, fmt.Sprintf("received    5 DCR in block %d", tip.Height+1), run.ended)
				if status := run.interrupt(); status != statusDone {
					t.Fatalf("status %d: %s", status, run.stderr)
				}
				if strings.Contains(run.stderr.String(), "unconfirmed") || n.count(wire.CmdMemPool) != 0 {
					t.Errorf("asked %d times what is not in a block: %s", n.count(wire.CmdMemPool), run.stderr)
				}
			})
		})
	}
}

// TestBalanceByKind: the text shows the kinds that there are.
func TestBalanceByKind(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	if text := n.dcrspv("balance"); strings.Contains(text, "regular") {
		t.Errorf("empty: %s", text)
	}
	n.dcrspv("sync")
	var doc kindsDoc
	n.json(&doc, "balance")
	text := n.dcrspv("balance")
	shown := 0
	for kind, part := range doc.ByKind {
		if strings.Contains(text, " "+kind+" ") != (part.Coins > 0) {
			t.Errorf("%s: %+v in %s", kind, part, text)
		}
		if part.Coins > 0 {
			shown++
			if !strings.Contains(text, amount(part.Total)) {
				t.Errorf("%s: %+v in %s", kind, part, text)
			}
		}
	}
	if shown == 0 || len(doc.ByKind) != 7 {
		t.Errorf("%+v", doc.ByKind)
	}
	if doc.ByKind["ticket"].Total != doc.Staked || doc.ByKind["ticket"].Spendable != 0 {
		t.Errorf("%+v", doc)
	}
}

// TestUnminedOfAShortLog: however few events are kept, what they tell is listed.
func TestUnminedOfAShortLog(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	n.dcrspv("sync")
	_, file := n.files()
	w, err := wallet.Open(file, n.demo.params)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.KeepEvents(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if text := n.dcrspv("history", "--unmined"); !strings.Contains(text, "nothing waits") {
		t.Error(text)
	}
}

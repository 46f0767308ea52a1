package main

import (
	"slices"
	"strings"
	"testing"

	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/wire"
)

// TestDrop: an own transaction is announced no more, nor what spends it; what is mined,
// in conflict or unknown can't be dropped, and the line says why.
func TestDrop(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		_, script := n.script(n.demo.used[0])
		first := n.demo.chain.Pay(script, 5e8)
		child := n.demo.chain.Spend([]wire.OutPoint{{Hash: first.TxHash()}}, wire.NewTxOut(4e8, spvtest.Script(1)))
		n.sign(child, script)
		n.dcrspv("broadcast", txHex(t, first))
		n.dcrspv("broadcast", txHex(t, child))
		var doc dropDoc
		want := []string{first.TxHash().String(), child.TxHash().String()}
		if n.json(&doc, "drop", want[0]); !slices.Equal(doc.Dropped, want) {
			t.Errorf("%+v, want %v", doc, want)
		}
		if b := n.balance(); b.Unconfirmed != 0 || b.Total != n.demo.truth.Total {
			t.Errorf("%+v", b)
		}
		n.run("drop", want[0]).wantFailure(t, statusFailed, want[0], "history --unmined")
		inventory := n.count(wire.CmdInv)
		n.dcrspv("sync")
		if n.count(wire.CmdInv) != inventory {
			t.Error("it is announced still")
		}

		// Sent once more it waits again, whoever has it already.
		n.run("broadcast", txHex(t, first)).wantFailure(t, statusFailed, "know it already")
		if text := n.dcrspv("drop", want[0]); !strings.Contains(text, "Forgotten, and announced no more: "+want[0]) {
			t.Error(text)
		}
		c := n.demo.chain.Fork(n.demo.chain.Height())
		c.MineBlock(first)
		n.peers[0].SetChain(c)
		n.dcrspv("sync")
		n.run("drop", want[0]).wantFailure(t, statusFailed, "is in block", "history")
		n.run("broadcast", txHex(t, first)).wantFailure(t, statusFailed, "is in block", "nothing to send")
		n.run("drop", "xyz").wantFailure(t, statusUsage, "xyz", "64 hex digits")
		n.run("drop").wantFailure(t, statusUsage, "TXID")
	})
}

// TestDropSuperseded: a ticket below the price is not announced for now, but would be
// again: that can be ended.
func TestDropSuperseded(t *testing.T) {
	n := newTestNetwork(t, 1)
	n.dcrspv("watch", n.demo.xpub)
	_, script := n.script(n.demo.used[0])
	ticket := n.demo.chain.BuyTicket(spvtest.Ticket{Voting: script, Price: 1e6})
	_, file := n.files()
	w, err := wallet.Open(file, n.demo.params)
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := w.AddUnmined(t.Context(), ticket); !taken || err != nil { // no price is known yet
		t.Fatal(taken, err)
	}
	w.Close()
	n.dcrspv("sync")
	var list []unminedDoc
	if n.json(&list, "history", "--unmined"); len(list) != 1 || list[0].State != "superseded" {
		t.Fatalf("%+v", list)
	}
	id := ticket.TxHash()
	var doc dropDoc
	if n.json(&doc, "drop", id.String()); !slices.Equal(doc.Dropped, []string{id.String()}) {
		t.Errorf("%+v", doc)
	}
	if w, err = wallet.Open(file, n.demo.params); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if report, err := w.Verify(t.Context()); err != nil || report.Unmined != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

package main

import (
	"os"
	"strings"
	"sync"
	"testing"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// TestBroadcastIsWrittenDownFirst: killed the moment the first peer hears of it, the
// wallet has the transaction, and the next run announces it.
// Rule 17.
func TestBroadcastIsWrittenDownFirst(t *testing.T) {
	n := newTestNetwork(t, 0)
	n.dcrspv("watch", n.demo.xpub)
	_, script := n.script(n.demo.used[0])
	tx := n.demo.chain.Pay(script, 5e8)
	_, file := n.files()
	var mu sync.Mutex
	var killed []byte // the wallet as it is in the file then
	n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{
		Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			if inv, ok := msg.(*wire.MsgInv); ok && inv.InvList[0].Hash == tx.TxHash() {
				mu.Lock()
				defer mu.Unlock()
				if killed == nil {
					killed, _ = os.ReadFile(file)
				}
			}
			return false
		},
	}))
	n.dcrspv("broadcast", txHex(t, tx))
	mu.Lock()
	if killed == nil {
		t.Fatal("the peer never heard of it")
	}
	err := os.WriteFile(file, killed, 0o600)
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	n.peers, n.addrs = nil, nil
	delivered := make(chan struct{}, 1)
	n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{
		Hook: func(_ *spvtest.Client, msg wire.Message) bool {
			if _, ok := msg.(*wire.MsgTx); ok {
				delivered <- struct{}{}
			}
			return false
		},
	}))
	run := n.start("run")
	<-delivered
	if status := run.interrupt(); status != statusDone {
		t.Fatalf("status %d: %s", status, run.stderr)
	}
	var waiting []unminedDoc
	if n.json(&waiting, "history", "--unmined"); len(waiting) != 1 || !waiting[0].Own {
		t.Errorf("%+v", waiting)
	}
}

// TestBroadcastTellsWhatIsKnown: how many took it, and whether another one has
// announced it since.
// Rule 26.
func TestBroadcastTellsWhatIsKnown(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 3)
		n.dcrspv("watch", n.demo.xpub)
		_, script := n.script(n.demo.used[0])
		text := n.dcrspv("broadcast", txHex(t, n.demo.chain.Pay(script, 5e8)))
		for _, part := range []string{"Taken by 3 of 3 peers", "for certain at 3", "No other peer has announced it", "dcrspv drop "} {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
		// Nothing is kept of what does not concern the wallet, and nobody listens
		// for one that hears of nothing.
		text = n.dcrspv("broadcast", "--no-relay", txHex(t, n.demo.chain.Pay(spvtest.Script(1), 1e8)))
		if !strings.Contains(text, "Taken by 3 of 3 peers") || strings.Count(text, "\n") != 3 {
			t.Errorf("%q", text)
		}
		var waiting []unminedDoc
		if n.json(&waiting, "history", "--unmined"); len(waiting) != 1 {
			t.Errorf("%+v", waiting)
		}
	})
}

// TestBroadcastToNobody: what is written down and was not sent is not forgotten, and
// the line says so; nor is what nobody asked for.
func TestBroadcastToTheUnwilling(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 0)
		n.addPeer(spvtest.NewPeer(n.demo.chain, spvtest.Behaviour{Silent: map[string]bool{"inv": true}}))
		n.dcrspv("watch", n.demo.xpub)
		_, script := n.script(n.demo.used[0])
		tx := n.demo.chain.Pay(script, 5e8)
		r := n.run("broadcast", txHex(t, tx))
		r.wantFailure(t, statusFailed, "none of 1 peer asked", "dcrspv drop "+tx.TxHash().String())
		var doc dropDoc
		if n.json(&doc, "drop", tx.TxHash().String()); len(doc.Dropped) != 1 || doc.Dropped[0] != tx.TxHash().String() {
			t.Errorf("%+v", doc)
		}
	})
}

// TestBroadcastRefused: what no node would take is neither kept nor sent, and the line
// says why and what to do.
func TestBroadcastRefused(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		inventory := n.count(wire.CmdInv)
		for _, c := range n.demo.truth.Coins {
			if c.Ticket {
				continue
			}
			tx := n.demo.chain.Spend([]wire.OutPoint{c.OutPoint}, wire.NewTxOut(c.Amount-10_000, spvtest.Script(1)))
			n.run("broadcast", txHex(t, tx)).wantFailure(t, statusFailed, "no node would take it", "signature of input 0", "make it anew")
			n.sign(tx, c.Script)
			if !c.Spendable {
				n.run("broadcast", txHex(t, tx)).wantFailure(t, statusFailed, "has to mature until block", "send it again then")
			}
		}
		var waiting []unminedDoc
		if n.json(&waiting, "history", "--unmined"); len(waiting) != 0 || n.count(wire.CmdInv) != inventory {
			t.Errorf("%+v", waiting)
		}
	})
}

// TestBroadcastBehind: of two that spend the same the second is kept and not sent, each
// command says behind which it is, and dropping the first makes room.
func TestBroadcastBehind(t *testing.T) {
	inVirtualTime(t, func(t *testing.T) {
		n := newVirtualNetwork(t, 1)
		n.dcrspv("watch", n.demo.xpub)
		n.dcrspv("sync")
		coin := n.spendable(1)[0]
		send := func(fee int64) (txid, raw string) {
			tx := n.sign(n.demo.chain.Spend([]wire.OutPoint{coin.OutPoint}, wire.NewTxOut(coin.Amount-fee, spvtest.Script(1))), coin.Script)
			return tx.TxHash().String(), txHex(t, tx)
		}
		first, raw := send(10_000)
		n.dcrspv("broadcast", raw)
		second, raw := send(20_000)
		inventory := n.count(wire.CmdInv)
		n.run("broadcast", raw).wantFailure(t, statusFailed, second+" is kept but was not sent", first, "dcrspv drop "+first)
		n.dcrspv("sync")
		want := []unminedDoc{
			{TxID: first, State: unconfirmed, Net: -coin.Amount, Own: true},
			{TxID: second, State: unconfirmed, Own: true, Behind: first},
		}
		var waiting []unminedDoc
		if n.json(&waiting, "history", "--unmined"); !sameUnmined(waiting, want...) {
			t.Errorf("%+v, want %+v", waiting, want)
		}
		if text := n.dcrspv("history"); !strings.Contains(text, "our own, not announced, behind "+first) {
			t.Error(text)
		}
		var coins []utxoDoc
		n.json(&coins, "utxos")
		for _, u := range coins {
			if u.TxID == coin.OutPoint.Hash.String() && u.Index == coin.OutPoint.Index && u.SpentBy != first {
				t.Errorf("%+v", u)
			}
		}
		announced := n.count(wire.CmdInv) - inventory
		if text := n.dcrspv("drop", first); !strings.Contains(text, "Announced by dcrspv run from now on: "+second) {
			t.Error(text)
		}
		n.dcrspv("sync")
		if n.count(wire.CmdInv) == inventory+announced {
			t.Error("the second is not announced")
		}
	})
}

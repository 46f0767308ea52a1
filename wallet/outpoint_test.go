package wallet

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// pointAt is an output to watch, which pays a numbered address.
func pointAt(tx *wire.MsgTx, i uint32, n uint64) OutPoint {
	return OutPoint{Hash: tx.TxHash(), Index: i, Script: scriptN(n)}
}

func watchOutpoints(t *testing.T, w *Wallet, from uint32, points ...OutPoint) {
	t.Helper()
	watch(t, w, Watch{OutPoints: points, From: from})
}

func unwatch(t *testing.T, w *Wallet, what Watch) {
	t.Helper()
	if err := w.Unwatch(background(), what); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
}

// TestOutPoint: one output is a coin like any other, and its spending a debit,
// whoever spends it; what else pays the script does not matter.
func TestOutPoint(t *testing.T) {
	c, w := newWorld(t), open(t)
	tx := c.pay(out(scriptN(1), 5), out(scriptN(1), 7), out(scriptN(2), 9))
	c.mine(c.pay(out(scriptN(1), 3)))
	c.mine(tx)
	c.mine(c.pay(out(scriptN(1), 11)), c.ticket(c.foreignOutput(), addr(1), addr(1), 100, 50))
	watchOutpoints(t, w, 2, pointAt(tx, 1, 1))
	c.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)
	u := utxos(t, w)
	if len(u) != 1 || u[0].TxID != tx.TxHash() || u[0].Index != 1 || u[0].Address != addr(1).String() {
		t.Fatalf("%+v", u)
	}
	c.mine(c.spend([]wire.OutPoint{opOf(tx, 0)}, out(scriptN(1), 4)))
	last := c.spend([]wire.OutPoint{opOf(tx, 1)}, out(foreignScript(1), 6))
	c.mine(last)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	h := history(t, w)
	if len(h) != 2 || h[0].Net != 7 || h[1].Net != -7 || h[1].TxID != last.TxHash() {
		t.Fatalf("%+v", h)
	}
	if got := strings.Join(kinds(logged(t, w)), " "); got != "mined mined" {
		t.Error(got)
	}
}

// TestOutPointLate: an output below the birthday is not found, nor what spends it;
// a lower birthday then counts, and a higher one does not.
func TestOutPointLate(t *testing.T) {
	c, w := newWorld(t), open(t)
	tx := c.pay(out(scriptN(1), 5))
	o := pointAt(tx, 0, 1)
	c.mine(tx)
	c.mine()
	c.mine(c.spend([]wire.OutPoint{opOf(tx, 0)}, out(foreignScript(1), 4)))
	watchOutpoints(t, w, 2, o)
	c.sync(w)
	if h := history(t, w); len(h) != 0 {
		t.Fatalf("%+v", h)
	}
	watchN(t, w, 1, 1)
	c.sync(w)
	unwatch(t, w, Watch{Addresses: []string{addr(1).String()}})
	if h := history(t, w); len(h) != 0 {
		t.Fatalf("kept by an outpoint that begins above: %+v", h)
	}
	watch(t, w, Watch{OutPoints: []OutPoint{o, o}, From: 1, Label: "deposit"})
	watchOutpoints(t, w, 3, o)
	c.sync(w)
	if h := history(t, w); len(h) != 2 {
		t.Fatalf("%+v", h)
	}
	if list, _ := w.Watched(background()); len(list) != 1 || list[0].From != 1 || list[0].Label != "deposit" {
		t.Fatalf("%+v", list)
	}
}

// TestOutPointWrongScript: refused once the wallet has the transaction, mined or
// not; before, nothing is found.
func TestOutPointWrongScript(t *testing.T) {
	c, w := newWorld(t), open(t)
	tx, later := c.pay(out(scriptN(1), 5)), c.pay(out(scriptN(1), 6))
	wrong := func(tx *wire.MsgTx) { // and all that comes with it
		t.Helper()
		for _, o := range []OutPoint{pointAt(tx, 0, 2), pointAt(tx, 1, 1), {Hash: tx.TxHash()}} {
			good := pointAt(c.pay(out(scriptN(3), 1)), 0, 3)
			err := w.Watch(background(), Watch{OutPoints: []OutPoint{good, o}, Scripts: [][]byte{scriptN(4)}})
			if !errors.Is(err, ErrScript) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), tx.TxHash().String()) {
				t.Error(err)
			}
			if w.outpoints[outPoint{good.Hash, 0}] != nil || w.scripts[string(scriptN(4))] != nil {
				t.Error("something was added all the same")
			}
		}
		verify(t, w)
	}
	right := c.pay(out(scriptN(1), 1)) // has the block read
	watchOutpoints(t, w, 0, pointAt(tx, 0, 2), pointAt(right, 0, 1))
	c.mine(tx, right)
	c.sync(w)
	wantBalance(t, w, 1, 0, 0, 0)
	unwatch(t, w, Watch{OutPoints: []OutPoint{pointAt(right, 0, 1)}})
	if h := history(t, w); len(h) != 0 {
		t.Fatalf("%+v", h)
	}
	if err := w.Watch(background(), Watch{OutPoints: []OutPoint{pointAt(tx, 0, 1)}}); !errors.Is(err, ErrScript) {
		t.Errorf("watched with two scripts: %v", err)
	}
	if err := w.Watch(background(), Watch{OutPoints: []OutPoint{pointAt(later, 0, 1), pointAt(later, 0, 2)}}); !errors.Is(err, ErrScript) {
		t.Errorf("given with two scripts: %v", err)
	}
	unwatch(t, w, Watch{OutPoints: []OutPoint{pointAt(tx, 0, 2)}})
	watchN(t, w, 0, 1)
	c.sync(w)
	wrong(tx)
	addUnmined(t, w, later)
	wrong(later)
	watchOutpoints(t, w, 0, pointAt(tx, 0, 1), pointAt(later, 0, 1))
}

// TestOutPointAndScript: an outpoint and its script come and go in any order, with
// blocks in between: the wallet is as one that knew it all from the start.
// Rule 16.
func TestOutPointAndScript(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 8))
		c, w := newWorld(t), open(t)
		first := c.pay(out(scriptN(1), 5), out(scriptN(1), 7))
		future := c.spend([]wire.OutPoint{opOf(first, 0)}, out(scriptN(1), 4), out(scriptN(2), 1))
		points := []OutPoint{pointAt(first, 1, 1), pointAt(future, 0, 1)}
		script := Watch{Scripts: [][]byte{scriptN(1)}}
		var on [3]bool
		for round := range 8 {
			switch round {
			case 1:
				c.mine(first, c.pay(out(scriptN(1), 100)))
			case 3:
				c.mine(future)
			case 5:
				c.mine(c.spend([]wire.OutPoint{opOf(future, 0), opOf(first, 1)}, out(scriptN(1), 2)))
			}
			i := rng.IntN(3)
			what := script
			if i < 2 {
				what = Watch{OutPoints: points[i : i+1]}
			}
			if on[i] = !on[i]; on[i] {
				watch(t, w, what)
			} else {
				unwatch(t, w, what)
			}
			if rng.IntN(2) == 0 {
				c.sync(w)
			}
		}
		c.sync(w)
		ideal := open(t)
		for i, o := range points {
			if on[i] {
				watchOutpoints(t, ideal, 0, o)
			}
		}
		if on[2] {
			watch(t, ideal, script)
		}
		c.sync(ideal)
		if got, want := summaryOf(t, w), summaryOf(t, ideal); got != want {
			t.Fatalf("seed %d, %v: %s\nnot\n%s", seed, on, got, want)
		}
	}
}

// TestScriptAfterOutPoint: the script's coverage begins at its birthday, as debt,
// and what was ignored is found.
func TestScriptAfterOutPoint(t *testing.T) {
	c, w := newWorld(t), open(t)
	tx := c.pay(out(scriptN(1), 5), out(scriptN(1), 7))
	c.mine(tx)
	c.mine()
	watchOutpoints(t, w, 0, pointAt(tx, 0, 1))
	c.sync(w)
	if _, ok, _ := w.NextScan(context.Background(), c.height()); ok {
		t.Fatal("debt after a sync")
	}
	watchN(t, w, 1, 1)
	scan, ok, err := w.NextScan(context.Background(), c.height())
	if err != nil || !ok || scan.Range != (chain.Range{From: 1, To: 2}) {
		t.Fatalf("%+v %v %v", scan, ok, err)
	}
	c.sync(w)
	wantBalance(t, w, 12, 0, 0, 0)
	waits := c.pay(out(scriptN(1), 2))
	watchOutpoints(t, w, 0, pointAt(waits, 0, 1))
	addUnmined(t, w, waits) // counts once
	wantBalance(t, w, 12, 0, 0, 2)
	if log := logged(t, w); log[len(log)-1].Net != 2 || len(log[len(log)-1].Credits) != 1 {
		t.Errorf("%+v", log[len(log)-1])
	}
	unwatch(t, w, Watch{OutPoints: []OutPoint{pointAt(waits, 0, 1)}})
	wantBalance(t, w, 12, 0, 0, 2)
	unwatch(t, w, Watch{Addresses: []string{addr(1).String()}})
	wantBalance(t, w, 5, 0, 0, 0)
	if _, ok, _ := w.NextScan(context.Background(), c.height()); ok {
		t.Error("the outpoint is tested already")
	}
	if err := w.Rescan(background(), 0, 9); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := w.NextScan(context.Background(), c.height()); !ok {
		t.Error("a rescan leaves outpoints out")
	}
	unwatch(t, w, Watch{OutPoints: []OutPoint{{Hash: tx.TxHash()}}})
	if h, ok := w.Birthday(); ok || len(w.ledger.Groups())+len(w.outpoints)+len(w.outpointsOf)+len(history(t, w)) > 0 {
		t.Error("something is left", h)
	}
}

// TestOutPointOfAccount: it uses no address of an account, whether that is watched
// or ahead of the gap.
func TestOutPointOfAccount(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.maxAhead = 20
	key := testXPub(t, 1)
	ahead := scriptOf(keyAddr(t, key, 0, 6))
	tx := c.pay(out(ahead, 5), out(ahead, 6))
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5, OutPoints: []OutPoint{{tx.TxHash(), 0, ahead}}})
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
	if list, _ := w.Watched(background()); list[0].External != 5 {
		t.Errorf("%+v", list)
	}
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 2)), 1)))
	c.sync(w)
	wantBalance(t, w, 12, 0, 0, 0) // now the gap reaches it
	unwatch(t, w, Watch{XPubs: []string{key}})
	wantBalance(t, w, 5, 0, 0, 0)
}

// TestOutPointList: it is listed with what it pays, survives a reopen, is verified,
// and is taken away with or without its script.
func TestOutPointList(t *testing.T) {
	c, w := newWorld(t), open(t)
	tx := c.pay(out(scriptN(1), 5), out(append([]byte{0xbd}, scriptN(2)...), 6))
	o, tagged := pointAt(tx, 0, 1), OutPoint{tx.TxHash(), 1, tx.TxOut[1].PkScript}
	watch(t, w, Watch{OutPoints: []OutPoint{o, tagged}, From: 7, Label: "deal"})
	for range 2 {
		list, err := w.Watched(background())
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		for i, e := range list {
			if e.TxID != tx.TxHash() || e.Index != uint32(i) || string(e.Script) != string(scriptN(uint64(i+1))) ||
				e.Address != addr(uint64(i+1)).String() || e.From != 7 || e.Label != "deal" || e.XPub != "" {
				t.Errorf("%+v", e)
			}
		}
		if from, ok := w.Birthday(); !ok || from != 7 {
			t.Error(from, ok)
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
		verify(t, w)
	}
	labels, err := w.Labels(background())
	if err != nil || len(labels) != 2 || labels[o.String()] != "deal" {
		t.Errorf("%v %v", labels, err)
	}
	if err := w.SetLabel(background(), o.String(), ""); err != nil {
		t.Error(err)
	}
	for _, name := range []string{pointAt(tx, 5, 1).String(), o.String()[1:], o.String() + "x", tx.TxHash().String() + ":"} {
		if err := w.SetLabel(background(), name, "x"); err == nil {
			t.Errorf("%s has a label", name)
		}
	}
	for _, bad := range []OutPoint{pointAt(tx, 0, 2), pointAt(tx, 5, 1), {}} {
		if err := w.Unwatch(background(), Watch{OutPoints: []OutPoint{o, bad}}); !errors.Is(err, ErrNotWatched) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	unwatch(t, w, Watch{OutPoints: []OutPoint{{Hash: o.Hash}, tagged, o}})
	if list, _ := w.Watched(background()); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// TestOutPointUnmined: what makes or spends a watched outpoint concerns the wallet,
// what pays its script otherwise does not.
func TestOutPointUnmined(t *testing.T) {
	for _, known := range []bool{false, true} {
		c, w := newWorld(t), open(t)
		tx := c.pay(out(scriptN(1), 5), out(scriptN(1), 7))
		c.mine()
		watchOutpoints(t, w, 2, pointAt(tx, 0, 1))
		stranger := c.pay(out(scriptN(1), 3))
		spend := c.spend([]wire.OutPoint{opOf(tx, 0)}, out(foreignScript(1), 4))
		other := c.spend([]wire.OutPoint{opOf(tx, 1)}, out(scriptN(1), 4))
		if known {
			addUnmined(t, w, tx)
			wantBalance(t, w, 0, 0, 0, 5)
		}
		for _, no := range []*wire.MsgTx{stranger, other} {
			if taken, err := w.AddUnmined(background(), no); taken || err != nil {
				t.Error("taken", taken, err)
			}
		}
		if _, err := w.AddRelayed(context.Background(), "peer", signed(stranger, other, spend)); err != nil {
			t.Fatal(err)
		}
		want := 1
		if known {
			want = 2
		}
		if list := unmined(t, w); len(list) != want || list[want-1].TxID != spend.TxHash() {
			t.Fatalf("%+v", list)
		}
		wantBalance(t, w, 0, 0, 0, 0)
		addUnmined(t, w, spend)
		c.mine(tx)
		c.mine(spend)
		c.sync(w)
		if list, h := unmined(t, w), history(t, w); len(list) != 0 || len(h) != 2 || h[1].Net != -5 {
			t.Fatalf("%+v %+v", list, h)
		}
		c = c.fork(1)
		c.mine()
		c.mine()
		c.sync(w)
		if list := unmined(t, w); len(list) != 2 || list[0].Net+list[1].Net != 0 {
			t.Fatalf("%+v", list)
		}
		unwatch(t, w, Watch{OutPoints: []OutPoint{pointAt(tx, 0, 1)}})
		if list := unmined(t, w); len(list) != 0 {
			t.Fatalf("%+v", list)
		}
	}
}

// TestOutPointOfTicket: a ticket's own output, whose end the script tells if it is
// also what the ticket commits to pay.
func TestOutPointOfTicket(t *testing.T) {
	c, w := newWorld(t), open(t)
	ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 100, 50)
	other := c.ticket(c.foreignOutput(), addr(2), addr(1), 100, 50)
	watchOutpoints(t, w, 0, pointAt(ticket, 0, 1), pointAt(other, 0, 2))
	watchN(t, w, 0, 2) // who lets the other one vote is watched twice, and not paid
	addUnmined(t, w, ticket)
	wantBalance(t, w, 0, 0, 0, 100)
	c.mine(ticket, other)
	c.sync(w)
	wantBalance(t, w, 0, 0, 100, 0)
	if got := strings.Join(kinds(logged(t, w)), " "); got != "unmined mined" {
		t.Error(got)
	}
	watchN(t, w, 0, 3)
	unwatch(t, w, Watch{Addresses: []string{addr(3).String()}})
	wantBalance(t, w, 0, 0, 100, 0)
	c.mine(c.vote(ticket, addr(1), 101))
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	if h := history(t, w); len(h) != 2 || h[1].Net != -100 {
		t.Fatalf("%+v", h)
	}
}

// TestOutPointOfReceiver: a ticket may be watched for one that it commits to pay, and
// it makes no difference whether the wallet has it already.
func TestOutPointOfReceiver(t *testing.T) {
	c := newWorld(t)
	ticket := c.sharedTicket([]wire.OutPoint{c.foreignOutput(), c.foreignOutput()}, addr(3), 90, stakePart{addr(1), 40, 0}, stakePart{addr(2), 50, 0})
	c.mine(ticket)
	for _, knows := range []bool{false, true} {
		w := open(t)
		if knows {
			watchN(t, w, 0, 1)
			c.sync(w)
		}
		watchOutpoints(t, w, 0, OutPoint{Hash: ticket.TxHash(), Script: scriptN(2)})
		c.sync(w)
		if knows {
			unwatch(t, w, Watch{Addresses: []string{addr(1).String()}})
		}
		wantBalance(t, w, 0, 0, 50, 0)
	}
}

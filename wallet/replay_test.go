package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// replay is what an application makes of the event log, with nothing else to go
// by.
type replay struct {
	log     []Event
	mined   map[hash]Event
	waiting map[hash]Event
	dead    map[hash]Event // that were not in the chain and can't get into it
	tip     uint32
	reach   map[string]uint32 // addresses derived of each branch of a key
}

func newReplay() *replay {
	return &replay{
		mined: make(map[hash]Event), waiting: make(map[hash]Event), dead: make(map[hash]Event),
		reach: make(map[string]uint32),
	}
}

// take takes in the next event.
func (r *replay) take(ev Event) error {
	if ev.Kind == EventTip {
		if ev.Seq != uint64(len(r.log)) {
			return fmt.Errorf("tip with number %d after event %d", ev.Seq, len(r.log))
		}
		r.tip = ev.Block.Height
		return nil
	}
	if ev.Seq != uint64(len(r.log))+1 {
		return fmt.Errorf("event %d after %d", ev.Seq, len(r.log))
	}
	known := false // as it is
	for state, txs := range map[EventKind]map[hash]Event{EventMined: r.mined, EventUnmined: r.waiting, "": r.dead} {
		before, ok := txs[ev.Tx]
		if ok && ev.Kind == state && same(before, ev) {
			return fmt.Errorf("event %d tells what event %d told: %+v", ev.Seq, before.Seq, ev)
		}
		known = known || ok
		delete(txs, ev.Tx)
	}
	switch ev.Kind {
	case EventMined:
		r.mined[ev.Tx] = ev
	case EventUnmined:
		r.waiting[ev.Tx] = ev
	case EventConflicted, EventExpired, EventSuperseded:
		r.dead[ev.Tx] = ev
	case EventRemoved:
		if !known {
			return fmt.Errorf("event %d: %v is gone and never was", ev.Seq, ev.Tx)
		}
	case EventReorg:
		if ev.Block.Height+ev.Depth < r.tip || ev.Depth == 0 {
			return fmt.Errorf("event %d: from tip %d back by %d to %d", ev.Seq, r.tip, ev.Depth, ev.Block.Height)
		}
		r.tip = ev.Block.Height
	case EventDerived:
		branch := fmt.Sprint(ev.XPub, ev.Branch)
		if ev.First > ev.Last || r.reach[branch] > ev.First {
			return fmt.Errorf("event %d: derived %d to %d, after %d", ev.Seq, ev.First, ev.Last, r.reach[branch])
		}
	case EventWithdrawn:
		if ev.First > ev.Last {
			return fmt.Errorf("event %d: withdrawn %d to %d", ev.Seq, ev.First, ev.Last)
		}
	case EventDisapproved:
	default:
		return fmt.Errorf("event of kind %q", ev.Kind)
	}
	r.log = append(r.log, ev)
	return nil
}

// same reports whether two events tell the same.
func same(a, b Event) bool {
	a.Seq = b.Seq
	return reflect.DeepEqual(a, b)
}

// follow takes in what is new in a wallet's log.
func (r *replay) follow(w *Wallet) error {
	last, err := w.LastEvent(context.Background())
	if err != nil {
		return err
	}
	_, some := w.tip()
	if !some && uint64(len(r.log)) == last {
		return nil
	}
	for ev, err := range w.Events(context.Background(), uint64(len(r.log))) {
		if err != nil {
			return err
		}
		if err := r.take(ev); err != nil {
			return err
		}
		if ev.Seq == last && (ev.Kind == EventTip || !some) {
			break
		}
	}
	return nil
}

// lines are history, unspent outputs and what waits as the events have it, sorted,
// and the balance.
func (r *replay) lines() (history, coins, waiting []string, sum Balance, err error) {
	spent := make(map[wire.OutPoint]bool)
	for _, ev := range r.mined {
		for _, d := range ev.Debits {
			op := wire.OutPoint{Hash: d.TxID, Index: d.Index}
			if spent[op] {
				return nil, nil, nil, sum, fmt.Errorf("%v is spent twice", op)
			}
			spent[op] = true
		}
	}
	for _, ev := range r.mined {
		history = append(history, historyLine(ev.Tx, ev.Tree, ev.Block.Height, ev.Block.Hash, int64(ev.Net)))
		net := int64(0)
		for _, d := range ev.Debits {
			net -= int64(d.Amount)
		}
		for _, cr := range ev.Credits {
			net += int64(cr.Amount)
			op := wire.OutPoint{Hash: ev.Tx, Index: cr.Index}
			if spent[op] {
				delete(spent, op)
				continue
			}
			sum.Total += cr.Amount
			switch {
			case cr.Kind == Ticket:
				sum.Staked += cr.Amount
			case cr.Matures <= r.tip+1:
				sum.Spendable += cr.Amount
			default:
				sum.Immature += cr.Amount
			}
			coins = append(coins, replayLine(ev.Tx, cr.Index, ev.Tree, int64(cr.Amount), ev.Block.Height, cr.Kind, cr.Script))
		}
		if net != int64(ev.Net) {
			return nil, nil, nil, sum, fmt.Errorf("event %d: net %d is not %d", ev.Seq, ev.Net, net)
		}
	}
	for op := range spent {
		return nil, nil, nil, sum, fmt.Errorf("%v is spent but was never there", op)
	}
	for _, ev := range r.waiting {
		sum.Unconfirmed += ev.Net
		waiting = append(waiting, waitingLine(ev.Tx, ev.Own, ev.Net, ev.Credits, ev.Debits))
	}
	return sorted(history), sorted(coins), sorted(waiting), sum, nil
}

func replayLine(id hash, index uint32, tree int8, amount int64, height uint32, kind CoinKind, script []byte) string {
	return fmt.Sprintf("%v:%d tree %d amount %d height %d %v %x", id, index, tree, amount, height, kind, script)
}

func waitingLine(id hash, own bool, net dcrutil.Amount, credits []Credit, debits []Debit) string {
	return fmt.Sprintf("%v own %v net %d credits %+v debits %+v", id, own, net, credits, debits)
}

// check compares with a wallet.
func (r *replay) check(t *testing.T, w *Wallet) {
	t.Helper()
	mined, coins, waiting, sum, err := r.lines()
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	var wantHistory, wantCoins, wantWaiting []string
	for _, tx := range history(t, w) {
		wantHistory = append(wantHistory, historyLine(tx.TxID, tx.Tree, tx.Height, tx.Block, int64(tx.Net)))
		if at := r.mined[tx.TxID].Time; !at.Equal(tx.Time) {
			t.Fatalf("%v: at %v, by the events %v", tx.TxID, tx.Time, at)
		}
	}
	for _, u := range utxos(t, w) {
		wantCoins = append(wantCoins, replayLine(u.TxID, u.Index, u.Tree, int64(u.Amount), u.Height, u.Kind, u.Script))
	}
	for _, u := range unmined(t, w) {
		wantWaiting = append(wantWaiting, waitingLine(u.TxID, u.Own, u.Net, u.Credits, u.Debits))
	}
	sameLines(t, "history", "the wallet", sorted(wantHistory), "the events", mined)
	sameLines(t, "outputs", "the wallet", sorted(wantCoins), "the events", coins)
	sameLines(t, "unmined", "the wallet", sorted(wantWaiting), "the events", waiting)
	b := balance(t, w)
	b.ByKind = sum.ByKind
	if b != sum {
		t.Fatalf("balance %+v, by the events %+v", b, sum)
	}
	if ids, _ := w.Locator(context.Background()); len(ids) > 0 && ids[0].Height != r.tip {
		t.Fatalf("tip %d, by the events %d", ids[0].Height, r.tip)
	}
}

// replayed is the log of a wallet, replayed and compared with it.
func replayed(t *testing.T, w *Wallet) *replay {
	t.Helper()
	r := newReplay()
	if err := r.follow(w); err != nil {
		t.Fatal(err)
	}
	r.check(t, w)
	return r
}

// checkCursor reads the log again from somewhere.
func (r *replay) checkCursor(t *testing.T, w *Wallet, cursor uint64) {
	t.Helper()
	if cursor == uint64(len(r.log)) {
		return
	}
	for ev, err := range w.Events(context.Background(), cursor) {
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ev, r.log[cursor]) {
			t.Fatalf("from cursor %d:\n%+v\nnot\n%+v", cursor, ev, r.log[cursor])
		}
		if cursor = ev.Seq; cursor == uint64(len(r.log)) {
			return
		}
	}
}

// sameLines compares two lists of lines.
func sameLines(t *testing.T, what, nameA string, a []string, nameB string, b []string) {
	t.Helper()
	if slices.Equal(a, b) {
		return
	}
	only := func(a, b []string) (out string) {
		for _, line := range a {
			if !slices.Contains(b, line) {
				out += "\n" + line
			}
		}
		return out
	}
	t.Fatalf("%s: only %s has%s\nonly %s%s\n(%d and %d, or their order)", what, nameA, only(a, b), nameB, only(b, a), len(a), len(b))
}

// TestReplayPruned: events that are no longer kept are asked for in vain, and
// all others are there.
// Rule 18.
func TestReplayPruned(t *testing.T) {
	const keep = 20
	rng := rand.New(rand.NewPCG(1, 5))
	c, w := newWorld(t), open(t)
	if err := w.KeepEvents(context.Background(), keep); err != nil {
		t.Fatal(err)
	}
	watchN(t, w, 0, 1)
	r := newReplay()
	var last *wire.MsgTx
	for range 40 {
		tx := c.pay(out(scriptN(1), 1+rng.Int64N(9)))
		if last != nil && rng.IntN(2) == 0 {
			tx = c.spend([]wire.OutPoint{opOf(last, 0)}, out(scriptN(1), 1))
		}
		last = tx
		c.mine(tx)
		c.sync(w)
		if err := r.follow(w); err != nil {
			t.Fatal(err)
		}
		r.check(t, w)
		for cursor := range uint64(len(r.log)) {
			if cursor+keep >= uint64(len(r.log)) {
				r.checkCursor(t, w, cursor)
				continue
			}
			for ev, err := range w.Events(context.Background(), cursor) {
				if !errors.Is(err, ErrCursorTooOld) {
					t.Fatalf("cursor %d of %d: %+v, %v", cursor, len(r.log), ev, err)
				}
			}
		}
	}
	if len(r.log) < 2*keep || r.mined[last.TxHash()].Tx == (chainhash.Hash{}) {
		t.Fatalf("%d events", len(r.log))
	}
}

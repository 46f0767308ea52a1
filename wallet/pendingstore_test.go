package wallet

import (
	"context"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// wantNothing: neither in the chain nor waiting is anything the wallet's.
func wantNothing(t *testing.T, w *Wallet) {
	t.Helper()
	wantBalance(t, w, 0, 0, 0, 0)
	if h, u := history(t, w), unmined(t, w); len(h) != 0 || len(u) != 0 {
		t.Fatalf("history %+v, unmined %+v", h, u)
	}
	verify(t, w)
}

// TestMinedBelowTheBirthday: what waits and is mined below the birthday of all that it
// pays is no part of the wallet, as if it had never waited, and waits no more.
// Rule 15.
func TestMinedBelowTheBirthday(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.mine()
	c.sync(w)
	watchN(t, w, c.height()+3, 2)
	tx := c.pay(out(scriptN(2), 7))
	addUnmined(t, w, tx)
	wantBalance(t, w, 0, 0, 0, 7)
	c.mine(tx)
	c.sync(w)
	wantNothing(t, w)

	// Above the birthday it counts.
	d := c.fork(2)
	mineTo(d, 5)
	d.mine(tx)
	d.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)

	// A reorg below the birthday has it mined lower still.
	c = d.fork(1)
	c.mine(tx)
	mineTo(c, 7)
	c.sync(w)
	wantNothing(t, w)
	if list, err := w.Watched(background()); err != nil || list[0].From+list[1].From != 5 {
		t.Fatalf("%+v, %v", list, err)
	}
}

// TestReorgLowersWhatWaits: what waits may be mined in any block above the fork once
// the chain is undone, and may be in the one at the fork, which may have been
// disapproved. So it is looked for from there on.
func TestReorgLowersWhatWaits(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	mineTo(c, 3)
	c.sync(w)
	watchN(t, w, 100, 2)
	if err := w.Unwatch(background(), watching(1)); err != nil { // nothing else is to be tested again
		t.Fatal(err)
	}
	tx := c.pay(out(scriptN(2), 7))
	addUnmined(t, w, tx)
	for _, fork := range []uint32{2, 1} {
		if err := w.Rewind(context.Background(), c.id(fork)); err != nil {
			t.Fatal(err)
		}
		covered := w.ledger.Covered(w.scripts[string(scriptN(2))])
		if covered.Contains(fork) || !covered.Contains(fork-1) {
			t.Fatalf("looked for outside of %v, the fork is %d", covered, fork)
		}
	}
	d := c.fork(1)
	d.mine(tx)
	d.sync(w)
	wantNothing(t, w)
}

// TestApprovedAfterAll: what was mined twice, as the block that had it first was
// disapproved below its birthday, counts as mined there if the new branch approves.
func TestApprovedAfterAll(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 3, 1)
	tx := c.pay(out(scriptN(1), 7))
	c.mine()
	c.mine(tx)
	c.mineVoted(false)
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)
	d := c.fork(2)
	for range 4 {
		d.mine()
	}
	d.sync(w)
	wantNothing(t, w)
}

// TestWatchedLater: a script of a transaction that waits already is looked for
// from the same height on, whatever its birthday.
func TestWatchedLater(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	tx := c.pay(out(scriptN(1), 5), out(scriptN(2), 7))
	addUnmined(t, w, tx)
	watchN(t, w, 100, 2)
	if err := w.Unwatch(background(), Watch{Addresses: []string{addr(1).String()}}); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 7)
	c.mine(tx)
	c.sync(w)
	wantNothing(t, w)
}

// TestReorgReturns: revocations and treasury spends wait to be mined again.
// Rule 8.
func TestReorgReturns(t *testing.T) {
	c, w, _ := branching(t)
	ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 29, 0)
	c.mine(ticket)
	fork := c.height()
	revoked, paid := c.revoke(ticket, addr(1), 28), c.tspend(addr(1), 30)
	c.mine(revoked, paid)
	c.sync(w)
	wantBalance(t, w, 100, 58, 0, 0)
	d := c.fork(fork)
	for range 3 {
		d.mine()
	}
	d.sync(w)
	wantBalance(t, w, 100, 0, 29, 29) // -1 for the ticket, 30 from the treasury
	d.mine(paid)
	d.mine(c.vote(ticket, addr(1), 31)) // on this branch it was not missed
	d.sync(w)
	wantBalance(t, w, 100, 61, 0, 0)
	if _, of := lastEvents(t, w, 0); of[revoked.TxHash()].Kind != EventConflicted {
		t.Fatalf("%+v", of[revoked.TxHash()])
	}
}

// TestLateParent: a transaction whose parent is found to be dead only later is
// dead as well.
func TestLateParent(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	parent := c.pay(out(scriptN(2), 10))
	parent.Expiry = 3
	child := c.spend(outPoints(parent, 0), out(scriptN(1), 9))
	c.mine(parent, child)
	c.mineVoted(false)
	c.mine()
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 9)
	watchN(t, w, 0, 2)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	got, of := lastEvents(t, w, 2)
	if !slices.Equal(got, []string{"expired", "conflicted"}) || of[child.TxHash()].By != parent.TxHash() {
		t.Fatalf("events %v", got)
	}
}

// TestDeadChildOfVoid: what spends a void transaction does not come back to life
// when the rival that had killed it is undone.
func TestDeadChildOfVoid(t *testing.T) {
	c, w, _ := branching(t)
	reward := c.coinbase(scriptN(1), 30)
	c.mine(reward)
	parent := c.spend(outPoints(reward, 0), out(scriptN(1), 29))
	c.mine(parent)
	c.sync(w)
	addUnmined(t, w, c.spend(outPoints(parent, 0), out(scriptN(2), 28)))
	c.mine(c.spend(outPoints(parent, 0), out(scriptN(2), 27))) // kills it
	c.sync(w)
	onBranch(t, c, w)
	wantBalance(t, w, 100, 0, 0, 0)
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("unmined %+v", u)
	}
}

// TestTicketAndRevocationUndone: both wait, and the one takes what the other pays.
func TestTicketAndRevocationUndone(t *testing.T) {
	for _, mined := range []bool{false, true} {
		c, w, _ := branching(t)
		ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 29, 0)
		c.mine(ticket)
		revoked := c.revoke(ticket, addr(1), 28)
		if mined {
			c.mine(revoked)
		}
		c.sync(w)
		onBranch(t, c, w)
		addUnmined(t, w, revoked)
		wantBalance(t, w, 100, 0, 0, 28)
		_, of := lastEvents(t, w, 0)
		for _, u := range unmined(t, w) {
			want := map[hash]dcrutil.Amount{ticket.TxHash(): 29, revoked.TxHash(): -1}[u.TxID]
			if ev := of[u.TxID]; u.Net != want || ev.Net != want || ev.Kind != EventUnmined {
				t.Fatalf("net %d, not %d; %+v", u.Net, want, ev)
			}
		}
	}
}

// TestStrangersDisapproved: what a stranger's transaction had killed lives again
// when its block is disapproved, though nothing else of that is the wallet's.
func TestStrangersDisapproved(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	mine := c.pay(out(scriptN(1), 5))
	addUnmined(t, w, mine)
	c.mine(c.spend([]wire.OutPoint{mine.TxIn[0].PreviousOutPoint}), c.ticket(c.foreignOutput(), addr(1), addr(1), 20, 0))
	c.sync(w)
	wantBalance(t, w, 0, 0, 20, 0)
	c.mineVoted(false)
	c.sync(w)
	wantBalance(t, w, 0, 0, 20, 5)
	c.mine(mine)
	c.sync(w)
	wantBalance(t, w, 5, 0, 20, 0)
}

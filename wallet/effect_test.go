package wallet

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// teller reads what is new in a log, with names for transactions.
type teller struct {
	t      *testing.T
	w      *Wallet
	names  map[hash]string
	cursor int
}

func newTeller(t *testing.T, w *Wallet) *teller {
	return &teller{t: t, w: w, names: make(map[hash]string)}
}

func (s *teller) name(name string, tx *wire.MsgTx) *wire.MsgTx {
	s.names[tx.TxHash()] = name
	return tx
}

// want compares what is new, of each event its kind and transaction, and for what
// waits its net effect and the indices and sums of credits and debits. And all of
// the log must make the wallet.
func (s *teller) want(want ...string) {
	s.t.Helper()
	verify(s.t, s.w)
	replayed(s.t, s.w)
	log := logged(s.t, s.w)
	var got []string
	for _, ev := range log[s.cursor:] {
		line := string(ev.Kind)
		if name := s.names[ev.Tx]; name != "" {
			line += " " + name
		}
		if ev.Kind == EventUnmined {
			var pays, takes dcrutil.Amount
			for _, cr := range ev.Credits {
				pays += cr.Amount
			}
			for _, d := range ev.Debits {
				takes += d.Amount
			}
			line += fmt.Sprintf(" %d = %d-%d", ev.Net, pays, takes)
			if ev.Own {
				line += " own"
			}
		}
		got = append(got, line)
	}
	s.cursor = len(log)
	if !slices.Equal(got, want) {
		s.t.Fatalf("told\n%q\nnot\n%q", got, want)
	}
}

// funded is a wallet with a coin of 100 of address 1, and nothing of 2 and 3.
func funded(t *testing.T) (*world, *Wallet, *teller, *wire.MsgTx) {
	t.Helper()
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	s := newTeller(t, w)
	s.name("fund", fund)
	s.want("mined fund")
	return c, w, s, fund
}

// TestRivalsAreTold: of several transactions that spend the same output the log
// says which one counts, also when that changes.
func TestRivalsAreTold(t *testing.T) {
	c, w, s, fund := funded(t)
	first := s.name("first", c.spend(outPoints(fund, 0), out(scriptN(1), 70)))
	child := s.name("child", c.spend(outPoints(first, 0), out(scriptN(1), 60)))
	second := s.name("second", c.spend(outPoints(fund, 0), out(scriptN(1), 99)))
	ours := s.name("ours", c.spend(outPoints(fund, 0), out(foreignScript(1), 50), out(scriptN(1), 49)))
	seen(t, w, first, child)
	s.want("unmined first -30 = 70-100", "unmined child -10 = 60-70")
	seen(t, w, second)
	s.want("unmined second 0 = 99-100")
	addUnmined(t, w, ours)
	s.want("unmined first 0 = 70-100", "unmined child 0 = 60-70", "unmined ours -51 = 49-100 own")
	addUnmined(t, w, second) // of two own ones that which was ours first
	s.want("unmined second 0 = 99-100 own")
	if err := w.DropUnmined(background(), second.TxHash()); err != nil {
		t.Fatal(err)
	}
	s.want("removed second")
	w = openAt(t, reclose(t, w))
	s.w = w
	seen(t, w, first, child, ours)
	addUnmined(t, w, ours)
	s.want()
	c.mine(first)
	c.sync(w)
	s.want("conflicted ours", "mined first", "unmined child -10 = 60-70")
	c = c.fork(1)
	c.mine()
	c.mine()
	c.sync(w)
	s.want("reorg", "unmined child 0 = 60-70", "unmined ours -51 = 49-100 own", "unmined first 0 = 70-100")
}

func reclose(t *testing.T, w *Wallet) (path string) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.path
}

// TestParentGoes: what a transaction takes from the wallet goes with the one that
// paid it, if it stays itself.
func TestParentGoes(t *testing.T) {
	c, w, s, _ := funded(t)
	daily := *params
	daily.TargetTimePerBlock = keepStale
	w.params, w.pool.keep = &daily, keepBlocks(&daily)
	parent := s.name("parent", c.pay(out(scriptN(1), 10)))
	child := s.name("child", c.spend(outPoints(parent, 0), out(scriptN(1), 9)))
	seen(t, w, parent)
	c.mine()
	c.sync(w)
	seen(t, w, child)
	s.want("unmined parent 10 = 10-0", "unmined child -1 = 9-10")
	c.mine()
	c.sync(w)
	s.want("removed parent", "unmined child 9 = 9-0")

	// As much is found at once as goes.
	parent = s.name("parent 2", c.pay(out(scriptN(1), 10)))
	coin := s.name("coin", c.pay(out(scriptN(1), 10)))
	child = s.name("child 2", c.spend([]wire.OutPoint{opOf(parent, 0), opOf(coin, 0)}, out(scriptN(1), 9)))
	seen(t, w, parent)
	c.mine()
	c.sync(w)
	seen(t, w, child)
	s.want("unmined parent 2 10 = 10-0", "removed child", "unmined child 2 -1 = 9-10")
	c.mine(coin)
	c.sync(w)
	s.want("mined coin", "removed parent 2", "unmined child 2 -1 = 9-10")
}

// TestTicketsWait: of a ticket that waits its own output counts if the wallet pays
// for it or is paid by it. What is worth nothing does not.
func TestTicketsWait(t *testing.T) {
	c, w, s, fund := funded(t)
	stranger := addr(1<<40 + 1)
	seen(t, w, s.name("bought", c.ticket(opOf(fund, 0), addr(1), stranger, 80, 5)))
	s.want("unmined bought -100 = 0-100")
	seen(t, w, s.name("gift", c.ticket(c.foreignOutput(), addr(1), addr(1), 70, 0)))
	s.want("unmined gift 70 = 70-0")
	theirs := c.ticket(c.foreignOutput(), addr(1), stranger, 60, 5)
	_, theirs.TxOut[2].PkScript = addr(1).StakeChangeScript()
	seen(t, w, s.name("theirs", theirs))
	seen(t, w, s.name("empty", c.pay(out(scriptN(1), 0), out(scriptN(1), 3))))
	s.want("unmined theirs 5 = 5-0", "unmined empty 3 = 3-0")
	if u := unmined(t, w); len(u) != 4 || len(u[3].Credits) != 1 || u[3].Credits[0].Index != 1 {
		t.Fatalf("%+v", u)
	}
}

// TestNothingToTell: a change that effects do not follow from looks for none.
func TestNothingToTell(t *testing.T) {
	c, w, s, _ := funded(t)
	tx := s.name("tx", c.pay(out(scriptN(1), 1)))
	addUnmined(t, w, tx)
	s.want("unmined tx 1 = 1-0 own")
	p := w.pool.byID[tx.TxHash()]
	good := p.logged
	p.logged = "something else"
	if w.memoryDiffers() == nil {
		t.Error("not noticed")
	}
	c.mine()
	c.step(w, c.height(), nil)
	p.logged = good
	s.want()
}

// TestCoinFoundLater: that a transaction which waits spends a coin is told when a
// scan finds the coin.
func TestCoinFoundLater(t *testing.T) {
	c, w, s, fund := funded(t)
	coin := s.name("coin", c.pay(out(scriptN(2), 50)))
	c.mine(coin)
	c.sync(w)
	tx := s.name("tx", c.spend([]wire.OutPoint{opOf(fund, 0), opOf(coin, 0)}, out(scriptN(1), 149)))
	addUnmined(t, w, tx)
	s.want("unmined tx 49 = 149-100 own")
	watchN(t, w, 0, 2)
	s.want()
	c.sync(w)
	s.want("mined coin", "unmined tx -1 = 149-150 own")
	if err := w.Rescan(background(), 0, 100); err != nil {
		t.Fatal(err)
	}
	c.sync(w)
	watch(t, w, Watch{Addresses: []string{addr(2).String()}, Label: "savings"})
	s.want()
}

// TestWatchedWhileWaiting: what a transaction that waits pays changes with what is
// watched, by itself or through an account, and there with what waits before the gap.
func TestWatchedWhileWaiting(t *testing.T) {
	c, w, s, _ := funded(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 1)
	tx := c.pay(out(scriptN(1), 1), out(scriptN(2), 2), out(scriptOf(keyAddr(t, key, 0, 7)), 4))
	addUnmined(t, w, s.name("tx", tx))
	s.want("unmined tx 1 = 1-0 own")
	watchN(t, w, 50, 2)
	s.want("unmined tx 3 = 3-0 own")
	watchOutpoints(t, w, 0, pointAt(tx, 1, 2))
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5})
	s.want()
	used := s.name("used", c.pay(out(scriptOf(keyAddr(t, key, 0, 3)), 8)))
	seen(t, w, used)
	s.want("unmined tx 7 = 7-0 own", "unmined used 8 = 8-0")
	unwatch(t, w, Watch{Addresses: []string{addr(2).String(), addr(1).String()}})
	s.want("removed fund", "unmined tx 6 = 6-0 own")
	unwatch(t, w, Watch{OutPoints: []OutPoint{pointAt(tx, 1, 2)}})
	s.want("unmined tx 4 = 4-0 own")
	unwatch(t, w, Watch{XPubs: []string{key}})
	s.want("removed tx", "removed used")
}

// TestOneChange: what comes and goes in one change is told once, behind its cause.
// Rule 18.
func TestOneChange(t *testing.T) {
	c, w, s, fund := funded(t)
	pay := s.name("pay", c.spend(outPoints(fund, 0), out(scriptN(1), 90)))
	voided := s.name("voided", c.pay(out(scriptN(1), 5)))
	c.mine(pay, voided)
	c.sync(w)
	s.want("mined pay", "mined voided")
	// The next block disapproves it and has one of its transactions and a rival of
	// the other. One of a further void block is spent at once.
	thief := s.name("thief", c.spend(outPoints(fund, 0), out(scriptN(1), 1)))
	c.mineVoted(false, thief, voided)
	lost := s.name("lost", c.pay(out(scriptN(1), 7)))
	c.mine(lost)
	c.mineVoted(false, c.spend([]wire.OutPoint{lost.TxIn[0].PreviousOutPoint}), s.name("last", c.pay(out(scriptN(1), 3))))
	c.sync(w)
	s.want("disapproved", "conflicted pay", "mined thief", "mined voided", "disapproved", "conflicted lost", "mined last")

	// What spends a coinbase goes with it.
	fork := c.height()
	reward := s.name("reward", c.coinbase(scriptN(1), 30))
	c.mine(reward)
	c.mine(s.name("spent", c.spend(outPoints(reward, 0), out(scriptN(1), 29))))
	c.sync(w)
	s.want("mined reward", "mined spent")
	if err := w.Rewind(context.Background(), c.id(fork)); err != nil {
		t.Fatal(err)
	}
	s.want("reorg", "removed reward", "removed spent")
}

// TestShareOfALostTicket: how much of a ticket is the wallet's is told also while
// another transaction comes first, so that its net effect is 0 before and after.
func TestShareOfALostTicket(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	op := c.foreignOutput()
	addUnmined(t, w, c.spend([]wire.OutPoint{op}, out(scriptN(1), 7)))
	ticket := c.sharedTicket([]wire.OutPoint{op, c.foreignOutput()}, addr(1), 90, stakePart{addr(1), 45, 0}, stakePart{addr(2), 45, 0})
	seen(t, w, ticket)
	for _, want := range []dcrutil.Amount{45, 90} {
		log := logged(t, w)
		if last := log[len(log)-1]; last.Tx != ticket.TxHash() || last.Net != 0 || last.Credits[0].Amount != want {
			t.Errorf("told: %+v", last)
		}
		watchN(t, w, 0, 2)
	}
}

// TestNothingHidesATheft: what takes coins of ours counts before what anybody can make
// up, and if another one of that kind comes first the owner is told of both.
// Rule 13.
func TestNothingHidesATheft(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund, alien := c.pay(out(scriptN(1), 100)), c.foreignOutput()
	c.mine(fund)
	c.sync(w)
	gift := c.spend([]wire.OutPoint{alien}, out(scriptN(1), 7))
	theft := c.spend([]wire.OutPoint{alien, opOf(fund, 0)}, out(foreignScript(1), 99))
	second := c.spend(outPoints(fund, 0), out(foreignScript(2), 98))
	seen(t, w, gift, theft, second)
	wantBalance(t, w, 100, 0, 0, -100)
	u := unmined(t, w)
	if len(u) != 3 || u[0].Behind != theft.TxHash() || u[1].Behind != (hash{}) || u[2].Behind != theft.TxHash() {
		t.Fatalf("%+v", u)
	}
	told := 0
	for _, ev := range logged(t, w) {
		if ev.Kind == EventUnmined && len(ev.Debits) == 1 && (ev.Tx == theft.TxHash() || ev.Tx == second.TxHash()) {
			told++
		}
	}
	if told != 2 {
		t.Errorf("told %d times", told)
	}
}

// TestWhatABlockHadComesFirst: a payment whose block has left the chain counts before one
// that a peer has made up since.
func TestWhatABlockHadComesFirst(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	alien := c.foreignOutput()
	paid := c.spend([]wire.OutPoint{alien}, out(scriptN(1), 5))
	c.mine()
	c.mine(paid)
	c.sync(w)
	seen(t, w, c.spend([]wire.OutPoint{alien}, out(scriptN(1), 7)))
	wantBalance(t, w, 5, 0, 0, 7) // that the output was spent nobody can tell
	if err := w.Rewind(context.Background(), c.id(1)); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 5)
}

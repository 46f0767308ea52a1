package wallet

import (
	"context"
	"testing"

	"github.com/decred/dcrd/wire"
)

// keyed is a world and a wallet that watches an account with a gap of 5, and pays to
// its external addresses.
type keyed struct {
	*world
	w   *Wallet
	key string
}

func newKeyed(t *testing.T, from uint32) *keyed {
	k := &keyed{newWorld(t), open(t), testXPub(t, 1)}
	watch(t, k.w, Watch{XPubs: []string{k.key}, Gap: 5, From: from})
	return k
}

func (k *keyed) script(index uint32) []byte { return scriptOf(keyAddr(k.t, k.key, 0, index)) }

func (k *keyed) address(index uint32) string { return keyAddr(k.t, k.key, 0, index).String() }

func (k *keyed) payTo(index uint32, amount int64) *wire.MsgTx {
	return k.pay(out(k.script(index), amount))
}

func (k *keyed) reaches(want uint32) {
	k.t.Helper()
	if list, err := k.w.Watched(background()); err != nil || list[0].External != want {
		k.t.Fatalf("%+v, %v; want %d", list, err, want)
	}
}

// waits checks what waits.
func (k *keyed) waits(txs ...*wire.MsgTx) {
	k.t.Helper()
	list := unmined(k.t, k.w)
	got := make(map[hash]bool)
	for _, u := range list {
		got[u.TxID] = true
	}
	for i, tx := range txs {
		if !got[tx.TxHash()] {
			k.t.Errorf("transaction %d does not wait", i)
		}
	}
	if len(list) != len(txs) {
		k.t.Errorf("%d wait, want %d", len(list), len(txs))
	}
}

// TestReorgKeepsTheOwners: a reorg that replaces the block of a use, and has the use
// again, takes nothing from the owner that waits to be mined.
func TestReorgKeepsTheOwners(t *testing.T) {
	k := newKeyed(t, 0)
	coin := k.payTo(7, 100)
	k.mine(coin)
	fork := k.height()
	reach := k.payTo(4, 1)
	k.mine(reach)
	k.sync(k.w)
	wantBalance(t, k.w, 101, 0, 0, 0)
	payment := k.spend(outPoints(coin, 0), out(foreignScript(1), 99))
	addUnmined(t, k.w, payment)
	wantBalance(t, k.w, 101, 0, 0, -100)
	d := k.fork(fork)
	d.mine(reach)
	d.mine()
	d.sync(k.w)
	wantBalance(t, k.w, 101, 0, 0, -100)
	if list, err := k.w.Pending(context.Background()); err != nil || len(list) != 1 {
		t.Fatalf("%d are to be announced, %v", len(list), err)
	}
}

// TestOwnersOutlivesWhatHadItAwaited: what AddUnmined has taken waits until it is mined
// or can't be, whatever becomes of a stranger's transaction.
func TestOwnersOutlivesWhatHadItAwaited(t *testing.T) {
	k := newKeyed(t, 0)
	watchN(t, k.w, 0, 1)
	k.sync(k.w)
	reach, own := k.payTo(4, 1), k.payTo(7, 2)
	seen(t, k.w, reach)
	addUnmined(t, k.w, own)
	k.waits(reach, own)
	k.mine(k.spend([]wire.OutPoint{reach.TxIn[0].PreviousOutPoint}, out(scriptN(1), 5))) // instead of it
	k.sync(k.w)
	if list, err := k.w.Pending(context.Background()); err != nil || len(list) != 1 {
		t.Fatalf("%d are to be announced, %v", len(list), err)
	}
}

// TestUnwatchedByItselfAndWithdrawn: coins go with the reach of an account that had
// only reached them by uses below its birthday.
func TestUnwatchedByItselfAndWithdrawn(t *testing.T) {
	k := newKeyed(t, 10)
	both := Watch{Addresses: []string{k.address(4), k.address(7)}}
	watch(t, k.w, both)
	mineTo(k.world, 4)
	k.mine(k.payTo(4, 1), k.payTo(7, 2))
	mineTo(k.world, 14)
	k.mine(k.payTo(7, 4))
	mineTo(k.world, 20)
	k.sync(k.w)
	wantBalance(t, k.w, 7, 0, 0, 0)
	k.reaches(5) // what is used below its birthday is no use of the account
	unwatch(t, k.w, both)
	verify(t, k.w)
	k.sync(k.w)
	wantBalance(t, k.w, 0, 0, 0, 0)
}

// TestWithdrawnWhileTestedAnew: the same, in a reorg right after the birthday rose.
func TestWithdrawnWhileTestedAnew(t *testing.T) {
	k := newKeyed(t, 10)
	seven := Watch{Addresses: []string{k.address(7)}}
	watch(t, k.w, seven)
	mineTo(k.world, 4)
	k.mine(k.payTo(7, 2))
	mineTo(k.world, 14)
	k.mine(k.payTo(7, 4))
	fork := k.height()
	k.mine(k.payTo(4, 1))
	k.sync(k.w)
	wantBalance(t, k.w, 7, 0, 0, 0)
	unwatch(t, k.w, seven) // from 10 on now, and its use there is to be found again
	d := k.fork(fork)
	mineTo(d, 20)
	d.locate(k.w)
	verify(t, k.w)
	d.sync(k.w)
	wantBalance(t, k.w, 0, 0, 0, 1)
}

// TestShareGoesWithTheReach: of a ticket counts only what commits to pay what is
// watched, found or not.
func TestShareGoesWithTheReach(t *testing.T) {
	k := newKeyed(t, 0)
	watchN(t, k.w, 0, 1, 2)
	ops := []wire.OutPoint{k.foreignOutput(), k.foreignOutput()}
	k.mine(k.sharedTicket(ops, addr(1), 100, stakePart{addr(1), 50, 0}, stakePart{keyAddr(t, k.key, 0, 12), 50, 0}),
		k.pay(out(scriptN(2), 1)))
	mineTo(k.world, 3)
	k.sync(k.w)
	wantBalance(t, k.w, 1, 0, 50, 0)
	k.mine(k.payTo(4, 1))
	k.mine(k.payTo(9, 1)) // reaches 12
	k.locate(k.w)
	k.step(k.w, k.height(), nil)
	k.reaches(15)
	unwatch(t, k.w, watching(2))
	d := k.fork(3)
	mineTo(d, 8)
	d.locate(k.w)
	verify(t, k.w)
	d.sync(k.w)
	if got := balance(t, k.w).Staked; got != 50 {
		t.Fatalf("staked %d", got)
	}
}

// TestOwnersMarkComesBack: a transaction of the owner that leaves the wallet with the
// reach of an account, and comes back with it, is still the owner's when its own block
// is undone: it is announced again.
func TestOwnersMarkComesBack(t *testing.T) {
	k := newKeyed(t, 0)
	start := k.height()
	own, reach := k.payTo(7, 100), k.payTo(4, 1)
	k.mine(own)
	fork := k.height()
	k.mine(reach)
	k.sync(k.w)
	addUnmined(t, k.w, own)
	d := k.fork(fork)
	d.mine(reach)
	d.mine()
	d.sync(k.w)
	wantBalance(t, k.w, 101, 0, 0, 0)
	e := d.fork(start)
	e.mine(reach)
	mineTo(e, 5)
	e.sync(k.w)
	wantBalance(t, k.w, 1, 0, 0, 100)
	if list, err := k.w.Pending(context.Background()); err != nil || len(list) != 1 {
		t.Fatalf("%d are to be announced, %v", len(list), err)
	}
}

// TestWithdrawnAreTestedTogether: what one use had reached, and a reorg of its block
// took away, is tested in a few scans when it is reached again, whatever it was used in.
// Rule 16.
func TestWithdrawnAreTestedTogether(t *testing.T) {
	k := newKeyed(t, 0)
	for i := range uint32(40) {
		k.mine(k.payTo(5+i, 1))
	}
	fork := k.height()
	use := k.payTo(4, 1)
	k.mine(use)
	k.sync(k.w)
	wantBalance(t, k.w, 41, 0, 0, 0)
	if err := k.w.Rewind(context.Background(), k.id(fork)); err != nil {
		t.Fatal(err)
	}
	if n := len(k.w.ledger.Groups()); n > 5 {
		t.Errorf("%d groups", n)
	}
	d := k.fork(fork)
	d.mine(use)
	d.mine()
	scans := 0
	for d.step(k.w, d.height(), nil) {
		scans++
	}
	wantBalance(t, k.w, 41, 0, 0, 0)
	if scans > 10 {
		t.Errorf("%d scans", scans)
	}
}

// TestLowestUseCounts: a use stays as long as any block has it, whichever was found
// first.
func TestLowestUseCounts(t *testing.T) {
	k := newKeyed(t, 6)
	mineTo(k.world, 2)
	k.mine(k.payTo(4, 1))
	mineTo(k.world, 8)
	fork := k.height()
	k.mine(k.payTo(4, 2))
	k.sync(k.w)
	k.reaches(10)
	watch(t, k.w, Watch{XPubs: []string{k.key}, From: 1}) // finds the one below
	k.sync(k.w)
	d := k.fork(fork)
	mineTo(d, 12)
	d.sync(k.w)
	k.reaches(10)
	verify(t, k.w)
}

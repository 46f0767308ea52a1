package wallet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/decred/dcrd/wire"
)

// TestWhatWaitsCountsBehindTheGap: what waits and pays one address behind the other is
// seen a gap further than what is watched, and moves nothing of that.
func TestWhatWaitsCountsBehindTheGap(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	pay := func(index uint32, amount int64) { seen(t, w, c.pay(out(scriptOf(keyAddr(t, key, 0, index)), amount))) }
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5})
	c.sync(w)
	pay(7, 1) // nothing reaches it yet
	wantBalance(t, w, 0, 0, 0, 0)
	pay(4, 2)
	pay(7, 4)
	pay(9, 8)
	pay(10, 16) // more than a gap further
	wantBalance(t, w, 0, 0, 0, 2+4+8)
	if list, err := w.Watched(t.Context()); err != nil || list[0].External != 5 {
		t.Fatalf("%+v, %v", list, err)
	}
	w = openAt(t, reclose(t, w))
	wantBalance(t, w, 0, 0, 0, 2+4+8)
	verify(t, w)
	for _, u := range unmined(t, w)[:1] { // without it nothing reaches the others
		if err := w.DropUnmined(t.Context(), u.TxID); err != nil {
			t.Fatal(err)
		}
	}
	wantBalance(t, w, 0, 0, 0, 0)
	if list := unmined(t, w); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	verify(t, w)
}

// TestHearsayLeavesTheWatchSet: who knows the key and makes up transactions to ever
// further addresses does not make the watch set grow.
// Rules 13 and 20.
func TestHearsayLeavesTheWatchSet(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	before := len(w.scripts)
	for i := range uint32(20) {
		tx := c.pay()
		for k := range uint32(130) {
			tx.AddTxOut(out(scriptOf(keyAddr(t, key, 0, (130*i+k)*19+18)), 1))
		}
		seen(t, w, tx)
	}
	if list, err := w.Watched(t.Context()); err != nil || list[0].External != 20 || len(w.scripts) != before {
		t.Fatalf("%d scripts, %d before; %+v, %v", len(w.scripts), before, list, err)
	}
}

// TestAwaitedIsLookedForAgain: what pays an awaited script and is mined waits no more,
// though a block has used the script before.
func TestAwaitedIsLookedForAgain(t *testing.T) {
	k := newKeyed(t, 0)
	k.mine(k.payTo(7, 1)) // beyond the gap
	k.sync(k.w)
	reach, paid := k.payTo(4, 2), k.payTo(7, 4)
	addUnmined(t, k.w, reach) // has 7 awaited
	addUnmined(t, k.w, paid)
	k.waits(reach, paid)
	k.mine(paid)
	k.sync(k.w)
	k.waits(reach)
	wantBalance(t, k.w, 0, 0, 0, 2)
}

// TestAwaitedMinedBelowTheBirthday: an awaited script alone is looked for below its
// birthday.
func TestAwaitedMinedBelowTheBirthday(t *testing.T) {
	k := newKeyed(t, 100)
	watch(t, k.w, Watch{Addresses: []string{k.address(4)}}) // tested on all blocks itself
	mineTo(k.world, 3)
	k.sync(k.w)
	reach, paid := k.payTo(4, 2), k.payTo(7, 4)
	addUnmined(t, k.w, reach)
	addUnmined(t, k.w, paid)
	d := k.fork(k.height())
	k.mine()
	k.sync(k.w)
	d.mine(paid)
	d.mine()
	d.sync(k.w)
	k.waits(reach)
}

// TestAwaitedLaterIsLookedFor: a script that comes to be awaited is looked for because
// of what waited for it before.
func TestAwaitedLaterIsLookedFor(t *testing.T) {
	k := newKeyed(t, 100)
	mineTo(k.world, 3)
	watchN(t, k.w, 0, 1)
	k.sync(k.w)
	paid, reach := k.pay(out(scriptN(1), 1), out(k.script(7), 4)), k.payTo(4, 2)
	addUnmined(t, k.w, paid)
	mineTo(k.world, 5)
	k.sync(k.w)
	addUnmined(t, k.w, reach)
	unwatch(t, k.w, watching(1))
	k.waits(paid, reach)
	wantBalance(t, k.w, 0, 0, 0, 6)
	k.mine(paid)
	k.sync(k.w)
	k.waits(reach)
}

// TestHeardTogether: of what a peer sends at once all counts that would one after the
// other, in whatever order.
func TestHeardTogether(t *testing.T) {
	for _, swapped := range []bool{false, true} {
		k := newKeyed(t, 0)
		k.sync(k.w)
		txs := []*wire.MsgTx{k.payTo(4, 1), k.payTo(7, 2)}
		if swapped {
			txs[0], txs[1] = txs[1], txs[0]
		}
		seen(t, k.w, txs...)
		k.waits(txs...)
	}
}

// TestAwaitedDamaged: Open or Verify miss a flag that no longer follows from what waits.
func TestAwaitedDamaged(t *testing.T) {
	k := newKeyed(t, 0)
	watchN(t, k.w, 0, 1)
	k.sync(k.w)
	addUnmined(t, k.w, k.pay(out(scriptN(1), 1), out(k.script(7), 2)))
	wantBalance(t, k.w, 0, 0, 0, 1)
	path := reclose(t, k.w)
	amend(t, path, func(b *buckets) error {
		v := bytes.Clone(b.scripts.Get(k.script(7)))
		v[scriptFlags] |= scriptAwaited
		return b.scripts.Put(k.script(7), v)
	})
	w, err := Open(path, params)
	if err == nil {
		defer w.Close()
		_, err = w.Verify(background())
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}

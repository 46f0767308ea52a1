package wallet

import (
	"testing"
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

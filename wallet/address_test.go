package wallet

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/decred/dcrd/wire"
)

// issue gives out addresses until the gap limit is reached.
func issue(t *testing.T, w *Wallet) (given []string) {
	t.Helper()
	for {
		a, err := w.NextAddress(t.Context(), "")
		if errors.Is(err, ErrGap) {
			return given
		}
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, a)
	}
}

// TestWhatWaitsGivesOutNothing: an address is given out only behind what the chain
// uses, whoever announces what.
func TestWhatWaitsGivesOutNothing(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	seen(t, w, c.pay(out(scriptOf(keyAddr(t, key, 0, 19)), 1)))
	addUnmined(t, w, c.pay(out(scriptOf(keyAddr(t, key, 0, 18)), 1)))
	if given := issue(t, w); len(given) != 18 || given[17] != keyAddr(t, key, 0, 17).String() {
		t.Fatalf("%d given out: %v", len(given), given)
	}
}

// TestGivenOutIsFoundByARestore: what is given out is found on the chain as it is in
// the end, by the same gap, whatever reorgs there were.
// Rule 16.
func TestGivenOutIsFoundByARestore(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	mineTo(c, 30)
	if given := issue(t, w); len(given) != 20 {
		t.Fatal(given)
	}
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 19)), 1)))
	mineTo(c, c.height()+settled-1)
	c.sync(w)
	if more := issue(t, w); len(more) > 0 {
		t.Fatalf("given out behind a use %d blocks deep: %v", settled-1, more)
	}
	settledDown := c.fork(c.height())
	settledDown.mine()
	settledDown.sync(w)
	if more := issue(t, w); len(more) != 20 {
		t.Fatalf("%d given out behind a use %d blocks deep", len(more), settled)
	}
	if warnings, err := w.Warnings(t.Context()); err != nil || len(warnings) != 1 || warnings[0].Kind != WarnEdge {
		t.Fatalf("%+v, %v", warnings, err)
	}

	// A reorg deeper than that takes the use away: what was given out stays watched,
	// and it is said that a restored wallet does not find it.
	d := c.fork(30)
	mineTo(d, settledDown.height()+1)
	d.sync(w)
	said := Warning{Kind: WarnGivenOut, XPub: key, Index: 39, Unused: 39, Gap: 20}
	if warnings, err := w.Warnings(t.Context()); err != nil || len(warnings) != 1 || warnings[0] != said {
		t.Fatalf("%+v, %v", warnings, err)
	}
	d.mine(d.pay(out(scriptOf(keyAddr(t, key, 0, 39)), 5)))
	d.sync(w)
	wantBalance(t, w, 5, 0, 0, 1)
	want := Warning{Kind: WarnEdge, XPub: key, Index: 39, Unused: 39, Gap: 20}
	if warnings, err := w.Warnings(t.Context()); err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Fatalf("%+v, %v", warnings, err)
	}
	verify(t, w)
}

// TestAddressesOfManyPayers: none is given out twice, nor one that a transaction pays
// which waits.
func TestAddressesOfManyPayers(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	var txs []*wire.MsgTx
	for _, i := range []uint32{0, 2, 19} {
		txs = append(txs, c.pay(out(scriptOf(keyAddr(t, key, 0, i)), 1)))
	}
	seen(t, w, txs...)
	given := issue(t, w)
	if len(given) != 17 || given[0] != keyAddr(t, key, 0, 1).String() || given[1] != keyAddr(t, key, 0, 3).String() {
		t.Fatal(given)
	}
}

// TestNextAddressBehindAnEarlierUse: an address that was used before the account's
// birthday too, and is watched by itself from there on, is in use for a restore.
func TestNextAddressBehindAnEarlierUse(t *testing.T) {
	k := newKeyed(t, 10)
	watch(t, k.w, Watch{Addresses: []string{k.address(4)}})
	mineTo(k.world, 4)
	k.mine(k.payTo(4, 1))
	mineTo(k.world, 14)
	k.mine(k.payTo(4, 1))
	mineTo(k.world, 15+settled)
	k.sync(k.w)
	restored := openAt(t, filepath.Join(t.TempDir(), "restored.db"))
	watch(t, restored, Watch{XPubs: []string{k.key}, Gap: 5, From: 10})
	k.sync(restored)
	want, err := restored.Address(background())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.w.Address(background()); err != nil || got != want {
		t.Fatalf("%s, %v; a restored wallet gives %s", got, err, want)
	}
}

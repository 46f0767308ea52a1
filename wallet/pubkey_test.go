package wallet

import (
	"context"
	"errors"
	"testing"

	"dcrspv/spv/chain"
	"dcrspv/wallet/internal/keys"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// TestPubKeysFoundByOption: what pays a key of an account itself is found, and who
// spends it, if the account is watched so, and only then.
func TestPubKeysFoundByOption(t *testing.T) {
	for _, pubKeys := range []bool{false, true} {
		c, w := newWorld(t), open(t)
		key := testXPub(t, 1)
		watch(t, w, Watch{XPubs: []string{key}, PubKeys: pubKeys})
		script := pubKeyScript(t, key, 0, 7)
		tx := c.pay(out(script, 100), out(pubKeyScript(t, key, 1, 3), 20), out(scriptOf(keyAddr(t, key, 0, 2)), 3))
		c.mine(tx)
		c.sync(w)
		addUnmined(t, w, c.pay(out(pubKeyScript(t, key, 0, 9), 1000), out(scriptOf(keyAddr(t, key, 0, 2)), 3)))
		if !pubKeys {
			wantBalance(t, w, 3, 0, 0, 3)
			continue
		}
		wantBalance(t, w, 123, 0, 0, 1003)
		for _, u := range utxos(t, w) {
			if u.Amount == 100 && (string(u.Script) != string(script) || u.Address != scriptAddress(script, params) || u.Address == "") {
				t.Errorf("%+v", u)
			}
		}
		c.mine(c.spend(outPoints(tx, 0), out(foreignScript(1), 99)))
		c.sync(w)
		wantBalance(t, w, 23, 0, 0, 1003)
		verify(t, w)
	}
}

// TestPubKeysMoveTheGap: use of a key is use of its address, for the gap and for
// NextAddress, and the further ones are found in either form.
func TestPubKeysMoveTheGap(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	w.maxAhead = 3 // further ones are derived late
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 14)), 1)))
	c.mine(c.pay(out(pubKeyScript(t, key, 0, 9), 2)))
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 8)), 4)))
	c.mine(c.pay(out(pubKeyScript(t, key, 0, 4), 8)))
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5, PubKeys: true})
	c.sync(w)
	wantBalance(t, w, 15, 0, 0, 0)
	if list, _ := w.Watched(background()); list[0].External != 20 || list[0].Internal != 5 {
		t.Fatalf("%+v", list)
	}
	mineTo(c, c.height()+settled)
	c.sync(w)
	if a, err := w.NextAddress(background(), ""); err != nil || a != keyAddr(t, key, 0, 15).String() {
		t.Fatal(a, err)
	}
	verify(t, w)
}

// TestPubKeysAddedLater: only the scripts that come with it are tested, also those
// of indices that are watched long since, and with a lower birthday all of them.
// Rule 15.
func TestPubKeysAddedLater(t *testing.T) {
	for _, from := range []uint32{2, 1} {
		c, w := newWorld(t), open(t)
		key := testXPub(t, 1)
		c.mine(c.pay(out(pubKeyScript(t, key, 0, 1), 1))) // below the first birthday
		c.mine(c.pay(out(pubKeyScript(t, key, 0, 2), 2), out(scriptOf(keyAddr(t, key, 0, 2)), 4)))
		c.mine(c.pay(out(pubKeyScript(t, key, 0, 19+3), 8)))
		single := pubKeyScript(t, key, 1, 19)
		c.mine(c.pay(out(single, 16)))
		c.mine(c.pay(out(scriptOf(keyAddr(t, key, 1, 19+20)), 32)))
		watch(t, w, Watch{XPubs: []string{key}, From: 2})
		watch(t, w, Watch{Scripts: [][]byte{single}, From: 4}) // then moves the gap at once
		c.sync(w)
		wantBalance(t, w, 4+16, 0, 0, 0)
		before := len(w.scripts)
		watch(t, w, Watch{XPubs: []string{key}, From: from, PubKeys: true})
		if before = before - 1; len(w.scripts) < 2*before {
			t.Errorf("%d scripts, %d before", len(w.scripts), before)
		}
		if from == 2 {
			owed := chain.Range{From: from, To: c.height()}
			scan, ok, err := w.NextScan(context.Background(), c.height())
			if err != nil || !ok || scan.Range.From != owed.From {
				t.Fatalf("%+v, %v, %v", scan, ok, err)
			}
			for s, entry := range w.scripts {
				derived := entry.index < 20 && !entry.explicit
				if n := len(w.ledger.Covered(entry).Missing(owed)); derived && (n > 0) != (keys.FormOf(s) == keys.PayKey) {
					t.Fatalf("script %x, index %d: debt %d", s, entry.index, n)
				}
			}
		}
		want := []dcrutil.Amount{2: 62, 1: 63}[from]
		for range 2 {
			c.sync(w)
			wantBalance(t, w, want, 0, 0, 0)
			watch(t, w, Watch{XPubs: []string{key}, From: from}) // leaves it on
			if w.Unscanned(c.height()) > 0 {
				t.Error("something is tested again")
			}
			path := w.path
			w.Close()
			w = openAt(t, path)
			if list, _ := w.Watched(background()); !list[0].PubKeys {
				t.Errorf("%+v", list)
			}
			verify(t, w)
		}
	}
}

// TestPubKeysAheadAfterRestart: what pays a key beyond the gap is found when the gap
// gets there after a restart.
func TestPubKeysAheadAfterRestart(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5, PubKeys: true})
	c.mine(c.pay(out(pubKeyScript(t, key, 0, 8), 1)))
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	path := w.path
	w.Close()
	w = openAt(t, path)
	c.mine(c.pay(out(pubKeyScript(t, key, 0, 4), 2)))
	c.sync(w)
	wantBalance(t, w, 3, 0, 0, 0)
	verify(t, w)
}

// TestPubKeysUnwatched: with an account both kinds of scripts go, but for those
// that are watched by themselves too.
func TestPubKeysUnwatched(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	near, far := Watch{Scripts: [][]byte{pubKeyScript(t, key, 0, 1)}}, Watch{Scripts: [][]byte{pubKeyScript(t, key, 0, 40)}}
	account := Watch{XPubs: []string{key}, PubKeys: true}
	unwatch := func(what Watch) {
		t.Helper()
		if err := w.Unwatch(background(), what); err != nil {
			t.Fatal(err)
		}
		verify(t, w)
	}
	w.maxAhead = maxAhead
	watch(t, w, account)
	watch(t, w, near)
	watch(t, w, far)
	c.mine(c.pay(out(near.Scripts[0], 1), out(far.Scripts[0], 2), out(pubKeyScript(t, key, 0, 2), 4)))
	c.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)
	unwatch(far) // it stays ahead of the gap, which gets there later
	wantBalance(t, w, 5, 0, 0, 0)
	c.mine(c.pay(out(pubKeyScript(t, key, 0, 22), 8)))
	c.sync(w)
	wantBalance(t, w, 15, 0, 0, 0)
	unwatch(account)
	wantBalance(t, w, 1, 0, 0, 0)
	unwatch(near)
	if len(w.scripts) != 0 || len(w.ledger.Groups()) != 0 {
		t.Errorf("%d scripts in %d groups are left", len(w.scripts), len(w.ledger.Groups()))
	}
	watch(t, w, Watch{XPubs: []string{key}}) // nothing of the option is left
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
}

// TestPubKeysCostNothingWithout: an account has as many scripts as addresses, and
// twice as many with the option.
func TestPubKeysCostNothingWithout(t *testing.T) {
	plain, both := open(t), open(t)
	plain.maxAhead, both.maxAhead = maxAhead, maxAhead
	watch(t, plain, Watch{XPubs: []string{testXPub(t, 1)}})
	watch(t, both, Watch{XPubs: []string{testXPub(t, 1)}, PubKeys: true})
	n := keys.Branches * (defaultGap + defaultGap + minAhead)
	if len(plain.scripts) != n || len(both.scripts) != 2*n {
		t.Errorf("%d scripts, and %d with the option", len(plain.scripts), len(both.scripts))
	}
}

// TestPubKeysVerified: a script that pays a key is no part of an account that is not
// watched so.
func TestPubKeysVerified(t *testing.T) {
	w := open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}, PubKeys: true})
	verify(t, w)
	path := w.path
	w.Close()
	amend(t, path, func(b *buckets) error {
		a := &account{xpub: key, gap: defaultGap, branches: [keys.Branches]branch{{derived: 20, known: 20}, {derived: 20, known: 20}}}
		return b.accounts.Put(key32(1), a.encode())
	})
	if _, err := Open(path, params); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}

// TestPubKeysSeen: a payment that waits is taken from a peer.
func TestPubKeysSeen(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}, PubKeys: true})
	c.sync(w)
	if _, err := w.AddRelayed(context.Background(), "peer", []*wire.MsgTx{c.pay(out(pubKeyScript(t, key, 0, 3), 9))}); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, w, 0, 0, 0, 9)
	for i := range uint32(5) {
		got, err := w.NextAddress(background(), "")
		if want := keyAddr(t, key, 0, i+i/3).String(); err != nil || i != 3 && got != want {
			t.Error(i, got, err) // all but the one that is paid
		}
	}
}

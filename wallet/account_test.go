package wallet

import (
	"context"
	"errors"
	"testing"

	"dcrspv/wallet/internal/keys"

	"github.com/decred/base58"
	"github.com/decred/dcrd/crypto/blake256"
)

func address(t *testing.T, w *Wallet) string {
	t.Helper()
	a, err := w.Address(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAddress(t *testing.T) {
	c, w := newWorld(t), open(t)
	if _, err := w.Address(context.Background()); !errors.Is(err, ErrNoAccount) {
		t.Fatal(err)
	}
	first, second := testXPub(t, 1), testXPub(t, 2)
	watch(t, w, Watch{XPubs: []string{first}})
	watch(t, w, Watch{XPubs: []string{second}})
	for range 2 {
		if got := address(t, w); got != keyAddr(t, first, 0, 0).String() {
			t.Fatal(got)
		}
	}
	c.mine(c.pay(out(scriptOf(keyAddr(t, first, 0, 4)), 1)))
	c.sync(w)
	if got := address(t, w); got != keyAddr(t, first, 0, 5).String() {
		t.Fatal(got)
	}
	// One that is waiting to be mined uses an address too.
	addUnmined(t, w, c.pay(out(scriptOf(keyAddr(t, first, 0, 5)), 1)))
	if got := address(t, w); got != keyAddr(t, first, 0, 6).String() {
		t.Fatal(got)
	}
}

// TestGap: indices used out of order, each at the end of the gap, on both
// branches, the later ones in blocks that were scanned long before.
// Rule 16.
func TestGap(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	script := func(branch, index uint32) []byte { return scriptOf(keyAddr(t, key, branch, index)) }
	c.mine(c.pay(out(script(0, 77), 1))) // found last
	c.mine(c.pay(out(script(0, 58), 2)))
	c.mine(c.pay(out(script(1, 20), 4), out(script(0, 39), 8)))
	c.mine(c.pay(out(script(1, 19), 16), out(script(0, 19), 32)))
	c.mine(c.pay(out(script(0, 98), 64))) // one too far
	c.mine(c.pay(out(script(0, 3), 128)))
	watch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	wantBalance(t, w, 1+2+4+8+16+32+128, 0, 0, 0)
	list, err := w.Watched(context.Background())
	if err != nil || list[0].External != 98 || list[0].Internal != 41 {
		t.Fatalf("%+v, %v", list, err)
	}
	derived := uint32(20)
	for _, ev := range logged(t, w) {
		if ev.Kind == EventDerived && ev.Branch == 0 {
			if ev.XPub != key || ev.First != derived {
				t.Errorf("event %+v", ev)
			}
			derived = ev.Last + 1
		}
	}
	if derived != 98 {
		t.Errorf("the events tell of %d", derived)
	}
	// The gap counts from the last one used, whatever it was found by.
	c.mine(c.pay(out(script(0, 97), 256)))
	c.sync(w)
	wantBalance(t, w, 1+2+4+8+16+32+128+64+256, 0, 0, 0)
}

// TestCommitmentsUse: addresses that a ticket commits to pay count as used:
// they are paid when it votes, maybe months later.
func TestCommitmentsUse(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	ticket := c.ticket(c.foreignOutput(), addr(50), keyAddr(t, key, 1, 19), 10, 0)
	c.mine(ticket)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 1, 39)), 5)))
	c.sync(w)
	wantBalance(t, w, 5, 0, 10, 0)
}

// TestAccountJoinsAddress: an address that was watched by itself becomes part
// of an account, with the lower of the two birthdays. Each keeps its own.
func TestAccountJoinsAddress(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	a := keyAddr(t, key, 0, 19)
	c.mine(c.pay(out(scriptOf(a), 1)))
	c.mine()
	watch(t, w, Watch{Addresses: []string{a.String()}, From: 2})
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	watch(t, w, Watch{XPubs: []string{key}, From: 1})
	c.sync(w)
	wantBalance(t, w, 1, 0, 0, 0)
	if list, _ := w.Watched(context.Background()); list[0].External != 40 || len(list) != 2 || list[1].From != 2 {
		t.Fatalf("%+v", list)
	}
	// A wider gap derives more.
	watch(t, w, Watch{XPubs: []string{key}, From: 1, Gap: 30})
	if list, _ := w.Watched(context.Background()); list[0].External != 50 || list[0].Internal != 30 {
		t.Fatalf("%+v", list)
	}
	verify(t, w)
}

// TestNextAddress: nobody is given the address of somebody else, and none is
// given out that a restored wallet would not find.
func TestNextAddress(t *testing.T) {
	c, w := newWorld(t), open(t)
	ctx := context.Background()
	if _, err := w.NextAddress(ctx, ""); !errors.Is(err, ErrNoAccount) {
		t.Fatal(err)
	}
	first, second := testXPub(t, 1), testXPub(t, 2)
	watch(t, w, Watch{XPubs: []string{first}, Gap: 4})
	watch(t, w, Watch{XPubs: []string{second}, Gap: 6})
	next := func(key string, want *uint32) {
		t.Helper()
		got, err := w.NextAddress(ctx, key)
		if want == nil {
			if !errors.Is(err, ErrGap) {
				t.Fatal(got, err)
			}
			return
		}
		if key == "" {
			key = first
		}
		if err != nil || got != keyAddr(t, key, 0, *want).String() {
			t.Fatal(got, err)
		}
		*want++
	}
	var n, m uint32
	next("", &n)
	next(first, &n)
	next(second, &m)
	if got := address(t, w); got != keyAddr(t, first, 0, 2).String() {
		t.Fatal(got)
	}
	path := w.path
	w.Close()
	w = openAt(t, path)
	next("", &n)
	next("", &n)
	next("", nil)
	if _, err := w.AddressOf(ctx, first); !errors.Is(err, ErrGap) {
		t.Fatal(err)
	}
	c.mine(c.pay(out(scriptOf(keyAddr(t, first, 0, 2)), 1)))
	c.sync(w)
	next("", nil) // the use may still be undone
	mineTo(c, c.height()+settled)
	c.sync(w)
	for range 3 {
		next("", &n)
	}
	next("", nil)
	next(second, &m)
	if got, err := w.AddressOf(ctx, second); err != nil || got != keyAddr(t, second, 0, 2).String() {
		t.Fatal(got, err)
	}
	if _, err := w.AddressOf(ctx, testXPub(t, 3)); !errors.Is(err, ErrNotWatched) {
		t.Fatal(err)
	}
	verify(t, w)
}

// TestOneAccountInTwoWrappings: an account is its public key and chain code, whatever
// the rest of its extended key says. So there is one, by both names.
func TestOneAccountInTwoWrappings(t *testing.T) {
	key := testXPub(t, 1)
	other := rewrapped(t, key)
	if other == key {
		t.Fatal("the same name")
	}
	c, w := newWorld(t), open(t)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 3)), 5)))
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5})
	watch(t, w, Watch{XPubs: []string{other}, Gap: 7, Label: "the same"})
	c.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
	list, err := w.Watched(background())
	if err != nil || len(list) != 1 || list[0].XPub != key || list[0].Gap != 7 || list[0].External != 4+7 || list[0].Label != "the same" {
		t.Fatalf("%+v, %v", list, err)
	}
	w = openAt(t, reclose(t, w))
	first, err := w.AddressOf(background(), key)
	again, err2 := w.AddressOf(background(), other)
	if err != nil || err2 != nil || first != again {
		t.Fatalf("%s and %s: %v, %v", first, again, err, err2)
	}
	unwatch(t, w, Watch{XPubs: []string{other, key}})
	if list, _ := w.Watched(background()); len(list) != 0 || len(history(t, w)) != 0 {
		t.Fatalf("%+v", list)
	}
}

// rewrapped is an extended key that says it stands elsewhere in the tree.
func rewrapped(t *testing.T, key string) string {
	t.Helper()
	raw := base58.Decode(key)
	if len(raw) != 82 {
		t.Fatalf("%d bytes", len(raw))
	}
	copy(raw[4:13], "elsewhere") // depth 1, parent 4, child number 4
	first := blake256.Sum256(raw[:78])
	second := blake256.Sum256(first[:])
	return base58.Encode(append(raw[:78:78], second[:4]...))
}

// TestAccountWatchedAgain: an account that is watched again has all that it had, though
// one of its used addresses was watched meanwhile by itself.
func TestAccountWatchedAgain(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 1)
	account, single := Watch{XPubs: []string{key}}, Watch{Addresses: []string{keyAddr(t, key, 0, 15).String()}, From: 2}
	c.mine()
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 15)), 1)))
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 30)), 5)))
	watch(t, w, account)
	c.sync(w)
	watch(t, w, single)
	unwatch(t, w, account)
	wantBalance(t, w, 1, 0, 0, 0)
	watch(t, w, account)
	c.sync(w)
	wantBalance(t, w, 6, 0, 0, 0)
	mineTo(c, c.height()+settled)
	c.sync(w)
	if got := address(t, w); got != keyAddr(t, key, 0, 31).String() {
		t.Fatal(got)
	}
	unwatch(t, w, Watch{Addresses: single.Addresses})
	wantBalance(t, w, 6, 0, 0, 0)
	verify(t, w)
}

// TestBirthdaysAreOfTheWatchSet: an address of an account has the lower birthday of its
// own only as long as it is watched by itself.
func TestBirthdaysAreOfTheWatchSet(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	single := Watch{Addresses: []string{keyAddr(t, key, 0, 3).String()}}
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 3)), 1)))
	mineTo(c, 8)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 3)), 2), out(scriptOf(keyAddr(t, key, 0, 19)), 4)))
	watch(t, w, Watch{XPubs: []string{key}, From: 5})
	c.sync(w)
	wantBalance(t, w, 6, 0, 0, 0)
	watch(t, w, single)
	c.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)
	unwatch(t, w, single)
	c.sync(w)
	wantBalance(t, w, 6, 0, 0, 0)
	if born, _ := w.Birthday(); born != 5 {
		t.Fatalf("birthday %d", born)
	}
	verify(t, w)

	// The other way round.
	unwatch(t, w, Watch{XPubs: []string{key}})
	watch(t, w, Watch{Addresses: single.Addresses, From: 9})
	c.sync(w)
	watch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	wantBalance(t, w, 7, 0, 0, 0)
	unwatch(t, w, Watch{XPubs: []string{key}})
	c.sync(w)
	wantBalance(t, w, 2, 0, 0, 0)
	verify(t, w)
}

// TestVoidBelowTheBirthday: a void transaction below the birthday of what it pays
// concerns the wallet no more than one that counts, though its block is read for others.
func TestVoidBelowTheBirthday(t *testing.T) {
	for _, first := range []uint64{1, 2} {
		c, w := newWorld(t), open(t)
		c.mine(c.pay(out(scriptN(1), 1)), c.pay(out(scriptN(2), 2)))
		c.mineVoted(false)
		mineTo(c, 8)
		for _, n := range []uint64{first, 3 - first} {
			watchN(t, w, uint32(n-1)*5, n) // 1 from genesis on, 2 from block 5 on
			c.sync(w)
		}
		wantBalance(t, w, 0, 0, 0, 1)
		if born := w.scripts[string(scriptN(2))].Birthday(); born != 5 {
			t.Errorf("birthday %d", born)
		}
	}
}

// TestGapStays: watching an account again without a gap leaves the one that it has.
// Rule 15.
func TestGapStays(t *testing.T) {
	w := open(t)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}, Gap: 3})
	watch(t, w, Watch{XPubs: []string{key}, Label: "savings"})
	if list, err := w.Watched(t.Context()); err != nil || list[0].Gap != 3 || list[0].Label != "savings" {
		t.Fatalf("%+v, %v", list, err)
	}
}

// TestWatchEndsWithItsContext: keys take long to derive, so it is asked at each.
// Rule 9.
func TestWatchEndsWithItsContext(t *testing.T) {
	w := open(t)
	a, err := newAccount(testXPub(t, 1), Watch{Gap: maxGap}, params)
	if err != nil {
		t.Fatal(err)
	}
	err = w.update(&patience{t.Context(), 50}, func(c *change) { c.watchAccount(a) })
	if n := len(a.branches[0].at[keys.PayHash]); !errors.Is(err, context.Canceled) || n > 50 {
		t.Fatalf("%d keys derived, %v", n, err)
	}
	if list, err := w.Watched(t.Context()); err != nil || len(list) != 0 || len(w.scripts) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
}

// TestNothingBelowTheBirthdayIsOwed: blocks that mattered to an address alone are not
// tested any more once it is unwatched by itself.
// Rule 15.
func TestNothingBelowTheBirthdayIsOwed(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	mineTo(c, 20)
	single := watching(9)
	single.Addresses = []string{keyAddr(t, key, 0, 3).String()}
	watch(t, w, Watch{XPubs: []string{key}, From: 15})
	c.sync(w)
	watch(t, w, single)
	if owed := w.Unscanned(20); owed != 21 {
		t.Fatalf("%d blocks are owed", owed)
	}
	unwatch(t, w, single)
	if owed := w.Unscanned(20); owed != 6 { // above the birthday all is to be tested again
		t.Fatalf("%d blocks are owed", owed)
	}
	verify(t, w)
}

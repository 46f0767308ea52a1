package wallet

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDeriveAhead: a long history is not read again for every few addresses, though
// an account uses those of each branch one after the other, evenly over the chain.
// Rule 16.
func TestDeriveAhead(t *testing.T) {
	const n = 180
	c, w := newWorld(t), open(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 9)
	for i := range uint32(n) {
		c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, i)), 1), out(scriptOf(keyAddr(t, key, 1, i)), 2)))
		mineTo(c, c.height()+4)
	}
	watch(t, w, Watch{XPubs: []string{key}})
	tests := uint32(0)
	for {
		scan, ok, err := w.NextScan(context.Background(), c.height())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		b := c.batch(scan, scan.Range.To)
		if len(b.Blocks) > 64 { // as the Syncer does
			b = c.batch(scan, b.Blocks[63].ID.Height)
		}
		tests += b.Scan.Range.To - b.Scan.Range.From + 1
		if err := w.Apply(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	verify(t, w)
	wantBalance(t, w, 3*n, 0, 0, 0)
	if length := c.height() + 1; tests > 2*length {
		t.Errorf("%d blocks tested for a chain of %d", tests, length)
	}
}

// TestAheadIsNotWatched: what pays an address beyond the gap is not the
// wallet's, until the gap reaches it, and then all of it is.
func TestAheadIsNotWatched(t *testing.T) {
	for _, how := range []string{"again", "reopened", "rescan", "explicit"} {
		c, w := newWorld(t), open(t)
		w.maxAhead = maxAhead
		key := testXPub(t, 1)
		script := func(index uint32) []byte { return scriptOf(keyAddr(t, key, 0, index)) }
		watch(t, w, Watch{XPubs: []string{key}, Gap: 5})
		far := c.pay(out(script(9), 100), out(script(30), 7))
		c.mine(far)
		c.mine(c.spend(outPoints(far, 0), out(script(11), 90)))
		c.mine(c.ticket(c.foreignOutput(), addr(50), keyAddr(t, key, 0, 12), 10, 0))
		c.sync(w)
		wantBalance(t, w, 0, 0, 0, 0)
		addressIs := func(n uint32) {
			t.Helper()
			list, err := w.Watched(background())
			if err != nil || list[0].External != n {
				t.Fatalf("%s: %+v, %v", how, list, err)
			}
		}
		addressIs(5)
		if taken, _ := w.AddUnmined(background(), c.pay(out(script(20), 1))); taken {
			t.Fatal("a payment ahead of the gap was taken")
		}
		switch how {
		case "reopened":
			path := w.path
			w.Close()
			w = openAt(t, path)
		case "rescan":
			if err := w.Rescan(background(), 0, 9); err != nil {
				t.Fatal(err)
			}
			c.sync(w)
		case "explicit": // by itself it is found, but does not move the gap
			a := Watch{Addresses: []string{keyAddr(t, key, 0, 9).String()}}
			watch(t, w, a)
			c.sync(w)
			wantBalance(t, w, 0, 0, 0, 0)
			if len(history(t, w)) != 2 {
				t.Fatal("not found")
			}
			addressIs(5)
			if err := w.Unwatch(background(), a); err != nil {
				t.Fatal(err)
			}
			verify(t, w)
			if len(history(t, w)) != 0 {
				t.Fatal("not forgotten")
			}
			watch(t, w, a)
			c.sync(w)
		}
		c.mine(c.pay(out(script(4), 1))) // reaches 9, and that reaches 11 and 12
		c.sync(w)
		wantBalance(t, w, 91, 0, 10, 0)
		addressIs(18)
		if h := history(t, w); len(h) != 4 || h[0].Net != 100 || h[1].Net != -10 || h[2].Net != 10 {
			t.Fatalf("%s: history %+v", how, h)
		}
	}
}

// TestSeenByItself: an address that was watched by itself and used before its
// account was watched moves the account's gap.
func TestSeenByItself(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	a := keyAddr(t, key, 0, 3)
	watch(t, w, Watch{Addresses: []string{a.String()}})
	c.mine(c.pay(out(scriptOf(a), 1)))
	c.sync(w)
	watch(t, w, Watch{XPubs: []string{key}, From: 1, Gap: 5})
	c.sync(w)
	if list, _ := w.Watched(background()); list[0].External != 9 {
		t.Fatalf("%+v", list)
	}
}

// TestDeriveAheadLikeTheOracle: the random lives again, with few addresses
// derived ahead of a small gap.
// Rule 16.
func TestDeriveAheadLikeTheOracle(t *testing.T) {
	for seed := uint64(0); seed < 6; seed += min(thin, 4) {
		rng := rand.New(rand.NewPCG(seed, 9))
		l := newLife(t, rng, 0)
		w := open(t)
		w.maxAhead = 1 + uint32(seed)
		watchN(t, w, 0, l.addrs...)
		watch(t, w, Watch{XPubs: []string{l.key}, Gap: l.gap})
		for range 8 {
			for range 1 + rng.IntN(12) {
				l.block()
			}
			if rng.IntN(3) == 0 && l.c.height() > 8 {
				old := l.c.height()
				l.c = l.c.fork(old - 1 - rng.Uint32N(6))
				for l.c.height() <= old {
					l.block()
				}
			}
			l.c.locate(w)
			for range rng.IntN(10) {
				l.c.step(w, l.c.height(), rng)
			}
			if rng.IntN(3) == 0 {
				if err := w.Rescan(background(), rng.Uint32N(20), 1<<32-1); err != nil {
					t.Fatal(err)
				}
			}
			verify(t, w)
		}
		l.c.locate(w)
		for l.c.step(w, l.c.height(), rng) {
		}
		verify(t, w)
		want := l.o.read(l.c, true).text(l.c.height())
		if got := textOf(t, w); !slices.Equal(got, want) {
			t.Fatalf("seed %d:\nonly the wallet says\n%s\nonly the oracle\n%s", seed, without(got, want), without(want, got))
		}
	}
}

// TestReorgWithdraws: what a use reached is not watched any more when a reorg takes the
// use away, with the coins found there, and all of it comes back with the use.
// Rule 16.
func TestReorgWithdraws(t *testing.T) {
	for _, pubKeys := range []bool{false, true} {
		c, w := newWorld(t), open(t)
		key := testXPub(t, 1)
		at := func(index uint32) []byte { return scriptOf(keyAddr(t, key, 0, index)) }
		watch(t, w, Watch{XPubs: []string{key}, Gap: 5, PubKeys: pubKeys})
		external := func(want uint32) {
			t.Helper()
			if list, err := w.Watched(t.Context()); err != nil || list[0].External != want {
				t.Fatalf("%+v, %v; want %d", list, err, want)
			}
			verify(t, w)
		}
		c.mine(c.pay(out(at(1), 1), out(at(7), 2))) // 7 is too far by itself
		fork := c.height()
		use := c.pay(out(at(4), 4))
		c.mine(use)
		c.mine(c.pay(out(at(8), 8)))
		c.sync(w)
		wantBalance(t, w, 15, 0, 0, 0)
		external(14)
		w = openAt(t, reclose(t, w))

		d := c.fork(fork)
		mineTo(d, c.height()+1)
		d.sync(w)
		wantBalance(t, w, 1, 0, 0, 4+8) // both wait, the second behind the gap
		external(7)
		if got := address(t, w); got != keyAddr(t, key, 0, 2).String() {
			t.Fatal(got)
		}
		d.mine(use)
		d.sync(w)
		wantBalance(t, w, 1+2+4, 0, 0, 8)
		external(13)
		back := c.fork(c.height())
		mineTo(back, d.height()+1)
		back.sync(w)
		wantBalance(t, w, 15, 0, 0, 0)
		external(14)
	}
}

package wallet

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLikeTheOracle: whatever the order of watching, the sizes of batches, the
// interruptions and the reorgs, the result is that of somebody who had known
// every script from the start and read every block.
// Rule 16.
func TestLikeTheOracle(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() || thin > 1 {
		seeds = 2
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		born := rng.Uint32N(3) * 5
		l := newLife(t, rng, born)
		path := filepath.Join(t.TempDir(), "wallet.db")
		reopen := func() (w *Wallet) {
			w = openAt(t, path)
			if seed%2 == 1 {
				w.maxScan = 1 + rng.Uint32N(20)
			}
			return w
		}
		w := reopen()
		r := newReplay()
		forked, published := false, false
		t.Logf("seed %d, birthday %d", seed, born)

		later := l.addrs[1:] // watched when the chain is long already
		watchN(t, w, born, l.addrs[0])
		for round := range 12 {
			for range rng.IntN(12) {
				l.block()
			}
			if rng.IntN(3) == 0 && l.c.height() > 8 {
				old := l.c.height()
				l.c = l.c.fork(old - 1 - rng.Uint32N(6))
				for l.c.height() <= old {
					l.block()
				}
				forked = true
			}
			switch {
			case round == 3:
				watch(t, w, Watch{XPubs: []string{l.key}, From: born + 3, Gap: l.gap})
			case round == 6:
				watch(t, w, Watch{XPubs: []string{l.key}, From: born, Gap: l.gap})
			case round > 6 && len(later) > 0:
				watchN(t, w, born, later[0])
				later = later[1:]
			case rng.IntN(4) == 0:
				from := rng.Uint32N(l.c.height() + 1)
				if err := w.Rescan(context.Background(), from, from+rng.Uint32N(20)); err != nil {
					t.Fatal(err)
				}
			}
			if seed%2 == 0 {
				published = publish(t, l.c, w, rng) || published
			}
			if rng.IntN(2) == 0 {
				w.Close()
				w = reopen()
			}
			l.c.locate(w)
			for range rng.IntN(10) {
				h := l.c.height()
				l.c.step(w, h-min(h, rng.Uint32N(3)), rng)
			}
			verify(t, w)
			if err := r.follow(w); err != nil {
				t.Fatal(err)
			}
			r.check(t, w)
		}
		for _, n := range later {
			watchN(t, w, born, n)
		}
		l.c.locate(w)
		for l.c.step(w, l.c.height(), rng) {
		}
		verify(t, w)
		want := l.o.read(l.c, true).text(l.c.height())
		if got := textOf(t, w); !slices.Equal(got, want) {
			t.Fatalf("seed %d:\nonly the wallet says\n%s\nonly the oracle\n%s", seed, without(got, want), without(want, got))
		}
		if !forked && !published {
			likeFromScratch(t, l, w, born)
		}
		w.Close()
	}
}

// publish hands the wallet a transaction that is about to be mined, or a rival
// of it.
func publish(t *testing.T, c *world, w *Wallet, rng *rand.Rand) (any bool) {
	t.Helper()
	for range rng.IntN(4) {
		b := c.blocks[rng.IntN(len(c.blocks))]
		tx := b.Transactions[rng.IntN(len(b.Transactions))]
		if isCoinbase(tx) {
			continue
		}
		if rng.IntN(3) == 0 {
			tx = tx.Copy()
			if value := &tx.TxOut[0].Value; *value > 1 {
				*value--
			}
			for _, in := range tx.TxIn {
				in.SignatureScript = nil
			}
		}
		_, err := w.AddUnmined(context.Background(), signed(tx)[0])
		if err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrTooEarly) {
			t.Fatal(err)
		}
		any = true
	}
	return any
}

// likeFromScratch compares with a wallet that knew all and scanned once. What
// is unmined agrees only as long as there was no reorg.
func likeFromScratch(t *testing.T, l *life, w *Wallet, born uint32) {
	t.Helper()
	fresh := open(t)
	watchN(t, fresh, born, l.addrs...)
	watch(t, fresh, Watch{XPubs: []string{l.key}, From: born, Gap: 100})
	l.c.sync(fresh)
	ids := func(w *Wallet) (out []string) {
		for _, u := range unmined(t, w) {
			out = append(out, u.TxID.String())
		}
		slices.Sort(out)
		return out
	}
	if a, b := ids(w), ids(fresh); !slices.Equal(a, b) {
		t.Fatalf("unmined %v, from scratch %v", a, b)
	}
}

// without are the lines of a that are not in b.
func without(a, b []string) string {
	var out []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

package dcrwallet

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
)

var (
	rounds    = flag.Int("rounds", 12, "how long TestRandomChains goes on")
	chainSeed = flag.Uint64("chain-seed", 0, "of TestRandomChains; 0 is a random one")
)

// A branch of any depth and length comes as a whole, also one whose blocks open the way to
// each other's addresses, within one block too. Rules 8 and 16.
func TestBranches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(t, 5)
	w.c.Mine(300)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)

	w.pay(t, 19, 44, 39) // each within the gap of the one before it
	w.show()
	w.uses = append(w.uses, use{index: 44})
	w.check(t, c)

	deep := w.c.Height() - 290
	w.fork(deep)
	w.c.Mine(100)
	w.pay(t, 20)
	w.c.Mine(2500)
	w.pay(t, 40)
	w.show()
	w.check(t, c)

	w.fork(w.c.Height() - 2)
	for index := uint32(41); index < 200; index += 20 {
		w.c.Mine(300)
		w.pay(t, index)
	}
	w.show()
	w.check(t, c)

	c.stop()
	w.c.Mine(30)
	w.pay(t, 201)
	w.show()
	c.start(t)
	w.check(t, c)
}

// A chain with less work than the wallet's changes nothing until it has more.
func TestLessWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(t, 5)
	w.c.Mine(100)
	w.show()
	c := w.newClient(t, "wallet.db")
	c.start(t)
	w.check(t, c)
	long := c.on[0].tip(t.Context())
	c.stop()
	if err := os.Remove(c.chainPath()); err != nil {
		t.Fatal(err)
	}
	w.fork(w.c.Height() - 50)
	w.pay(t, 6)
	w.c.Mine(20)
	w.show() // to a Syncer that knows nothing else
	c.start(t)
	if err := c.syncer.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if at := c.on[0].tip(t.Context()); at != long {
		t.Fatalf("the wallet is at %v and was at %v", at, long)
	}
	w.c.Mine(40)
	w.show()
	w.check(t, c)
}

// Whatever the chain does and whichever files are lost, the wallet shows what a new one
// shows.
func TestRandomChains(t *testing.T) {
	t.Parallel()
	rng := random(t, *chainSeed)
	w := newWorld(t)
	c := w.newClient(t, "wallet.db", "other.db")
	c.start(t)
	for range *rounds {
		w.change(t, rng)
		w.show()
		switch rng.IntN(6) {
		case 0:
			c.stop()
			c.start(t)
		case 1:
			c.stop()
			if err := os.Remove(c.chainPath()); err != nil {
				t.Fatal(err)
			}
			c.start(t)
		}
		if rng.IntN(2) == 0 {
			w.check(t, c)
		}
	}
	w.c.Mine(1)
	w.show()
	w.check(t, c)
}

// change adds blocks at the tip, or on a branch that is longer in the end.
func (w *world) change(t *testing.T, rng *rand.Rand) {
	t.Helper()
	blocks := 1 + rng.IntN(40)
	if rng.IntN(3) == 0 {
		depth := 1 + uint32(rng.IntN(min(int(w.c.Height())-20, 60)+1))
		w.fork(w.c.Height() - min(depth, w.c.Height()-1))
		blocks += int(depth) + 1
	}
	for range blocks {
		switch rng.IntN(8) {
		case 0:
			w.pay(t, rng.Uint32N(w.gap()))
		case 1:
			w.pay(t, rng.Uint32N(w.gap()), rng.Uint32N(w.gap()))
		default:
			w.c.Mine(1)
		}
	}
}

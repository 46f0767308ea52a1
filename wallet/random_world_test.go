package wallet

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

var (
	seedCount = flag.Int("seeds", worlds, "random worlds to try")
	trace     = flag.Bool("steps", false, "tell of every step")
	firstSeed = flag.Uint64("seed", 0, "the first of them")
)

// TestRandomWorld: whatever is watched and unwatched, paid, spent, staked and
// undone, in whatever pieces blocks come, and however often the program ends or
// is killed while it writes: the wallet has exactly what somebody has who knew
// every script from the start and read every block. It is compared after every
// step, as far as the wallet has got by then.
//
//	go test -run TestRandomWorld ./wallet -seeds 1000 -seed 5000
//
// Rules 16 and 17.
func TestRandomWorld(t *testing.T) {
	n := *seedCount
	if testing.Short() {
		n = min(n, 10)
	}
	steps, kills := 0, 0
	for seed := *firstSeed; seed < *firstSeed+uint64(n); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			d := newDriver(t, newCast(newWorld(t), rand.New(rand.NewPCG(seed, 3))))
			steps += d.live()
			kills += d.kills
		})
	}
	t.Logf("%d worlds, %d steps, killed %d times", n, steps, kills)
}

// live is the life of one world.
func (d *driver) live() (steps int) {
	for range 5 + d.rng.IntN(20) {
		d.block()
	}
	d.watch()
	for range 60 + d.rng.IntN(60) {
		d.step()
		if *trace {
			d.t.Logf("step %d, %d events, tip %d", steps, len(d.replay.log), d.c.height())
		}
		d.check()
		steps++
	}
	d.locate()
	d.sync()
	d.check()
	d.replay.checkCursor(d.t, d.w, 0)
	if through, tip, any := d.checkCoverage(); len(d.set) > 0 && (!any || through != tip || tip != d.c.height()) {
		d.t.Fatalf("tested through %d of %d in the end", through, d.c.height())
	}
	d.w.Close()
	return steps
}

// step is one thing that happens.
func (d *driver) step() {
	d.t.Helper()
	switch d.rng.IntN(20) {
	case 0, 1, 2:
		d.grow()
	case 3, 4, 5, 6, 7, 8:
		d.scan()
		d.derive()
	case 9, 10, 11:
		d.sync()
	case 12, 13:
		d.watch()
	case 14:
		d.unwatch()
	case 15:
		d.rescan()
	case 16:
		d.announce()
	case 17:
		d.hear()
	case 18:
		if d.rng.IntN(3) == 0 {
			d.forgetTx()
		}
	case 19:
		d.reopen()
	}
}

package wallet

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// TestLateInRandomWorld: as TestRandomWorld, with the work on blocks below the tip
// almost never done: there is something more to watch, the chain has gone on or
// elsewhere, or the program has ended.
// Rule 16.
func TestLateInRandomWorld(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(max(*seedCount/2, 1)); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			d := newDriver(t, newCast(newWorld(t), rand.New(rand.NewPCG(seed, 8))))
			d.calm = d.rng.IntN(2) == 0
			d.length = 1 + d.rng.Uint32N(8)
			d.w.maxScan, d.w.nearTip = d.length, d.length%12
			d.late()
		})
	}
}

// late is the life of such a world.
func (d *driver) late() {
	for range 15 + d.rng.IntN(10) {
		d.block()
	}
	d.watchSingle(0, 0)
	d.sync()
	for range 60 {
		switch d.rng.IntN(16) {
		case 0, 1:
			d.watchSingle(d.rng.IntN(len(d.singles)), d.rng.Uint32N(8))
		case 2:
			d.watchPoint(d.rng.Uint32N(8))
		case 3:
			d.grow()
		case 4:
			if d.c.blocks[d.c.height()].Header.VoteBits&1 == 0 {
				d.goElsewhere(1) // what was disapproved may count after all
			}
			d.block()
		case 5:
			d.reopen()
		case 6:
			d.announce()
		case 7:
			if d.rng.IntN(4) == 0 {
				d.unwatch()
			}
		default:
			d.scan()
		}
		d.check()
	}
	d.locate()
	d.sync()
	d.check()
	verify(d.t, d.w)
	if through, tip, any := d.checkCoverage(); !any || through != tip || tip != d.c.height() {
		d.t.Fatalf("tested through %d of %d in the end", through, d.c.height())
	}
	d.w.Close()
}

// checkFound: what the wallet says it has tested it knows, in whatever order that
// was: an output in a block tested for it is there, and none is shown that another
// tested block spends.
func (d *driver) checkFound(tip uint32) {
	d.t.Helper()
	v := *d.cast
	v.c = d.view
	all := v.read(d.set, min(tip, d.view.height()), true)
	entries := d.entries()
	tested := func(coin *truthCoin, height uint32) bool {
		by := func(script string) bool {
			for _, key := range []string{script, pointKey(OutPoint{coin.op.Hash, coin.op.Index, []byte(script)})} {
				if from, ok := d.set[key]; ok && from <= coin.height && d.w.ledger.Covered(entries[key]).Contains(height) {
					return true
				}
			}
			return false
		}
		if coin.kind == 0xba { // less than an atom of it is none
			amount, _ := promised(d.made[coin.op.Hash], by)
			return amount > 0
		}
		return by(coin.script)
	}
	shown := make(map[wire.OutPoint]bool)
	for _, u := range utxos(d.t, d.w) {
		op := wire.OutPoint{Hash: u.TxID, Index: u.Index, Tree: u.Tree}
		shown[op] = true
		if all.credits[op] == nil {
			d.t.Fatalf("output %+v is not in the chain", u)
		}
	}
	for op, coin := range all.credits {
		by, spent := all.spent[op]
		switch {
		case !spent && !shown[op] && tested(coin, coin.height):
			d.t.Fatalf("output %v is not there, and block %d was tested for it", op, coin.height)
		case spent && shown[op] && tested(coin, all.mined[by]):
			d.t.Fatalf("output %v is there, and block %d was tested for it, where %v spends it", op, all.mined[by], by)
		}
	}
}

// checkOrder: what is near the tip or above comes first for those tested as far as
// there, and then the lowest block that is owed.
func (d *driver) checkOrder(scan chain.Range, limit uint32) {
	d.t.Helper()
	tip, started := d.w.tip()
	lowest, above := limit+1, limit+1
	near := tip.Height - min(tip.Height, d.w.nearTip)
	for _, g := range d.w.ledger.Groups() {
		for h := range limit + 1 {
			if g.Watched() == 0 || g.Covered().Contains(h) {
				continue
			}
			lowest = min(lowest, h)
			if started && h > near && g.Covered().Contains(near) {
				above = min(above, h)
			}
		}
	}
	if above <= limit && scan.From != above || above > limit && scan.From != lowest {
		d.t.Fatalf("scan %v, tip %v, limit %d: the lowest is %d, the lowest near the tip %d", scan, tip, limit, lowest, above)
	}
}

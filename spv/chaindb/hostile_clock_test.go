package chaindb

import (
	"errors"
	"testing"
	"testing/synctest"

	"dcrspv/spv/chain"
)

// TestAdoptWithAClockThatIsBehind: a computer that has lost its clock with its power (it
// has no battery for it) has a file that was not sealed, and a year that is long ago. What
// is in the file is not damaged: it must neither go nor be called so.
func TestAdoptWithAClockThatIsBehind(t *testing.T) {
	db, m := stored(t, 600)
	db.trusted.Store(false)
	synctest.Test(t, func(t *testing.T) { // it is the year 2000
		var dropped []*Damage
		err := db.Adopt(t.Context(), nil, func(d *Damage) { dropped = append(dropped, d) })
		if err != nil && !errors.Is(err, chain.ErrFuture) {
			t.Error(err)
		}
		for _, d := range dropped {
			t.Errorf("called damaged: %s (%v)", d.What(), d.Err)
		}
		if tip, _ := db.Tip(); tip.Height != m.chain.tip() {
			t.Errorf("the chain ends at %d, of %d", tip.Height, m.chain.tip())
		}
	})
}

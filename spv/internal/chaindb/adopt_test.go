package chaindb

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"

	"dcrspv/spv/chain"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(8, 9)) }

// TestAdopt: whatever bits of a file change while nobody has it open, it is not trusted,
// what is wrong is dropped, and when that has come again all is as it was.
// Rule 25.
func TestAdopt(t *testing.T) {
	db, m := stored(t, 3*segmentBlocks+60)
	path := db.path
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rng := newRand()
	mended := 0
	for range 150 {
		bad := append([]byte{}, good...)
		for range 1 + rng.IntN(3) {
			bad[2*os.Getpagesize()+rng.IntN(len(bad)*9/10)] ^= 1 << rng.IntN(8)
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, simnetRules())
		if errors.Is(err, ErrCorrupt) {
			continue // a page of bbolt's
		}
		if err != nil {
			t.Fatal(err)
		}
		if db.Trusted() {
			t.Fatal("trusted")
		}
		err = db.Adopt(context.Background(), nil, func(*Damage) { mended++ })
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if err == nil {
			again(t, db, m)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if mended < 100 {
		t.Errorf("mended %d times", mended)
	}
}

// again stores what is missing, as a sync does, and checks that all is as it was.
func again(t *testing.T, db *DB, m *model) {
	t.Helper()
	for {
		refetch(t, db, m, 100)
		if db.Trusted() {
			break
		}
		if err := db.Adopt(context.Background(), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range db.Filters().Missing(chain.Range{From: 0, To: m.chain.tip()}) {
		if err := db.PutFilters(r.From, m.chain.filters[r.From:r.To+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.differs(db); err != nil {
		t.Fatal(err)
	}
}

// TestAdoptForeign: of a chain that somebody has made up, nothing is left.
// Rule 25.
func TestAdoptForeign(t *testing.T) {
	rules := simnetRules()
	for name, test := range map[string]struct {
		height int // that is left
		edit   func(c *testChain)
	}{
		"empty filters":       {600, func(c *testChain) { clear(c.filters[1:]) }},
		"a header of its own": {249, func(c *testChain) { c.headers[300][170]++ }},
	} {
		path := testPath(t)
		db := openTest(t, path, rules)
		c := genesisChain(rules)
		c.extend(rules, newRand(), 600, 30, true)
		test.edit(c)
		c.store(t, db, 0)
		if err := errors.Join(db.Close(), os.Remove(sealPath(path))); err != nil {
			t.Fatal(err)
		}
		db = openTest(t, path, rules)
		var dropped []string
		if err := db.Adopt(t.Context(), nil, func(d *Damage) { dropped = append(dropped, d.What()) }); err != nil {
			t.Fatal(err)
		}
		if tip, _ := db.Tip(); tip.Height != uint32(test.height) || len(dropped) != 1 || !db.Trusted() {
			t.Errorf("%s: tip %v, dropped %q", name, tip, dropped)
		}
		if d := damageIn(db); d != nil {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestAdoptEnds: how often a file that is not trusted is verified, and the peers are asked
// for what is missing, is not up to how often somebody has broken it.
// Rule 25.
func TestAdoptEnds(t *testing.T) {
	db, m := stored(t, 20*segmentBlocks)
	for segment := uint32(1); segment < 20; segment += 2 {
		spoil(t, db, headersBucket, segment)
	}
	db = reopened(t, db) // and somebody else did it
	db.trusted.Store(false)
	rounds := 0
	for tip, _ := db.Tip(); !db.Trusted() || tip.Height < m.chain.tip(); tip, _ = db.Tip() {
		rounds++
		adopted(t, db)
		refetch(t, db, m, 100)
	}
	if rounds > 2 {
		t.Errorf("it was verified %d times", rounds)
	}
}

// TestAdoptWithAClockThatIsBehind: a computer that has lost its clock with its power (it
// has no battery for it) has a file that was not sealed, and a year that is long ago. What
// is in the file is not damaged: it must neither go nor be called so.
// Rule 24.
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

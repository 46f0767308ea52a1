package chaindb

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"dcrspv/spv/chain"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(8, 9)) }

// TestAdopt: whatever bits of a file change while nobody has it open, it is not trusted,
// what is wrong is dropped, and when that has come again all is as it was.
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

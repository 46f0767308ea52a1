package chaindb

import (
	"math/rand/v2"
	"testing"

	"dcrspv/spv/chain"
)

// TestMendAtRandom: however damage, reorgs, restarts and what a sync fetches follow each
// other, in the end everything is there and right.
// Rule 25.
func TestMendAtRandom(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		db, m := stored(t, 3*segmentBlocks+rng.IntN(3*segmentBlocks))
		for step := range 40 {
			tip, _ := db.Tip()
			switch segment := uint32(rng.IntN(int(tip.Height/segmentBlocks) + 1)); rng.IntN(6) {
			case 0:
				spoil(t, db, headersBucket, segment)
			case 1:
				if db.Filters().Contains(segment*segmentBlocks + 20) {
					spoil(t, db, filtersBucket, segment)
				}
			case 2:
				db = reopened(t, db)
				db.trusted.Store(true) // spoil has made no seal
			case 3: // a reorg, often a deep one
				m.chain = m.chain.fork(m.chain.tip() - uint32(rng.IntN(int(m.chain.tip()))))
				m.chain.extend(db.rules, rng, segmentBlocks+rng.IntN(2*segmentBlocks), 30, true)
			case 4:
				fetch(t, db, m, rng, 1+rng.IntN(3*segmentBlocks))
			case 5:
				fill(t, db, m)
			}
			for d := damageIn(db); d != nil; d = damageIn(db) {
				if err := db.Mend(d); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
			}
		}
		for tip, _ := db.Tip(); tip != m.chain.headers[m.chain.tip()].ID(); tip, _ = db.Tip() {
			fetch(t, db, m, rng, 1+rng.IntN(3*segmentBlocks))
		}
		fill(t, db, m)
		if report, err := db.Verify(t.Context(), nil); err != nil || report.Filters != m.chain.tip()+1 {
			t.Errorf("seed %d: %d filters of %d, %v", seed, report.Filters, m.chain.tip()+1, err)
		}
		if s := db.state.Load().severed; s != nil && s.from <= m.chain.tip()+1 {
			t.Errorf("seed %d: something is still set aside", seed)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fetch stores some more headers of the chain, from where the stored one leaves it.
func fetch(t *testing.T, db *DB, m *model, rng *rand.Rand, n int) {
	t.Helper()
	tip, _ := db.Tip()
	above := min(tip.Height, m.chain.tip())
	for ; above > 0; above-- {
		if h, err := db.Header(above); err == nil && h == m.chain.headers[above] {
			break
		}
	}
	to := min(above+uint32(n), m.chain.tip())
	if above < tip.Height { // a reorg comes as a whole
		to = m.chain.tip()
	}
	if to == above {
		return
	}
	if err := db.ReplaceHeaders(above, m.chain.headers[above+1:to+1], m.chain.work[to]); err != nil {
		t.Fatal(err)
	}
}

// fill stores the filters that are missing, as far as the stored chain is that of m.
func fill(t *testing.T, db *DB, m *model) {
	t.Helper()
	tip, _ := db.Tip()
	if tip.Height > m.chain.tip() || tip != m.chain.headers[tip.Height].ID() {
		return
	}
	for _, r := range db.Filters().Missing(chain.Range{From: 0, To: tip.Height}) {
		if err := db.PutFilters(r.From, m.chain.filters[r.From:r.To+1]); err != nil {
			t.Fatal(err)
		}
	}
}

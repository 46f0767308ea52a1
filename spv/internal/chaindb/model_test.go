package chaindb

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"dcrspv/spv/chain"
)

// model is what a DB should hold, kept in the plainest way.
type model struct {
	chain *testChain
	held  map[uint32]bool
	blob  []byte
}

func newModel(rules *chain.Rules) *model {
	return &model{chain: genesisChain(rules), held: map[uint32]bool{0: true}}
}

// step does one random write to the model, and the same to db unless it is nil.
// The same seed makes the same steps.
func (m *model) step(rules *chain.Rules, rng *rand.Rand, db *DB) (what string, err error) {
	tip := m.chain.tip()
	switch rng.IntN(10) {
	case 0, 1, 2: // the chain grows
		return m.replace(rules, rng, db, tip, 1+rng.IntN(700))
	case 3: // a reorganization, mostly shallow, perhaps to a shorter chain
		depth := rng.Uint32N(min(tip, 8) + 1)
		if rng.IntN(3) == 0 {
			depth = rng.Uint32N(tip + 1)
		}
		return m.replace(rules, rng, db, tip-depth, rng.IntN(600))
	case 4:
		r := randomRange(rng, tip, 600)
		for h := r.From; h <= r.To; h++ {
			delete(m.held, h)
		}
		if db != nil {
			err = db.DropFilters(r)
		}
		return fmt.Sprintf("drop %v", r), err
	case 5:
		m.blob = fmt.Appendf(nil, "blob %d", rng.Uint32())
		if db != nil {
			err = db.PutBlob("name", m.blob)
		}
		return "blob", err
	default:
		r := randomRange(rng, tip, 600)
		for h := r.From; h <= r.To; h++ {
			m.held[h] = true
		}
		if db != nil {
			err = db.PutFilters(r.From, m.chain.filters[r.From:r.To+1])
		}
		return fmt.Sprintf("put %v", r), err
	}
}

// replace puts n new blocks above a height.
func (m *model) replace(rules *chain.Rules, rng *rand.Rand, db *DB, above uint32, n int) (string, error) {
	tip := m.chain.tip()
	m.chain = m.chain.fork(above)
	m.chain.extend(rules, rng, n, 40, false)
	for h := above + 1; h <= tip; h++ {
		delete(m.held, h)
	}
	var err error
	if db != nil {
		err = db.ReplaceHeaders(above, m.chain.headers[above+1:], m.chain.work[m.chain.tip()])
	}
	return fmt.Sprintf("replace above %d by %d", above, n), err
}

func randomRange(rng *rand.Rand, tip uint32, most uint32) chain.Range {
	from := rng.Uint32N(tip + 1)
	return chain.Range{From: from, To: min(tip, from+rng.Uint32N(most))}
}

// ranges are the held heights.
func (m *model) ranges() chain.Ranges {
	var r chain.Ranges
	for h := range m.chain.tip() + 1 {
		switch {
		case !m.held[h]:
		case h > 0 && m.held[h-1]:
			r[len(r)-1].To = h
		default:
			r = append(r, chain.Range{From: h, To: h})
		}
	}
	return r
}

// differs compares all that db holds with the model; nil if nothing differs.
func (m *model) differs(db *DB) error {
	id, work := db.Tip()
	tip := m.chain.tip()
	if want := m.chain.headers[tip].ID(); id != want || work != m.chain.work[tip] {
		return fmt.Errorf("tip %v with work %v, want %v with %v", id, work, want, m.chain.work[tip])
	}
	if got, want := fmt.Sprint(db.Filters()), fmt.Sprint(m.ranges()); got != want {
		return fmt.Errorf("filters %s, want %s", got, want)
	}
	for h := range tip + 1 {
		if got, err := db.Header(h); err != nil || got != m.chain.headers[h] {
			return fmt.Errorf("header %d differs (%w)", h, err)
		}
	}
	if _, err := db.Header(tip + 1); !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("header above the tip: %w", err)
	}
	for _, r := range db.Filters() {
		next := r.From
		var differs error
		err := db.Blocks(r, func(height uint32, h *chain.Header, filter []byte) bool {
			if height != next || *h != m.chain.headers[height] || !bytes.Equal(filter, m.chain.filters[height]) {
				differs = fmt.Errorf("block %d differs, %d is next", height, next)
				return false
			}
			next++
			return true
		})
		if err = errors.Join(err, differs); err != nil || next != r.To+1 {
			return fmt.Errorf("blocks of %v up to %d: %w", r, next, err)
		}
	}
	if got, err := db.Blob("name"); err != nil || !bytes.Equal(got, m.blob) {
		return fmt.Errorf("blob %q (%w), want %q", got, err, m.blob)
	}
	return nil
}

// TestModel does random writes and compares the file with the model after each,
// closing and opening it again now and then.
// Rule 17.
func TestModel(t *testing.T) {
	rules := simnetRules()
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 0))
		path := testPath(t)
		db := openTest(t, path, rules)
		m := newModel(rules)
		for i := range 50 {
			what, err := m.step(rules, rng, db)
			if err != nil {
				t.Fatalf("seed %d, step %d, %s: %v", seed, i, what, err)
			}
			if rng.IntN(5) == 0 {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				db = openTest(t, path, rules)
			}
			if err := m.differs(db); err != nil {
				t.Fatalf("seed %d, step %d, %s: %v", seed, i, what, err)
			}
		}
	}
}

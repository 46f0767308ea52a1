package chaindb

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// spoil flips a bit of a stored value.
func spoil(t *testing.T, db *DB, bucket []byte, segment uint32) {
	t.Helper()
	if err := db.file.Update(flip(bucket, segmentKey(segment), 40)); err != nil {
		t.Fatal(err)
	}
}

// damageIn reads everything, and returns what is damaged; nil if nothing is.
func damageIn(db *DB) *Damage {
	tip, _ := db.Tip()
	_, err := db.Headers(chain.Range{From: 0, To: tip.Height})
	for _, held := range db.Filters() {
		err = errors.Join(err, db.Blocks(held, func(uint32, *chain.Header, []byte) bool { return true }))
	}
	var d *Damage
	errors.As(err, &d)
	return d
}

// stored is a DB with a chain of some segments, and the model of it.
func stored(t *testing.T, blocks int) (*DB, *model) {
	t.Helper()
	return storedAgain(t, mined(blocks))
}

// mined is a chain of so many blocks, with work.
func mined(blocks int) *testChain {
	rules := simnetRules()
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(3, 1)), blocks, 30, true)
	return c
}

// storedAgain is a new DB with a chain.
func storedAgain(t *testing.T, c *testChain) (*DB, *model) {
	t.Helper()
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	m := newModel(rules)
	m.chain = c.fork(c.tip())
	m.chain.store(t, db, 0)
	for h := range m.chain.tip() + 1 {
		m.held[h] = true
	}
	return db, m
}

func mend(t *testing.T, db *DB) *Damage {
	t.Helper()
	d := damageIn(db)
	if d == nil {
		t.Fatal("no damage is found")
	}
	if err := db.Mend(d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestMendFilters: the filters of a segment are dropped and can be put again.
// Rule 25.
func TestMendFilters(t *testing.T) {
	for segment := range uint32(3) {
		db, m := stored(t, 2*segmentBlocks+60)
		spoil(t, db, filtersBucket, segment)
		d := mend(t, db)
		if d.Part != Filters || d.Range.From != segment*segmentBlocks {
			t.Errorf("segment %d: %v", segment, d)
		}
		if d := damageIn(db); d != nil {
			t.Error(d)
		}
		if got := fmt.Sprint(db.Filters().Missing(chain.Range{From: 0, To: m.chain.tip()})); got != fmt.Sprint(chain.Ranges{d.Range}) {
			t.Errorf("segment %d: %s are missing, dropped was %v", segment, got, d.Range)
		}
		if err := db.PutFilters(d.Range.From, m.chain.filters[d.Range.From:d.Range.To+1]); err != nil {
			t.Fatal(err)
		}
		if err := m.differs(db); err != nil {
			t.Errorf("segment %d: %v", segment, err)
		}
	}
}

// TestMendHeaders: the chain ends below headers that are damaged, and once they have
// come again it is whole, with all the filters but theirs.
// Rule 25.
func TestMendHeaders(t *testing.T) {
	for _, blocks := range []int{3*segmentBlocks + 60, 4*segmentBlocks - 1, 3 * segmentBlocks} {
		c := mined(blocks)
		for segment := uint32(0); segment <= uint32(blocks)/segmentBlocks; segment++ {
			for _, step := range []int{7, segmentBlocks, 4 * segmentBlocks} {
				db, m := storedAgain(t, c)
				spoil(t, db, headersBucket, segment)
				if d := mend(t, db); d.Part != Headers {
					t.Fatal(d)
				}
				db = reopened(t, db)
				tip, work := db.Tip()
				if want := max(segment*segmentBlocks, 1) - 1; tip != m.chain.headers[want].ID() || work != m.chain.work[want] {
					t.Fatalf("segment %d: the chain ends at %v, should at %d", segment, tip, want)
				}
				if _, err := db.Header(tip.Height + 1); !errors.Is(err, ErrNotFound) {
					t.Fatalf("segment %d: a header above the tip: %v", segment, err)
				}
				refetch(t, db, m, step)
				first := segment * segmentBlocks
				last := min(first+segmentBlocks-1, m.chain.tip())
				for h := max(first, 1); h <= last; h++ {
					delete(m.held, h)
				}
				if err := m.differs(db); err != nil {
					t.Fatalf("%d blocks, segment %d, by %d: %v", blocks, segment, step, err)
				}
				if err := db.PutFilters(first, m.chain.filters[first:last+1]); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Verify(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// refetch stores headers as a sync does, some at a time, until all are there.
func refetch(t *testing.T, db *DB, m *model, step int) {
	t.Helper()
	for {
		tip, _ := db.Tip()
		if tip.Height == m.chain.tip() {
			return
		}
		to := min(tip.Height+uint32(step), m.chain.tip())
		if err := db.ReplaceHeaders(tip.Height, m.chain.headers[tip.Height+1:to+1], m.chain.work[to]); err != nil {
			t.Fatal(err)
		}
	}
}

// reopened closes a DB and opens it again.
func reopened(t *testing.T, db *DB) *DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return openTest(t, db.path, db.rules)
}

// TestMendTwice: with two places damaged, what is between or above them may have to be
// fetched again, and all is right in the end.
func TestMendTwice(t *testing.T) {
	for _, order := range [][]uint32{{1, 3}, {3, 1}, {0, 2}, {2, 4}, {1, 2}} {
		db, m := stored(t, 4*segmentBlocks+60)
		for _, segment := range order {
			spoil(t, db, headersBucket, segment)
		}
		for damageIn(db) != nil {
			mend(t, db)
			refetch(t, db, m, 100)
		}
		m.held = map[uint32]bool{}
		for _, held := range db.Filters() {
			for h := held.From; h <= held.To; h++ {
				m.held[h] = true
			}
		}
		if err := m.differs(db); err != nil {
			t.Fatalf("%v: %v", order, err)
		}
	}
}

// TestMendAndReorganize: when the chain goes on in another way, what was set aside is
// given up.
func TestMendAndReorganize(t *testing.T) {
	rules := simnetRules()
	db, m := stored(t, 3*segmentBlocks+60)
	spoil(t, db, headersBucket, 1)
	mend(t, db)
	rng := rand.New(rand.NewPCG(5, 5))
	if _, err := m.replace(rules, rng, db, segmentBlocks-1, 3*segmentBlocks); err != nil {
		t.Fatal(err)
	}
	if db.state.Load().severed != nil {
		t.Error("still set aside")
	}
	if err := m.differs(db); err != nil {
		t.Fatal(err)
	}
	err := db.view(func(r *reader) error {
		if key, _ := r.tx.Bucket(filtersBucket).Cursor().Last(); string(key) != string(segmentKey(0)) {
			return fmt.Errorf("filters of segment %x are left", key)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestUnlinked: a segment of another branch, which a disk has brought back, is found
// although its checksum is right.
// Rule 25.
func TestUnlinked(t *testing.T) {
	db, m := stored(t, 3*segmentBlocks)
	other := m.chain.fork(segmentBlocks - 1)
	other.extend(db.rules, rand.New(rand.NewPCG(7, 7)), segmentBlocks, 30, false)
	err := db.file.Update(func(tx *bbolt.Tx) error {
		var value []byte
		for _, h := range other.headers[segmentBlocks:] {
			value = append(value, h[:]...)
		}
		return put(tx, headersBucket, segmentKey(1), value)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Header(2*segmentBlocks - 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the last of them: %v", err)
	}
	mend(t, db)
	refetch(t, db, m, segmentBlocks)
	if d := damageIn(db); d != nil {
		t.Error(d)
	}
}

// TestMendKeyOutOfPlace: a segment that has got a key which no segment has.
func TestMendKeyOutOfPlace(t *testing.T) {
	db, m := stored(t, 3*segmentBlocks+60)
	err := db.file.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(headersBucket)
		value := bytes.Clone(b.Get(segmentKey(3)))
		return errors.Join(b.Delete(segmentKey(3)), b.Put([]byte{0x5f, 0, 0, 0, 1}, value))
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Distrust()
	adopted(t, db)
	refetch(t, db, m, segmentBlocks)
	if _, err := db.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestMendBlob: a blob that is damaged is dropped alone.
// Rule 25.
func TestMendBlob(t *testing.T) {
	db := openTest(t, testPath(t), simnetRules())
	if err := errors.Join(db.PutBlob("a", noise(99)), db.PutBlob("b", noise(9))); err != nil {
		t.Fatal(err)
	}
	if err := db.file.Update(flip(blobsBucket, []byte("a"), 7)); err != nil {
		t.Fatal(err)
	}
	_, err := db.Blob("a")
	var d *Damage
	if !errors.As(err, &d) || d.Part != Blob {
		t.Fatal(err)
	}
	if err := db.Mend(d); err != nil {
		t.Fatal(err)
	}
	if data, err := db.Blob("a"); data != nil || err != nil {
		t.Errorf("%v, %v", data, err)
	}
	if data, err := db.Blob("b"); len(data) != 9 || err != nil {
		t.Errorf("%v, %v", data, err)
	}
}

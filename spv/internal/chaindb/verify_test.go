package chaindb

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// verifyDB makes a file with a chain that has proof of work, 3 segments long, and
// all filters but those of heights 100 to 149.
func verifyDB(t *testing.T) (*DB, *testChain) {
	t.Helper()
	rules := simnetRules()
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 2)), 3*segmentBlocks-50, 60, true)
	db := openTest(t, testPath(t), rules)
	c.store(t, db, 0)
	if err := db.DropFilters(chain.Range{From: 100, To: 149}); err != nil {
		t.Fatal(err)
	}
	return db, c
}

func TestVerify(t *testing.T) {
	db, c := verifyDB(t)
	var calls, done, total uint32
	report, err := db.Verify(context.Background(), func(d, n uint32) {
		if d < done {
			t.Errorf("progress goes back from %d to %d", done, d)
		}
		calls, done, total = calls+1, d, n
	})
	if err != nil {
		t.Fatal(err)
	}
	n := uint32(len(c.headers))
	want := Report{
		Tip: c.headers[c.tip()].ID(), Work: c.work[c.tip()], Proven: true,
		Headers: n, Blake3: n - 1, Prices: n - 1, Filters: n - 50, Committed: n - 51,
	}
	if !reflect.DeepEqual(report, want) {
		t.Errorf("report %+v, want %+v", report, want)
	}
	if calls < 3 || done != n || total != n {
		t.Errorf("%d calls of progress, the last with %d of %d", calls, done, total)
	}
	if _, err := db.Verify(context.Background(), nil); err != nil {
		t.Errorf("without progress: %v", err)
	}
}

// Rule 9.
func TestVerifyIsInterrupted(t *testing.T) {
	db, c := verifyDB(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if report, err := db.Verify(ctx, nil); !errors.Is(err, context.Canceled) || report.Headers > c.tip() {
		t.Errorf("%+v, %v", report, err)
	}
}

// Rule 25.
func TestVerifyFindsDamage(t *testing.T) {
	at := func(height uint32) []byte { segment, _ := segmentOf(height); return segmentKey(segment) }
	header := func(height uint32, edit func(h *chain.Header)) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			stored, err := get(tx, headersBucket, at(height))
			if err != nil {
				return err
			}
			value := bytes.Clone(stored)
			_, index := segmentOf(height)
			edit(headerAt(value, index))
			return put(tx, headersBucket, at(height), value)
		}
	}
	filter := func(height uint32, edit func([]byte) []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			var r records
			stored, err := get(tx, filtersBucket, at(height))
			if err != nil {
				return err
			}
			if err := r.parse(stored); err != nil {
				return err
			}
			_, index := segmentOf(height)
			r[index] = edit(append([]byte{}, r[index]...))
			return put(tx, filtersBucket, at(height), r.append(nil))
		}
	}
	const border = segmentBlocks
	tests := []struct {
		name, says string
		edit       func(*bbolt.Tx) error
	}{
		{"genesis", "header 0", header(0, func(h *chain.Header) { h[170]++ })},
		{"a header", "header 301", header(300, func(h *chain.Header) { h[144]++ })}, // or 300, see below
		{"the link to another segment", "header 250", header(border, func(h *chain.Header) { h[4]++ })},
		{"a height", "header 250", header(border, func(h *chain.Header) { h[128]++ })},
		{"the genesis filter", "filter 0", filter(0, func(f []byte) []byte { f[0]++; return f })},
		{"a filter", "filter 333", filter(333, func(f []byte) []byte { return append(f, 1) })},
		{"a filter lost", "filter 334", filter(334, func(f []byte) []byte { return nil })},
		{"a filter too many", "filter 120", filter(120, func(f []byte) []byte { return []byte{} })},
		{"a filter segment cut off", "filters 250 to 499: ", func(tx *bbolt.Tx) error {
			value := tx.Bucket(filtersBucket).Get(at(border))
			return put(tx, filtersBucket, at(border), bytes.Clone(value[:len(value)-checksumSize-1]))
		}},
		{"a header segment cut off", "headers 250 to 499: ", func(tx *bbolt.Tx) error {
			value := tx.Bucket(headersBucket).Get(at(border))
			return put(tx, headersBucket, at(border), bytes.Clone(value[:len(value)-checksumSize-1]))
		}},
		{"a header segment short", "from 250 on", func(tx *bbolt.Tx) error {
			value := tx.Bucket(headersBucket).Get(at(border))
			return put(tx, headersBucket, at(border), bytes.Clone(value[:len(value)-checksumSize-chain.HeaderSize]))
		}},
		{"the work", "the work up to block 700", func(tx *bbolt.Tx) error {
			return put(tx, metaBucket, workKey, make([]byte, 32))
		}},
		{"the tip", "ends at block 700", func(tx *bbolt.Tx) error {
			tip, err := get(tx, metaBucket, tipKey)
			if err != nil {
				return err
			}
			tip = bytes.Clone(tip)
			tip[10]++
			return put(tx, metaBucket, tipKey, tip)
		}},
		{"headers above the tip", "headers above the tip", func(tx *bbolt.Tx) error {
			return put(tx, headersBucket, segmentKey(9), make([]byte, chain.HeaderSize))
		}},
		{"filters above the tip", "filters above the tip", func(tx *bbolt.Tx) error {
			return put(tx, filtersBucket, segmentKey(9), []byte{1})
		}},
		{"a bit of a header", "headers 250 to 499: the checksum is wrong", flip(headersBucket, at(border), 5000)},
		{"a bit of a filter", "filters 250 to 499: the checksum is wrong", flip(filtersBucket, at(border), 1000)},
		{"a segment in another's place", "the checksum is wrong", func(tx *bbolt.Tx) error {
			b := tx.Bucket(filtersBucket)
			return b.Put(at(0), bytes.Clone(b.Get(at(border))))
		}},
		{"the held ranges", "filters 5 to 4", func(tx *bbolt.Tx) error {
			return put(tx, metaBucket, rangesKey, []byte{0, 0, 0, 5, 0, 0, 0, 4})
		}},
	}
	db, c := verifyDB(t)
	if c.tip() != 700 {
		t.Fatalf("the tip is %d", c.tip())
	}
	for _, test := range tests {
		undo := snapshot(t, db)
		if err := db.file.Update(test.edit); err != nil {
			t.Fatal(err)
		}
		_, err := db.Verify(context.Background(), nil)
		says := test.says
		if test.name == "a header" && err != nil && strings.Contains(err.Error(), "header 300") {
			says = "header 300" // its proof of work may be lost as well, by chance
		}
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, should say %q", test.name, err, says)
		}
		undo()
	}
	if _, err := db.Verify(context.Background(), nil); err != nil {
		t.Fatalf("after all is put right again: %v", err)
	}
}

// flip is an edit of one bit of a value.
func flip(bucket, key []byte, at int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		value := bytes.Clone(tx.Bucket(bucket).Get(key))
		value[at] ^= 4
		return tx.Bucket(bucket).Put(key, value)
	}
}

// snapshot returns a function that restores the buckets' contents of now.
func snapshot(t *testing.T, db *DB) func() {
	type record struct{ bucket, key, value []byte }
	var all []record
	err := db.file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				all = append(all, record{append([]byte{}, name...), append([]byte{}, k...), append([]byte{}, v...)})
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		err := db.file.Update(func(tx *bbolt.Tx) error {
			for _, name := range [][]byte{headersBucket, filtersBucket} {
				if err := tx.Bucket(name).Delete(segmentKey(9)); err != nil {
					return err
				}
			}
			for _, r := range all {
				if err := tx.Bucket(r.bucket).Put(r.key, r.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

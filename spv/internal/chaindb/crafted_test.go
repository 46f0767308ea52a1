package chaindb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// crafted closes a DB, edits its file as somebody would who knows the format, and opens
// it again. The seal stays, as one that was copied along.
func crafted(t *testing.T, db *DB, edit func(*bbolt.Tx) error) *DB {
	t.Helper()
	if err := errors.Join(db.file.Update(edit), db.Close()); err != nil {
		t.Fatal(err)
	}
	return openTest(t, db.path, db.rules)
}

// adopted has a DB verified, which must end and leave what can be used.
func adopted(t *testing.T, db *DB) {
	t.Helper()
	before := allocated()
	if err := db.Adopt(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	wantLittle(t, "adopting", before)
	if !db.Trusted() {
		t.Error("not trusted")
	}
}

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// wantLittle checks that the work done since was up to what is in the file, not to what it
// says of itself: going through the segments of the highest chain there is allocates more.
func wantLittle(t *testing.T, what string, before uint64) {
	t.Helper()
	if grown := allocated() - before; grown > 48<<20 {
		t.Errorf("%s: %d MB were allocated", what, grown>>20)
	}
}

// TestCraftedSevered: what a file from elsewhere says was set aside was not verified, so
// it must not become the chain by itself.
// Rule 25.
func TestCraftedSevered(t *testing.T) {
	for name, foreign := range map[string]bool{"changed": false, "from elsewhere": true} {
		db, m := stored(t, 2*segmentBlocks-1) // 0 to 499
		made := m.chain.fork(m.chain.tip())
		made.extend(db.rules, newRand(), 10, 30, true)
		var value []byte
		for i, h := range made.headers[2*segmentBlocks:] {
			if i > 0 {
				h[150] ^= 0xff // there is no work in it, and nothing follows it
			}
			value = append(value, h[:]...)
		}
		lie := &severed{from: 2 * segmentBlocks, tip: made.headers[made.tip()].ID()}
		lie.tip.Hash[3] ^= 1
		lie.work.SetUint64(1 << 62)
		if foreign {
			if err := os.Remove(sealPath(db.path)); err != nil {
				t.Fatal(err)
			}
			db.trusted.Store(false) // or its next write makes a new one
		}
		// Its chain ends one block below.
		if err := db.ReplaceHeaders(2*segmentBlocks-2, nil, m.chain.work[2*segmentBlocks-2]); err != nil {
			t.Fatal(err)
		}
		db = crafted(t, db, func(tx *bbolt.Tx) error {
			return errors.Join(
				put(tx, headersBucket, segmentKey(2), value),
				put(tx, metaBucket, severedKey, lie.encode()))
		})
		adopted(t, db)
		if err := db.ReplaceHeaders(2*segmentBlocks-2, m.chain.headers[2*segmentBlocks-1:], m.chain.work[2*segmentBlocks-1]); err != nil {
			t.Fatal(err)
		}
		if tip, _ := db.Tip(); tip.Height >= 2*segmentBlocks && db.Trusted() {
			t.Errorf("%s: the tip is %v, which nobody has verified", name, tip)
		}
	}
}

// TestCraftedHeights: what a file says about how high it is costs no time, and no fault of
// ours follows from it.
// Rules 20 and 25.
func TestCraftedHeights(t *testing.T) {
	for _, height := range []uint32{1<<31 - 1, 1 << 31, ^uint32(0)} {
		tip := chain.BlockID{Height: height}
		aside := &severed{from: segmentBlocks, tip: tip}
		for name, lie := range map[string]func(tx *bbolt.Tx) error{
			"the tip": func(tx *bbolt.Tx) error { return put(tx, metaBucket, tipKey, appendID(nil, tip)) },
			"the tip, no headers": func(tx *bbolt.Tx) error {
				return errors.Join(put(tx, metaBucket, tipKey, appendID(nil, tip)), tx.Bucket(headersBucket).Delete(segmentKey(0)))
			},
			"set aside": func(tx *bbolt.Tx) error { return put(tx, metaBucket, severedKey, aside.encode()) },
		} {
			for _, foreign := range []bool{false, true} {
				db, m := stored(t, 60)
				before := allocated()
				if foreign {
					db.id = noise(fileIDSize) // in the seal, not in the file
				}
				err := errors.Join(db.PutBlob("a", nil), db.file.Update(lie), db.Close())
				if err != nil {
					t.Fatal(err)
				}
				if db, err = Open(db.path, db.rules); err == nil {
					adopted(t, db)
					at, _ := db.Tip()
					m.chain.extend(db.rules, newRand(), segmentBlocks, 30, false)
					err = db.ReplaceHeaders(at.Height, m.chain.headers[at.Height+1:], m.chain.work[m.chain.tip()])
					if err := errors.Join(err, db.Close()); err != nil {
						t.Error(err)
					}
				} else if !errors.Is(err, ErrCorrupt) {
					t.Error(err)
				}
				wantLittle(t, fmt.Sprintf("%s %d, foreign %v", name, height, foreign), before)
			}
		}
	}
}

// TestCraftedBuckets: buckets in the place of values.
func TestCraftedBuckets(t *testing.T) {
	for name, place := range map[string]struct{ bucket, key []byte }{
		"severed": {metaBucket, severedKey},
		"headers": {headersBucket, segmentKey(1)},
		"filters": {filtersBucket, segmentKey(1)},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := stored(t, 300)
			db = crafted(t, db, func(tx *bbolt.Tx) error {
				b := tx.Bucket(place.bucket)
				if err := b.Delete(place.key); err != nil {
					return err
				}
				_, err := b.CreateBucket(place.key)
				return err
			})
			err := db.Adopt(t.Context(), nil, nil)
			if err == nil {
				err = db.PutBlob("a", []byte{1})
			}
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("it can't be used, and nobody is told to delete it: %v", err)
			}
		})
	}
}

// TestForeignBlobs: a seal that names the file's id, which is in the file for everybody
// to read, does not make it ours: its blobs (bans, known good nodes) are not believed.
// Rule 25.
func TestForeignBlobs(t *testing.T) {
	path, other := testPath(t), filepath.Join(t.TempDir(), "chain.db")
	ours, theirs := openTest(t, path, simnetRules()), openTest(t, other, simnetRules())
	if err := errors.Join(theirs.PutBlob("peers", []byte("all honest nodes are banned")), theirs.Close(), ours.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []func(string) string{func(path string) string { return path }, sealPath} {
		data, err := os.ReadFile(name(other))
		if err := errors.Join(err, os.Remove(name(path)), os.WriteFile(name(path), data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	db := openTest(t, path, simnetRules())
	adopted(t, db)
	if blob, err := db.Blob("peers"); err != nil || blob != nil {
		t.Errorf("believed is %q, %v", blob, err)
	}
}

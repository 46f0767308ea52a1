package chaindb

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

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
	began := time.Now()
	if err := db.Adopt(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it takes %v", took)
	}
	if !db.Trusted() {
		t.Error("not trusted")
	}
}

// TestCraftedSevered: what a file from elsewhere says was set aside was not verified, so
// it must not become the chain by itself.
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
				began := time.Now()
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
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("%s %d, foreign %v: it takes %v", name, height, foreign, took)
				}
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

// TestSealThatChangesWhileWaiting: who opens the file when the one before has just
// closed it has read an old seal.
func TestSealThatChangesWhileWaiting(t *testing.T) {
	path := testPath(t)
	db := openTest(t, path, simnetRules())
	go func() {
		time.Sleep(200 * time.Millisecond) // Open waits for a second
		if err := errors.Join(db.PutBlob("last", []byte{1}), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	next, err := Open(path, simnetRules())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if !next.Trusted() {
		t.Error("all of it would be verified, for nothing")
	}
}

// TestNoRange: nothing is asked for.
func TestNoRange(t *testing.T) {
	db, _ := stored(t, 60)
	headers, err := db.Headers(chain.Range{From: 5, To: 4})
	if err != nil || len(headers) != 0 {
		t.Errorf("%d headers, %v", len(headers), err)
	}
	if _, err := db.Headers(chain.Range{From: 0, To: ^uint32(0)}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestChangedDirectory: a program that opened the file by a relative path may go elsewhere.
func TestChangedDirectory(t *testing.T) {
	path := testPath(t)
	t.Chdir(filepath.Dir(path))
	db, err := Open(filepath.Base(path), simnetRules())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	t.Chdir(elsewhere)
	if err := errors.Join(db.PutBlob("a", []byte{1}), db.Close()); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("left elsewhere: %v, %v", left, err)
	}
	if db = openTest(t, path, simnetRules()); !db.Trusted() {
		t.Error("not trusted")
	}
}

// TestBlocksOfAnotherBranch: a segment of another branch, which a disk has brought back,
// is found by a scan too: its checksum is right.
func TestBlocksOfAnotherBranch(t *testing.T) {
	db, m := stored(t, 3*segmentBlocks)
	other := m.chain.fork(segmentBlocks - 1)
	other.extend(db.rules, newRand(), segmentBlocks, 30, false)
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
	wrong := 0
	err = db.Blocks(chain.Range{From: 0, To: 3 * segmentBlocks}, func(height uint32, h *chain.Header, _ []byte) bool {
		if *h != m.chain.headers[height] {
			wrong++
		}
		return true
	})
	if err == nil || wrong > 0 {
		t.Errorf("%d headers of another branch are given out, %v", wrong, err)
	}
}

// TestAdoptEnds: how often a file that is not trusted is verified, and the peers are asked
// for what is missing, is not up to how often somebody has broken it.
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

// TestRotOfTheState: what the file says about itself is stored like the rest of it, and can
// be found again from the rest: nobody has to delete the file by hand, bans and all.
func TestRotOfTheState(t *testing.T) {
	for _, key := range [][]byte{tipKey, workKey, rangesKey, idKey} {
		db, _ := stored(t, 60)
		if err := errors.Join(db.file.Update(flip(metaBucket, key, 3)), db.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := Open(db.path, db.rules)
		if err != nil {
			t.Errorf("a bit of %q: %v", key, err)
			continue
		}
		again.Close()
	}
}

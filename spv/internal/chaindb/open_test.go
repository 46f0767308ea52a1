package chaindb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
	"go.etcd.io/bbolt"
)

func TestOpenFresh(t *testing.T) {
	for _, params := range []*chaincfg.Params{
		chaincfg.MainNetParams(), chaincfg.TestNet3Params(), chaincfg.SimNetParams(), chaincfg.RegNetParams(),
	} {
		rules := chain.NewRules(params)
		path := testPath(t)
		db := openTest(t, path, rules)
		m := newModel(rules)
		if err := m.differs(db); err != nil {
			t.Errorf("%s: %v", params.Name, err)
		}
		if _, err := db.Verify(context.Background(), nil); err != nil {
			t.Errorf("%s: %v", params.Name, err)
		}
		db.Close()
		if err := m.differs(openTest(t, path, rules)); err != nil {
			t.Errorf("%s, opened again: %v", params.Name, err)
		}
	}
}

// A chain in memory is as one in a file, is ours from the start, has no seal, and can be
// copied to a file, where it is a stranger's.
func TestOpenMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	rules := simnetRules()
	db, err := OpenMemory(rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := newModel(rules).differs(db); err != nil || !db.Trusted() {
		t.Errorf("trusted %v, %v", db.Trusted(), err)
	}
	db.Distrust()
	if err := errors.Join(db.PutBlob("registry", []byte("x")), db.Adopt(t.Context(), nil, nil)); err != nil || !db.Trusted() {
		t.Errorf("verified again: trusted %v, %v", db.Trusted(), err)
	}
	path := testPath(t)
	if err := db.Copy(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := newModel(rules).differs(openTest(t, path, rules)); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestOpenEmpty: a file of no bytes is as good as none, and so is a bbolt file in
// which nothing has been written yet, which is what a kill during the first Open
// may leave.
func TestOpenEmpty(t *testing.T) {
	path := testPath(t)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, simnetRules())

	path = testPath(t)
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	bolt.Close()
	openTest(t, path, simnetRules())
}

// TestOpenRefuses: what cannot be opened is told apart, says what to do in one
// line, and is left as it was.
// Rule 24.
func TestOpenRefuses(t *testing.T) {
	simnet := simnetRules()
	good := func(path string) error {
		db, err := Open(path, simnet)
		if err != nil {
			return err
		}
		c := genesisChain(simnet)
		c.extend(simnet, rand.New(rand.NewPCG(1, 3)), 2000, 300, false)
		c.store(t, db, 0)
		return db.Close()
	}
	edited := func(edit func(tx *bbolt.Tx) error) func(string) error {
		return func(path string) error {
			if err := good(path); err != nil {
				return err
			}
			bolt, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(bolt.Update(edit), bolt.Close())
		}
	}
	cut := func(size int64) func(string) error {
		return func(path string) error { return errors.Join(good(path), os.Truncate(path, size)) }
	}
	cutLast := func(path string) error {
		if err := good(path); err != nil {
			return err
		}
		size, err := usedSize(path)
		return errors.Join(err, os.Truncate(path, size-1))
	}
	withRanges := func(heights ...uint32) func(string) error {
		var value []byte
		for _, h := range heights {
			value = binary.BigEndian.AppendUint32(value, h)
		}
		return edited(func(tx *bbolt.Tx) error { return put(tx, metaBucket, rangesKey, value) })
	}
	bytesOf := func(b []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, b, 0o600) }
	}
	tests := []struct {
		name  string
		make  func(path string) error
		rules *chain.Rules
		want  error
		says  string
	}{
		{"another network", good, chain.NewRules(chaincfg.MainNetParams()), ErrNetwork, "another data directory"},
		{"a newer version", edited(func(tx *bbolt.Tx) error {
			return tx.Bucket(metaBucket).Put(versionKey, binary.BigEndian.AppendUint32(nil, FileVersion+1))
		}), simnet, ErrNewer, "update the program"},
		{"no version", edited(func(tx *bbolt.Tx) error {
			return tx.Bucket(metaBucket).Delete(versionKey)
		}), simnet, ErrCorrupt, "delete it"},
		{"an older version", edited(func(tx *bbolt.Tx) error {
			return tx.Bucket(metaBucket).Put(versionKey, []byte{0, 0, 0, 1})
		}), simnet, ErrOlder, "delete it"},
		{"a record of the state changed", edited(func(tx *bbolt.Tx) error {
			tip := bytes.Clone(tx.Bucket(metaBucket).Get(tipKey))
			tip[9] ^= 4
			return tx.Bucket(metaBucket).Put(tipKey, tip)
		}), simnet, ErrCorrupt, "the checksum is wrong"},
		{"no name", edited(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(idKey) }), simnet, ErrCorrupt, "lost its name"},
		{"filters above the tip", withRanges(0, 2001), simnet, ErrCorrupt, "filters 0 to 2001"},
		{"filters that end before they start", withRanges(5, 4), simnet, ErrCorrupt, "filters 5 to 4"},
		{"filters out of order", withRanges(7, 9, 1, 2), simnet, ErrCorrupt, "filters 1 to 2"},
		{"adjacent filters apart", withRanges(1, 2, 3, 4), simnet, ErrCorrupt, "filters 3 to 4"},
		{"half a range", withRanges(1, 2, 4), simnet, ErrCorrupt, "12 bytes are no ranges"},
		{"no blobs", edited(func(tx *bbolt.Tx) error { return tx.DeleteBucket(blobsBucket) }), simnet, ErrCorrupt, "bucket blobs"},
		{"no headers", edited(func(tx *bbolt.Tx) error { return tx.DeleteBucket(headersBucket) }), simnet, ErrCorrupt, "delete it"},
		{"another bbolt file", func(path string) error {
			bolt, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(bolt.Update(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("wallet"))
				return err
			}), bolt.Close())
		}, simnet, ErrCorrupt, "not a chain file"},
		{"a text", bytesOf([]byte("hello\n")), simnet, ErrCorrupt, "delete it"},
		{"zeros", bytesOf(make([]byte, 100000)), simnet, ErrCorrupt, "delete it"},
		{"noise", bytesOf(noise(100000)), simnet, ErrCorrupt, "delete it"},
		{"cut to 100 bytes", cut(100), simnet, ErrCorrupt, "delete it"},
		{"cut to 20 kB", cut(20000), simnet, ErrCorrupt, "delete it"},
		{"cut to 300 kB", cut(300000), simnet, ErrCorrupt, "delete it"},
		{"cut by a byte", cutLast, simnet, ErrCorrupt, "missing at its end"},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) }, simnet, dbfile.ErrNotFile, "directory"},
		{"no directory", func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, simnet, os.ErrNotExist, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := testPath(t)
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			db, err := Open(path, test.rules)
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			text := err.Error()
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if !strings.Contains(text, test.says) || !strings.Contains(text, path) || strings.Contains(text, "\n") {
				t.Errorf("%q should say %q and name the file, in one line", text, test.says)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
			// Nothing is left locked.
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if !errors.Is(test.want, os.ErrNotExist) {
				openTest(t, path, simnet)
			}
		})
	}
}

// usedSize is the size of a file without the space that is kept for its growth.
func usedSize(path string) (size int64, err error) {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return 0, err
	}
	err = bolt.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	return size, errors.Join(err, bolt.Close())
}

// A file needs no space for growth: a compacted copy has none.
func TestOpenWithoutSpareSpace(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db := openTest(t, path, rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 2)), 300, 60, false)
	m.chain.store(t, db, 0)
	for h := range m.chain.tip() + 1 {
		m.held[h] = true
	}
	db.Close()
	size, err := usedSize(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	if err := m.differs(openTest(t, path, rules)); err != nil {
		t.Error(err)
	}
}

func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(4, 4))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestOpenInUse(t *testing.T) {
	path := testPath(t)
	db := openTest(t, path, simnetRules())
	_, err := Open(path, simnetRules())
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Fatalf("opened twice: %v", err)
	}
	db.Close()
	openTest(t, path, simnetRules())
}

// TestOpenDamaged overwrites a random page with noise. Whatever it was, nothing
// panics, and damage that matters is found: Open or Verify fails, or every byte
// that is read is right.
// Rule 25.
func TestOpenDamaged(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db := openTest(t, path, rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 2)), 600, 60, true)
	m.chain.store(t, db, 0)
	for h := range m.chain.tip() + 1 {
		m.held[h] = true
	}
	db.Close()
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pageSize := os.Getpagesize()
	used := 0 // the file is zero from here on
	for i, c := range image {
		if c != 0 {
			used = i + 1
		}
	}
	found := 0
	// Pages 0 and 1 are the roots of the last two states; either may be lost.
	for page := 2; page*pageSize < used; page++ {
		damaged := append([]byte{}, image...)
		copy(damaged[page*pageSize:], noise(pageSize))
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		switch err := openAndVerify(path, rules, m); {
		case errors.Is(err, ErrCorrupt):
			found++
		case err != nil:
			t.Fatalf("page %d: %v", page, err)
		}
	}
	if found < 20 {
		t.Errorf("only %d damaged pages were noticed", found)
	}
}

func openAndVerify(path string, rules *chain.Rules, m *model) (err error) {
	db, err := Open(path, rules)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
	}()
	if _, err := db.Verify(context.Background(), nil); err != nil {
		return err
	}
	if err := m.differs(db); err != nil {
		return fmt.Errorf("verified, but %w", err)
	}
	return nil
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

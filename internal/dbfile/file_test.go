package dbfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

var bucket = []byte("values")

// put writes n values of some pages each.
func put(t *testing.T, f *File, n int) {
	t.Helper()
	err := f.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		for i := 0; i < n && err == nil; i++ {
			err = b.Put(fmt.Appendf(nil, "%06d", i), bytes.Repeat([]byte{byte(i)}, 9000))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readAll reads every value.
func readAll(f *File) error {
	return f.View(func(tx *bbolt.Tx) error {
		sum := 0
		return tx.Bucket(bucket).ForEach(func(_, v []byte) error {
			for _, b := range v {
				sum += int(b)
			}
			return nil
		})
	})
}

func opened(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path, Options{MapBytes: 64 << 20, GrowBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func testPath(t *testing.T) string { return filepath.Join(t.TempDir(), "a.db") }

// made is a closed file with 200 values, and its content.
func made(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = testPath(t)
	f := opened(t, path)
	put(t, f, 200)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

// TestNotFile: what is no file is told apart from a damaged one.
func TestNotFile(t *testing.T) {
	path := testPath(t)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrNotFile) || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
	if _, err := Open(testPath(t), Options{Existing: true}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestChangedWhileOpen: whatever is done to a file while it is open, reads and writes
// fail with an error that says so, for good, and Close returns and gives up the lock.
// Rule 25.
func TestChangedWhileOpen(t *testing.T) {
	older := func(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }
	for name, test := range map[string]struct {
		change func(path string, content []byte) error
		want   []error
	}{
		"cut to nothing": {func(path string, _ []byte) error { return os.Truncate(path, 0) }, []error{ErrDamaged}},
		"cut in half":    {func(path string, c []byte) error { return os.Truncate(path, int64(len(c)/2)) }, []error{ErrDamaged}},
		"zeroed": {func(path string, c []byte) error {
			return os.WriteFile(path, make([]byte, len(c)), 0o600)
		}, []error{ErrDamaged}},
		"deleted": {func(path string, _ []byte) error { return os.Remove(path) }, []error{ErrReplaced}},
		"replaced": {func(path string, c []byte) error {
			return errors.Join(os.WriteFile(path+".new", c, 0o600), os.Rename(path+".new", path))
		}, []error{ErrReplaced}},
		"an older state of it": {older, []error{ErrReplaced, ErrDamaged}},
		"a text":               {func(path string, _ []byte) error { return os.WriteFile(path, []byte("hello\n"), 0o600) }, []error{ErrDamaged}},
	} {
		path, content := made(t)
		f := opened(t, path)
		put(t, f, 10)
		put(t, f, 20)
		if err := test.change(path, content); err != nil {
			t.Fatal(err)
		}
		isWanted := func(err error) bool {
			for _, want := range test.want {
				if errors.Is(err, want) {
					return !strings.Contains(err.Error(), "runtime error")
				}
			}
			return false
		}
		readErr, checkErr := readAll(f), f.Check()
		writeErr := f.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte("a"), []byte("b")) })
		if !isWanted(writeErr) {
			t.Errorf("%s: write: %v", name, writeErr)
		}
		if !isWanted(checkErr) {
			t.Errorf("%s: check: %v", name, checkErr)
		}
		if readErr != nil && !isWanted(readErr) {
			t.Errorf("%s: read: %v", name, readErr)
		}
		if err := readAll(f); !errors.Is(err, writeErr) {
			t.Errorf("%s: read again: %v", name, err)
		}
		if f.Over() == nil {
			t.Errorf("%s: not over", name)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		opened(t, path)
	}
}

// TestNameless: a file that gave up its own name is not missed.
func TestNameless(t *testing.T) {
	path := testPath(t)
	f, err := Open(path, Options{Nameless: true})
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path) // where an open file could not be removed
	put(t, f, 5)
	if err := errors.Join(readAll(f), f.Close()); err != nil {
		t.Error(err)
	}
}

// TestReplacedAndClosed: who has nothing more to write is told by Close that all is lost.
func TestReplacedAndClosed(t *testing.T) {
	path, _ := made(t)
	f := opened(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, ErrReplaced) {
		t.Error(err)
	}
}

// TestPanics: a panic in a read or a write is an error, and says whose it is.
// Rule 24.
func TestPanics(t *testing.T) {
	var none []int
	for name, write := range map[string]bool{"read": false, "write": true} {
		f := opened(t, testPath(t))
		put(t, f, 5)
		panics := func(*bbolt.Tx) error { none[len(name)] = 1; return nil }
		do := f.View
		if write {
			do = f.Update
		}
		err := do(panics)
		if !errors.Is(err, ErrBug) || !strings.Contains(err.Error(), "index out of range") ||
			!strings.Contains(err.Error(), "file_test.go:") || strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := opened(t, testPath(t))
	put(t, f, 5)
	err := f.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		c.Next() // bbolt wants First before
		c.Delete()
		return nil
	})
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrBug) {
		t.Error(err)
	}
}

// TestUnchanged: the leaves of a file that is as it was left are not read.
func TestUnchanged(t *testing.T) {
	path, content := made(t)
	h, err := ReadHead(bytes.NewReader(content), os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	leaf := 0 // the last
	for id := 2; id < int(h.Pages); id++ {
		p := page{uint64(id), content[id*h.PageSize:]}
		if native.Uint64(p.b) == p.id && p.kind() == kindLeaf && p.count() > 0 && native.Uint32(p.b[pageHeader:]) != entryBucket {
			leaf = id
		}
	}
	clear(content[leaf*h.PageSize:][:h.PageSize])
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("changed: %v", err)
	}
	left := false
	f, err := Open(path, Options{
		Unchanged: func(*os.File, Head) bool { return true },
		Leave:     func(_ *os.File, now Head) { left = now == h },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil || !left {
		t.Errorf("closed: %v, %v", err, left)
	}
}

// TestDamagedBeforeOpen: a list of free pages that makes no sense would have bbolt
// panic, or ask for all memory.
func TestDamagedBeforeOpen(t *testing.T) {
	path, content := made(t)
	h, err := ReadHead(bytes.NewReader(content), os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	list := content[int(h.Free)*h.PageSize:]
	for _, name := range []string{"too many", "nothing"} {
		if clear(list[:h.PageSize]); name == "too many" {
			native.PutUint64(list, h.Free)
			native.PutUint16(list[8:], kindFree)
			native.PutUint16(list[10:], manyFree)
			native.PutUint64(list[16:], 1<<40) // bbolt would make a list of these
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openMapped(path, Options{}, false); !errors.Is(err, ErrDamaged) { // bbolt panics
		t.Error(err)
	}
}

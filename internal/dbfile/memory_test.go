package dbfile

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// wantEmpty checks that nothing is in the directory for temporary files.
func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A file in memory is like any other one, as long as it is open: it grows, it can be
// copied, and another one has nothing of it. It has no name, so nothing is left of it
// however the program ends.
func TestOpenMemory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := OpenMemory(Options{MapBytes: 1 << 20, GrowBytes: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		wantEmpty(t, dir)
	}
	other, err := OpenMemory(Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, 100) // more than was mapped
	put(t, f, 500)
	var copied bytes.Buffer
	err = f.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket(bucket).Stats().KeyN; n != 500 {
			t.Errorf("%d values", n)
		}
		_, err := tx.WriteTo(&copied)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = other.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucket) != nil {
			t.Error("another one has values of the first")
		}
		return nil
	})
	if err := errors.Join(err, f.Close(), other.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if err := f.Update(func(*bbolt.Tx) error { return nil }); !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		t.Errorf("after Close: %v", err)
	}
	wantEmpty(t, dir)

	path := testPath(t)
	if err := os.WriteFile(path, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// Where there are no files in memory a temporary one has its place, whose name is gone
// too, or is known to be removed later.
func TestTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	file, name, err := temporaryFile()
	if err != nil {
		t.Fatal(err)
	}
	if name == "" && runtime.GOOS != "windows" {
		wantEmpty(t, dir)
	}
	if _, err := file.WriteString("x"); err != nil {
		t.Error(err)
	}
	file.Close()
}

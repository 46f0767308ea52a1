package chaindb

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestSeal: a file is trusted as long as nobody but us has changed it.
// Rule 25.
func TestSeal(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Log("what the file system tells about files is less here")
	}
	copyOver := func(path string) error {
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path, data, 0o600))
	}
	for name, test := range map[string]struct {
		change func(path string) error
		trust  bool
		blob   bool // kept by Adopt
	}{
		"nothing": {func(string) error { return nil }, true, true},
		"a bit": {func(path string) error {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			var b [1]byte
			info, err := f.Stat()
			if err != nil {
				return err
			}
			at := info.Size() - 1 // space to grow
			_, err = f.ReadAt(b[:], at)
			b[0] ^= 1
			_, writeErr := f.WriteAt(b[:], at)
			return errors.Join(err, writeErr)
		}, false, true},
		"written over by itself": {copyOver, false, true},
		"a copy in its place": {func(path string) error {
			data, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".copy", data, 0o600), os.Rename(path+".copy", path))
		}, false, true},
		"the seal is gone": {func(path string) error { return os.Remove(sealPath(path)) }, false, false},
		"noise in the seal": {func(path string) error {
			return os.WriteFile(sealPath(path), noise(300), 0o600)
		}, false, false},
		"another file, with its seal": {func(path string) error {
			other := filepath.Join(filepath.Dir(path), "other.db")
			db, err := Open(other, simnetRules())
			if err != nil {
				return err
			}
			if err := errors.Join(db.PutBlob("peers", []byte{9}), db.Close()); err != nil {
				return err
			}
			data, err := os.ReadFile(other)
			seal, sealErr := os.ReadFile(sealPath(other))
			return errors.Join(err, sealErr, os.WriteFile(path, data, 0o600),
				os.Remove(sealPath(path)), os.WriteFile(sealPath(path), seal, 0o600))
		}, false, false},
		"another file": {func(path string) error {
			other := filepath.Join(filepath.Dir(path), "other.db")
			db, err := Open(other, simnetRules())
			if err != nil {
				return err
			}
			return errors.Join(db.PutBlob("peers", []byte{9}), db.Close(), os.Rename(other, path))
		}, false, false},
	} {
		path := testPath(t)
		db := openTest(t, path, simnetRules())
		m := newModel(db.rules)
		m.chain.extend(db.rules, newRand(), 300, 30, true)
		m.chain.store(t, db, 0)
		if err := db.PutBlob("peers", []byte{1, 2}); err != nil {
			t.Fatal(err)
		}
		if !db.Trusted() {
			t.Errorf("%s: not trusted where it was made", name)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := test.change(path); err != nil {
			t.Fatal(err)
		}
		db = openTest(t, path, simnetRules())
		if db.Trusted() != test.trust {
			t.Errorf("%s: trusted is %v", name, db.Trusted())
		}
		if err := db.Adopt(t.Context(), nil, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if blob, err := db.Blob("peers"); err != nil || (len(blob) > 0) != test.blob {
			t.Errorf("%s: blob %v, %v", name, blob, err)
		}
		if db = reopened(t, db); !db.Trusted() {
			t.Errorf("%s: not trusted once it was verified", name)
		}
	}
}

// TestSealThatChangesWhileWaiting: who opens the file when the one before has just
// closed it must not have read an old seal.
func TestSealThatChangesWhileWaiting(t *testing.T) {
	for range 5 {
		path := testPath(t)
		db := openTest(t, path, simnetRules())
		next := make(chan *DB)
		go func() {
			for {
				other, err := Open(path, simnetRules())
				if !errors.Is(err, ErrInUse) { // which it is on a very busy machine
					next <- other
					return
				}
			}
		}()
		if err := errors.Join(db.PutBlob("last", []byte{1}), db.Close()); err != nil {
			t.Fatal(err)
		}
		other := <-next
		if other == nil {
			t.Fatal("not opened")
		}
		if !other.Trusted() {
			t.Error("all of it would be verified, for nothing")
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

package wallet

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"dcrspv/spv/dbfile"

	"go.etcd.io/bbolt"
)

const boltLeaf = 2 // the kind of a leaf page (bbolt LeafPageFlag)

// marked tells whether a closed file carries a mark that counts.
func marked(t *testing.T, path string) (is bool, newest dbfile.Head) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := dbfile.ReadHead(f, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	return isMarked(f, h), h
}

// TestMark: the pages of a large file are read when it is opened, unless it was
// closed in good order and nobody has changed it since.
func TestMark(t *testing.T) {
	path, state := saved(t)
	edit(t, path, func(tx *bbolt.Tx) error { // more than smallFile
		b, err := tx.CreateBucket([]byte("ballast"))
		for n := uint32(0); n < 5000 && err == nil; n++ {
			err = b.Put(key32(n), make([]byte, 3600))
		}
		return err
	})
	w := openAt(t, path)
	page := w.db.Info().PageSize
	if is, _ := marked(t, path); is {
		t.Error("marked while it is open")
	}
	w.Close()
	is, h := marked(t, path)
	if !is {
		t.Fatal("not marked")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	good := read(t, path)
	spoil := func(at int, with []byte, when time.Time) {
		t.Helper()
		bad := append([]byte(nil), good...)
		copy(bad[at:], with)
		write(t, path, bad)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	leaf := int(h.Pages) / 2 * page // in the ballast
	for binary.NativeEndian.Uint64(good[leaf:]) != uint64(leaf/page) || good[leaf+8] != boltLeaf {
		leaf += page
	}

	// As it was: opens, shows what it has, and is checked as a whole by Verify.
	w = openAt(t, path)
	if got := summaryOf(t, w); got != state {
		t.Fatalf("%s\nnot\n%s", got, state)
	}
	verify(t, w)
	w.Close()

	// Damage that has kept the time is Verify's to find.
	spoil(leaf, make([]byte, page), info.ModTime())
	w = openAt(t, path)
	if _, err := w.Verify(background()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("verify: %v", err)
	}
	w.Close()

	// All other damage is found by Open.
	for name, tt := range map[string]struct {
		at   int
		with []byte
		when time.Time
	}{
		"changed since":     {leaf, make([]byte, page), info.ModTime().Add(time.Second)},
		"no mark":           {int(markPlace(h)), make([]byte, markSize), info.ModTime()},
		"mark of another":   {int(markPlace(h)) + 8, []byte{9}, info.ModTime()},
		"root":              {int(h.Root) * page, make([]byte, page), info.ModTime()},
		"list of free ones": {int(h.Free) * page, make([]byte, page), info.ModTime()},
	} {
		spoil(tt.at, tt.with, tt.when)
		if name == "no mark" || name == "mark of another" { // then the leaf is read
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt(make([]byte, page), int64(leaf))
			}
			if err := errors.Join(err, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
				t.Fatal(err)
			}
		}
		if w, err := Open(path, params); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				w.Close()
			}
		}
	}

	// Written to and not closed: no mark counts.
	spoil(0, nil, info.ModTime())
	w = openAt(t, path)
	watchN(t, w, 0, 77)
	if err := w.db.Sync(); err != nil {
		t.Fatal(err)
	}
	if is, _ := marked(t, path); is {
		t.Error("marked although it was written to")
	}
}

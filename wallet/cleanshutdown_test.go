package wallet

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"dcrspv/internal/dbfile"

	"go.etcd.io/bbolt"
)

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

// enlarge makes a file more than smallFile.
func enlarge(t *testing.T, path string) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("ballast"))
		for n := uint32(0); n < 5000 && err == nil; n++ {
			err = b.Put(key32(n), make([]byte, 3600))
		}
		return err
	})
}

// remark marks a file that was damaged behind the wallet's back as closed in good order.
func remark(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h, err := dbfile.ReadHead(file, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	markClosed(file, h)
	if is, _ := marked(t, path); !is {
		t.Fatal("not marked")
	}
}

// TestMark: the pages of a large file are read when it is opened, unless it was
// closed in good order and nobody has changed it since.
// Rule 25.
func TestMark(t *testing.T) {
	path, state := saved(t)
	enlarge(t, path)
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
	for native.Uint64(good[leaf:]) != uint64(leaf/page) || native.Uint16(good[leaf+8:]) != kindLeaf {
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

// TestRestOfPages: the pages that lead to the history are not read by Open if there is a
// mark, but before bbolt goes there and before anything is written.
func TestRestOfPages(t *testing.T) {
	path, _ := saved(t)
	enlarge(t, path)
	amend(t, path, func(b *buckets) error {
		for n := range uint32(300) {
			if err := b.labels.Put(append(make([]byte, 28), key32(n)...), []byte("label")); err != nil {
				return err
			}
		}
		return nil
	})
	root := 0
	edit(t, path, func(tx *bbolt.Tx) error {
		root = int(tx.Bucket([]byte("labels")).Root())
		return nil
	})
	bad := read(t, path)
	branch := bad[root*os.Getpagesize():]
	if native.Uint16(branch[8:]) != kindBranch {
		t.Fatal("no branch")
	}
	native.PutUint64(branch[pageHeader+entrySize+8:], uint64(root)) // leads to itself
	for name, use := range map[string]func(w *Wallet) error{
		"labels":  func(w *Wallet) error { _, err := w.Labels(background()); return err },
		"history": func(w *Wallet) error { _, err := w.History(background()); return err },
		"label":   func(w *Wallet) error { return w.SetLabel(background(), addr(1).String(), "x") },
		"verify":  func(w *Wallet) error { _, err := w.Verify(background()); return err },
	} {
		write(t, path, bad)
		remark(t, path)
		before := read(t, path)
		w := openAt(t, path)
		if _, err := w.Balance(background()); err != nil {
			t.Errorf("%s: balance: %v", name, err)
		}
		for range 2 {
			if err := use(w); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	write(t, path, bad)
	if _, err := Open(path, params); !errors.Is(err, ErrCorrupt) { // no mark
		t.Error(err)
	}
}

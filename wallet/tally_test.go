package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"dcrspv/internal/dbfile"
)

// TestHarmedPages: pages that are whole and not the right ones are found: those in each
// other's place, and a branch that leads to one less than it did.
// Rule 25.
func TestHarmedPages(t *testing.T) {
	f := newFlipped(t, newSmall(t))
	page := f.open.db.Info().PageSize
	h, err := dbfile.ReadHead(bytes.NewReader(f.good), page)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(f.good)
	at := func(id int) []byte { return bad[id*page : (id+1)*page] }
	try := func(name string) {
		t.Helper()
		f.set(t, 0, bad...)
		if !f.isFound(t, name) {
			t.Errorf("%s: not found", name)
		}
		copy(bad, f.good)
		f.set(t, 0, bad...)
	}
	var trees []int // leaves and branches
	branches := 0
	for id := 2; id < int(h.Pages); id++ {
		switch native.Uint16(at(id)[8:]) {
		case kindBranch:
			branches++
			native.PutUint16(at(id)[10:], native.Uint16(at(id)[10:])-1)
			try(fmt.Sprintf("branch %d without its last", id))
			fallthrough
		case kindLeaf:
			trees = append(trees, id)
		}
	}
	for i, a := range trees {
		for _, b := range trees[:i] {
			was := bytes.Clone(at(a))
			copy(at(a)[8:], at(b)[8:]) // all but their numbers
			copy(at(b)[8:], was[8:])
			try(fmt.Sprintf("%d and %d swapped", a, b))
		}
	}
	if branches == 0 || len(trees) < 5 {
		t.Errorf("%d branches, %d pages", branches, len(trees))
	}
}

// TestStalePages: a page as it was before is found, whichever one a change has written.
// Rule 25.
func TestStalePages(t *testing.T) {
	path := newSmall(t)
	versions := [][]byte{read(t, path)}
	for n := range uint64(6) {
		w := openAt(t, path)
		watchN(t, w, 0, 20+n)
		if err := errors.Join(w.SetLabel(background(), addr(1).String(), fmt.Sprint(n)), w.db.Sync(), w.Close()); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, read(t, path))
	}
	now := filepath.Join(t.TempDir(), "wallet.db")
	write(t, now, versions[len(versions)-1])
	f := newFlipped(t, now)
	page := f.open.db.Info().PageSize
	live, tried := liveBytes(t, f.good, page), 0
	for v, old := range versions[:len(versions)-1] {
		for at := 2 * page; at < len(old); at += page {
			if was := old[at : at+page]; live[at] && !bytes.Equal(was, f.good[at:at+page]) {
				tried++
				f.set(t, at, was...)
				if name := fmt.Sprintf("page %d of version %d", at/page, v); !f.isFound(t, name) {
					t.Errorf("%s: not found", name)
				}
				f.set(t, at, f.good[at:at+page]...)
			}
		}
	}
	if tried < 10 {
		t.Errorf("%d tried", tried)
	}
}

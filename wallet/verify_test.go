package wallet

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestVerifyMissesDerivedScripts: that the record of a script of an account is gone is
// found, whichever it is, although nothing else in the file names it.
// Rule 25.
func TestVerifyMissesDerivedScripts(t *testing.T) {
	w := open(t)
	w.maxAhead = 2
	watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}, Gap: 3, PubKeys: true})
	watch(t, w, Watch{XPubs: []string{testXPub(t, 2)}, Gap: 3})
	verify(t, w)
	var raws [][]byte
	for raw := range w.scripts {
		raws = append(raws, []byte(raw))
	}
	if err := errors.Join(w.db.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	whole := read(t, w.path)
	for _, raw := range raws {
		write(t, w.path, bytes.Clone(whole))
		amend(t, w.path, func(b *buckets) error { return b.scripts.Delete(raw) })
		damaged := openAt(t, w.path)
		if _, err := damaged.Verify(t.Context()); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("script %x: %v", raw, err)
		}
		damaged.Close()
	}
}

// TestUsedAboveTheTip: Open or Verify miss that a script is said to be used in a block
// that is none of the wallet's yet.
func TestUsedAboveTheTip(t *testing.T) {
	k := newKeyed(t, 0)
	k.mine(k.payTo(2, 1))
	mineTo(k.world, 40)
	k.sync(k.w)
	path := reclose(t, k.w)
	amend(t, path, func(b *buckets) error {
		v := bytes.Clone(b.scripts.Get(k.script(2)))
		copy(v[16:], key32(1_000_000)) // used at
		return b.scripts.Put(k.script(2), v)
	})
	w, err := Open(path, params)
	if err == nil {
		defer w.Close()
		_, err = w.Verify(background())
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
}

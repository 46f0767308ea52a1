package wallet

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestVerifyMissesDerivedScripts: that the record of a script of an account is gone is
// found, whichever it is, although nothing else in the file names it.
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
		edit(t, w.path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("scripts")).Delete(raw) })
		damaged := openAt(t, w.path)
		if _, err := damaged.Verify(t.Context()); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("script %x: %v", raw, err)
		}
		damaged.Close()
	}
}

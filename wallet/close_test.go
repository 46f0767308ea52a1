package wallet

import (
	"errors"
	"testing"

	"go.etcd.io/bbolt"
)

// A wallet that has nothing to write reads nothing more of a large file to close it.
func TestCloseReadsNothing(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	path := w.path
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	enlarge(t, path)
	w = openAt(t, path)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openAt(t, path)
	before := w.db.Stats()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if after := w.db.Stats(); after.TxN != before.TxN || after.TxStats.GetCursorCount() != before.TxStats.GetCursorCount() {
		t.Errorf("Close has read the file: %d cursors", after.TxStats.GetCursorCount()-before.TxStats.GetCursorCount())
	}
}

// A wallet that could not be read again was told of; closing it twice does nothing.
func TestCloseOfABrokenWallet(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	if err := w.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("groups")).Put(key64(77), []byte("no seal"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.update(background(), func(c *change) { c.progress(); c.fail(errors.New("boom")) }); err == nil {
		t.Fatal("no error")
	}
	if w.broken == nil {
		t.Fatal("not broken")
	}
	if err := w.Close(); err != nil {
		t.Errorf("closed: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

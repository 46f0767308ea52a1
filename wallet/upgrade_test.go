package wallet

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// downgradeTo3 makes version 3 of a closed file.
func downgradeTo3(tx *bbolt.Tx) error {
	return errors.Join(tx.DeleteBucket([]byte("strays")), tx.DeleteBucket([]byte("strayspends")), tx.DeleteBucket([]byte("strangers")),
		tx.Bucket([]byte("meta")).Put(keyVersion, key32(3)))
}

// downgradeTo2 makes version 2 of a closed file.
func downgradeTo2(tx *bbolt.Tx) error {
	return errors.Join(downgradeTo3(tx), tx.DeleteBucket([]byte("points")), tx.Bucket([]byte("meta")).Put(keyVersion, key32(2)))
}

// downgrade makes version 1 of a closed file.
func downgrade(tx *bbolt.Tx) error {
	b, err := openBuckets(tx)
	if err != nil {
		return err
	}
	rewrite := func(b *bbolt.Bucket, fn func(v []byte) []byte) {
		records := make(map[string][]byte)
		b.ForEach(func(k, v []byte) error {
			records[string(k)] = fn(bytes.Clone(v))
			return nil
		})
		for k, v := range records {
			err = errors.Join(err, b.Put([]byte(k), v))
		}
	}
	// number 8, death 1, its height 4 and tree 1, transaction
	rewrite(b.unmined, func(v []byte) []byte { return append(v[:8:8], v[17:]...) })
	// birthday 4, gap 4, used 4 and derived 4 for each branch, length of the key 4, key, label
	rewrite(b.accounts, func(v []byte) []byte {
		old := append(v[:16:16], v[20:28]...)
		return append(old, v[36:]...)
	})
	rewrite(b.scripts, func(v []byte) []byte {
		v[scriptFlags] &= scriptExplicit
		return v
	})
	return errors.Join(err,
		downgradeTo2(tx), tx.DeleteBucket([]byte("maturing")), tx.DeleteBucket([]byte("own")), tx.DeleteBucket([]byte("labels")),
		b.meta.Delete(keyTotals), b.meta.Put(keyVersion, key32(1)))
}

// TestUpgrade: a file of version 1 shows what it showed, and goes on from there.
func TestUpgrade(t *testing.T) {
	c, w := newWorld(t), open(t)
	key := testXPub(t, 1)
	used := keyAddr(t, key, 0, 24)
	watchN(t, w, 0, 1, 2)
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5, Label: "savings"})
	watch(t, w, Watch{Addresses: []string{used.String()}, Label: "alone"})
	fund := c.pay(out(scriptN(1), 100), out(scriptOf(used), 3))
	c.mine(fund, c.coinbase(scriptN(1), 7), c.ticket(c.foreignOutput(), addr(2), addr(1), 80, 5))
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 4)), 9)))
	c.sync(w)
	mine := c.spend(outPoints(fund, 0), out(scriptN(2), 99))
	addUnmined(t, w, mine)
	state := summaryOf(t, w)
	if err := errors.Join(w.db.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	edit(t, w.path, downgrade)
	old := read(t, w.path)

	w = openAt(t, w.path)
	verify(t, w)
	if got := summaryOf(t, w); got != state {
		t.Fatalf("%s\nnot\n%s", got, state)
	}
	if ids := pendingIDs(t, w); len(ids) != 1 || ids[0] != mine.TxHash() {
		t.Fatalf("to be announced: %v", ids)
	}
	if _, ok, _ := w.NextScan(c.height()); ok {
		t.Error("it has to be scanned again")
	}
	w.maxAhead = maxAhead
	for _, n := range []uint32{8, 13, 18, 22} {
		c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, n)), 10)))
	}
	c.mine(mine)
	c.sync(w)
	wantBalance(t, w, 99+5+3+9+40, 7, 80, 0)
	state = summaryOf(t, w)
	for _, older := range []func(*bbolt.Tx) error{downgradeTo3, downgradeTo2} {
		w.Close()
		edit(t, w.path, older)
		w = openAt(t, w.path)
		verify(t, w)
		if got := summaryOf(t, w); got != state {
			t.Fatalf("%s\nnot\n%s", got, state)
		}
	}
	// The address that was used by itself counts for the account.
	if list, _ := w.Watched(background()); list[0].External != 30 || list[0].Label != "savings" {
		t.Fatalf("%+v", list)
	}
	w.Close()

	// Killed while it is upgraded, it is still of version 1; a damaged one is
	// refused and stays as it is.
	write(t, w.path, old)
	edit(t, w.path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("coins"))
		k, _ := b.Cursor().First()
		return b.Put(bytes.Clone(k), []byte{1, 2, 3})
	})
	bad := read(t, w.path)
	if _, err := Open(w.path, params); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "version 1") {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, w.path), bad) {
		t.Error("the file was changed")
	}
	if info, err := os.Stat(w.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

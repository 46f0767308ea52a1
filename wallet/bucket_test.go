package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestBucket: records are read as they were written, those without a value too, and
// counted whatever is written over or removed.
func TestBucket(t *testing.T) {
	w := open(t)
	err := w.update(background(), func(c *change) {
		check := func(count uint64, want string) {
			t.Helper()
			got := ""
			err := c.labels.ForEach(func(k, v []byte) error {
				got += fmt.Sprintf("%s=%s ", k, v)
				return nil
			})
			if err != nil || got != want || c.labels.tally.count != count {
				t.Errorf("%q, %d, %v", got, c.labels.tally.count, err)
			}
		}
		put := func(k, v string) { c.put(c.labels, []byte(k), []byte(v)) }
		check(0, "")
		put("b", "2")
		put("a", "")
		put("c", "3")
		put("b", "22")
		check(3, "a= b=22 c=3 ")
		if v := c.labels.Get([]byte("a")); v == nil || len(v) != 0 || c.labels.Get([]byte("d")) != nil {
			t.Errorf("%v", v)
		}
		cur := c.labels.Cursor()
		k, _ := cur.First()
		k2, v2 := cur.Next()
		k3, _ := cur.Last()
		k4, _ := cur.Prev()
		k5, _ := cur.Seek([]byte("bb"))
		if got := fmt.Sprintf("%s %s %s %s %s %s", k, k2, v2, k3, k4, k5); got != "a b 22 c b c" {
			t.Error(got)
		}
		c.del(c.labels, []byte("b"))
		c.del(c.labels, []byte("d"))
		check(2, "a= c=3 ")
		c.del(c.labels, []byte("a"))
		c.del(c.labels, []byte("c"))
		if c.labels.tally != (tally{}) {
			t.Errorf("%+v", c.labels.tally)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, w)
}

// harm is something that happens to a bucket, behind the back of its seals.
type harm struct {
	name string
	do   func(tx *bbolt.Tx, b *bbolt.Bucket) error
}

// harms are what each bucket may suffer. other holds records of the same form.
func harms(other string) []harm {
	first := func(b *bbolt.Bucket) (k, v []byte) {
		k, v = b.Cursor().First()
		if string(k) == string(keyFormat) { // else it is not a wallet
			k, v = keyTotals, b.Get(keyTotals)
		}
		return bytes.Clone(k), bytes.Clone(v)
	}
	last := func(b *bbolt.Bucket) (k, v []byte) {
		k, v = b.Cursor().Last()
		return bytes.Clone(k), bytes.Clone(v)
	}
	return []harm{
		{"a changed value", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := first(b)
			v[len(v)-sealSize-min(1, len(v)-sealSize)] ^= 1 // the seal if there is no value
			return b.Put(k, v)
		}},
		{"a value cut off", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := first(b)
			return b.Put(k, v[:sealSize-1])
		}},
		{"a value at another key", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := first(b)
			to := bytes.Clone(k)
			to[len(to)-1] ^= 1
			return errors.Join(b.Delete(k), b.Put(to, v))
		}},
		{"a value twice", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := first(b)
			k[len(k)-1] ^= 1
			return b.Put(k, v)
		}},
		{"values swapped", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := first(b)
			k2, v2 := last(b)
			if bytes.Equal(k, k2) {
				k2[0] ^= 1
			}
			return errors.Join(b.Put(k, v2), b.Put(k2, v))
		}},
		{"the first one vanished", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, _ := first(b)
			return b.Delete(k)
		}},
		{"the last one vanished", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, _ := last(b)
			return b.Delete(k)
		}},
		{"a branch vanished", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			k, _ := last(b)
			for n := b.Stats().KeyN / 2; n >= 0; n-- {
				if err := b.Delete(k); err != nil {
					return err
				}
				k, _ = last(b)
			}
			return nil
		}},
		{"all vanished", func(_ *bbolt.Tx, b *bbolt.Bucket) error {
			for k, _ := first(b); k != nil; k, _ = b.Cursor().First() {
				if err := b.Delete(bytes.Clone(k)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"one of another bucket", func(tx *bbolt.Tx, b *bbolt.Bucket) error {
			k, v := tx.Bucket([]byte(other)).Cursor().First()
			return b.Put(bytes.Clone(k), bytes.Clone(v))
		}},
	}
}

// TestHarmedRecords: whatever happens to a record of any bucket is found by Open and by
// Verify.
// Rule 25.
func TestHarmedRecords(t *testing.T) {
	f := newFlipped(t, newSmall(t))
	for i, bucket := range bucketNames {
		for _, h := range harms(bucketNames[(i+1)%len(bucketNames)]) {
			edit(t, f.path, func(tx *bbolt.Tx) error { return h.do(tx, tx.Bucket([]byte(bucket))) })
			f.set(t, 0, read(t, f.path)...)
			if name := bucket + ": " + h.name; !f.isFound(t, name) {
				t.Errorf("%s is not found", name)
			}
			f.set(t, 0, f.good...)
		}
	}
}

// TestHarmFoundOnUse: in a large file that was closed in good order, of which Open reads
// only what it needs, whoever reads a record that is not as it was, or a list of which
// one has vanished, is told.
// Rule 25.
func TestHarmFoundOnUse(t *testing.T) {
	path := newSmall(t)
	enlarge(t, path)
	openAt(t, path).Close()
	good := read(t, path)
	uses := map[string]func(w *Wallet) error{
		"open":    func(*Wallet) error { return nil },
		"balance": func(w *Wallet) error { _, err := w.Balance(background()); return err },
		"history": func(w *Wallet) error { _, err := w.History(background()); return err },
		"page":    func(w *Wallet) error { _, err := w.HistoryPage(background(), nil, 100); return err },
		"utxos":   func(w *Wallet) error { _, err := w.UTXOs(background()); return err },
		"tickets": func(w *Wallet) error { _, err := w.Tickets(background()); return err },
		"labels":  func(w *Wallet) error { _, err := w.Labels(background()); return err },
		"events":  func(w *Wallet) error { _, err := w.readEvents(background(), 0); return err },
		"rewind":  func(w *Wallet) error { return w.Rewind(context.Background(), w.positions.blocks[0]) },
		"unwatch": func(w *Wallet) error {
			return w.Unwatch(background(), Watch{Addresses: []string{addr(1).String()}})
		},
	}
	for _, tt := range []struct{ bucket, harm, use string }{
		{"meta", "a changed value", "open"},
		{"meta", "all vanished", "open"},
		{"accounts", "a changed value", "open"},
		{"accounts", "the last one vanished", "open"},
		{"scripts", "a changed value", "open"},
		{"scripts", "the first one vanished", "open"},
		{"points", "values swapped", "open"},
		{"points", "all vanished", "open"},
		{"groups", "a changed value", "open"},
		{"positions", "a changed value", "open"},
		{"positions", "the last one vanished", "open"},
		{"unmined", "a value at another key", "open"},
		{"unmined", "all vanished", "open"},
		{"own", "a changed value", "open"},
		{"blocks", "values swapped", "history"},
		{"blocks", "values swapped", "page"},
		{"blocks", "the first one vanished", "history"},
		{"txs", "a changed value", "history"},
		{"txs", "values swapped", "page"},
		{"txs", "all vanished", "rewind"},
		{"order", "a value at another key", "history"},
		{"order", "the first one vanished", "history"},
		{"order", "a changed value", "rewind"},
		{"order", "all vanished", "history"},
		{"coins", "all vanished", "utxos"},
		{"coins", "values swapped", "utxos"},
		{"coins", "the last one vanished", "tickets"},
		{"coins", "the first one vanished", "unwatch"},
		{"unspent", "a value at another key", "utxos"},
		{"unspent", "the first one vanished", "utxos"},
		{"maturing", "values swapped", "balance"},
		{"labels", "values swapped", "labels"},
		{"labels", "the last one vanished", "labels"},
		{"disapproved", "a changed value", "rewind"},
		{"events", "a changed value", "events"},
		{"events", "values swapped", "events"},
		{"events", "the first one vanished", "events"},
		{"events", "the last one vanished", "events"},
		{"events", "all vanished", "events"},
	} {
		write(t, path, good)
		edit(t, path, func(tx *bbolt.Tx) error {
			for _, h := range harms("groups") {
				if h.name == tt.harm {
					return h.do(tx, tx.Bucket([]byte(tt.bucket)))
				}
			}
			return errors.New("no such harm")
		})
		remark(t, path)
		w, err := Open(path, params)
		if err == nil {
			w.db.NoSync = true
			if tt.use == "open" {
				t.Errorf("%s, %s: opened", tt.bucket, tt.harm)
			}
			err = uses[tt.use](w)
			w.Close()
		}
		if !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "(restore a backup") {
			t.Errorf("%s, %s, %s: %v", tt.bucket, tt.harm, tt.use, err)
		}
	}
}

package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/chaincfg/v3"
	"go.etcd.io/bbolt"
)

// saved makes a wallet with something in it and returns its file, closed, and
// what it shows.
func saved(t *testing.T) (path, state string) {
	t.Helper()
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}})
	for range 20 {
		c.mine(c.pay(out(scriptN(1), 1), out(scriptN(2), 2)))
	}
	c.sync(w)
	state = summaryOf(t, w)
	w.db.NoSync = false
	if err := errors.Join(w.db.Sync(), w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return w.path, state
}

func edit(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// amend changes the records of a closed file with seals and tally as they ought to be.
func amend(t *testing.T, path string, fn func(b *buckets) error) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error {
		b, err := openBuckets(background(), tx)
		if err != nil {
			return err
		}
		return b.result(errors.Join(fn(b), b.saveTally()))
	})
}

// named is the bucket of a name.
func (b *buckets) named(name string) *bucket {
	for i := range b.all {
		if b.all[i].name == name {
			return &b.all[i]
		}
	}
	return nil
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Rule 15.
func TestReopen(t *testing.T) {
	path, state := saved(t)
	w := openAt(t, path)
	if got := summaryOf(t, w); got != state {
		t.Fatalf("%s\nnot\n%s", got, state)
	}
	if w.Params() != params {
		t.Error("params")
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files left behind: %v", files)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestInUse(t *testing.T) {
	path, _ := saved(t)
	synctest.Test(t, func(t *testing.T) {
		w := openAt(t, path)
		if _, err := Open(path, params); !errors.Is(err, ErrInUse) {
			t.Fatal(err)
		}
		w.Close()
		w, err := Open(path, params)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	})
}

// TestRefused: every refusal names the file and its kind in one line, and
// leaves the file as it was.
// Rule 24.
func TestRefused(t *testing.T) {
	set := func(bucket string, key, value []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			amend(t, path, func(b *buckets) error { return b.named(bucket).Put(key, value) })
		}
	}
	unsealed := func(version uint32) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put(keyVersion, key32(version)) })
		}
	}
	spoilFirst := func(bucket string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			amend(t, path, func(b *buckets) error {
				k, _ := b.named(bucket).Cursor().First()
				return b.named(bucket).Put(bytes.Clone(k), []byte{1, 2, 3})
			})
		}
	}
	cut := func(keep func(int) int) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b := read(t, path)
			write(t, path, b[:keep(len(b))])
		}
	}
	for name, tt := range map[string]struct {
		spoil func(*testing.T, string)
		kind  error
	}{
		"newer":       {set("meta", keyVersion, key32(FileVersion+1)), ErrNewer},
		"development": {unsealed(2), ErrDevelopment},
		"version 1":   {unsealed(1), ErrDevelopment},
		"older":       {set("meta", keyVersion, key32(FileVersion-1)), ErrDevelopment},
		"format":      {set("meta", keyFormat, []byte("wallet")), ErrCorrupt},
		"no version": {func(t *testing.T, path string) {
			amend(t, path, func(b *buckets) error { return b.meta.Delete(keyVersion) })
		}, ErrCorrupt},
		"network":       {set("meta", keyNetwork, key32(uint32(chaincfg.MainNetParams().Net))), ErrNetwork},
		"script":        {spoilFirst("scripts"), ErrCorrupt},
		"outpoint":      {set("points", make([]byte, 36), []byte{1, 2, 3}), ErrCorrupt},
		"point of none": {set("points", make([]byte, 36), append(make([]byte, 15), 1, 0x51)), ErrCorrupt},
		"group":         {spoilFirst("groups"), ErrCorrupt},
		"account":       {spoilFirst("accounts"), ErrCorrupt},
		"position":      {spoilFirst("positions"), ErrCorrupt},
		"missing group": {func(t *testing.T, path string) { amend(t, path, dropGroups) }, ErrCorrupt},
		"no bucket": {func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("coins")) })
		}, ErrCorrupt},
		"not a wallet": {func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) })
		}, ErrCorrupt},
		"empty":     {cut(func(int) int { return 0 }), ErrCorrupt},
		"head only": {cut(func(int) int { return 100 }), ErrCorrupt},
		"two pages": {cut(func(int) int { return 2 * os.Getpagesize() }), ErrCorrupt},
		"half":      {cut(func(n int) int { return n / 2 }), ErrCorrupt},
		"text":      {func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("not a wallet\n", 4000))) }, ErrCorrupt},
		"pages": {func(t *testing.T, path string) {
			b := read(t, path)
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xa5
			}
			write(t, path, b)
		}, ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := saved(t)
			tt.spoil(t, path)
			before := read(t, path)
			w, err := Open(path, params)
			if err == nil {
				w.Close()
			}
			if !errors.Is(err, tt.kind) || !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if !bytes.Equal(read(t, path), before) {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "wallet.db"), params); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory that is not there: %v", err)
	}
}

func dropGroups(b *buckets) error {
	for k, _ := b.groups.Cursor().First(); k != nil; k, _ = b.groups.Cursor().First() {
		if err := b.groups.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// TestDamageInside: records that are as they were written and make no sense are found by
// Verify and the reader.
// Rule 25.
func TestDamageInside(t *testing.T) {
	for _, bucket := range []string{"txs", "coins", "order", "blocks", "unspent", "events"} {
		t.Run(bucket, func(t *testing.T) {
			path, _ := saved(t)
			amend(t, path, func(b *buckets) error {
				k, v := b.named(bucket).Cursor().First()
				if bucket == "unspent" {
					return b.named(bucket).Delete(bytes.Clone(k))
				}
				return b.named(bucket).Put(bytes.Clone(k), v[:len(v)/2])
			})
			w := openAt(t, path)
			if _, err := w.Verify(context.Background()); !errors.Is(err, ErrCorrupt) && bucket != "events" {
				t.Errorf("verify: %v", err)
			}
			if bucket == "events" {
				if _, err := w.readEvents(context.Background(), 0); !errors.Is(err, ErrCorrupt) {
					t.Errorf("events: %v", err)
				}
			}
		})
	}
}

func TestClosed(t *testing.T) {
	w := open(t)
	watchN(t, w, 0, 1)
	w.Close()
	ctx := context.Background()
	_, errBalance := w.Balance(ctx)
	_, errLast := w.LastEvent(ctx)
	_, errVerify := w.Verify(ctx)
	for _, err := range []error{
		errBalance, errLast, errVerify,
		w.Watch(ctx, Watch{Addresses: []string{addr(2).String()}}),
		w.Rescan(ctx, 0, 1),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	}
}

// TestFailedTransaction: what a failed transaction would have changed is not in
// memory either.
// Rule 17.
func TestFailedTransaction(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}})
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	addUnmined(t, w, c.pay(out(scriptN(1), 2), out(scriptN(2), 3)))
	state := summaryOf(t, w)
	boom := errors.New("disk full")
	err := w.update(context.Background(), func(c *change) {
		c.watchAlone([]*script{newScript(string(scriptN(2)))}, 0)
		c.markUsed(w.scripts[string(scriptOf(keyAddr(t, key, 0, 5)))], 0)
		c.coverage.Undo(0)
		c.unmine(history(t, w)[0].TxID, 1, 1)
		c.moveTo(c.w.positions.blocks[0])
		c.logEffects()
		c.fail(boom)
	})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), w.path) {
		t.Fatal(err)
	}
	verify(t, w)
	if got := summaryOf(t, w); got != state || len(w.scripts) != 81 {
		t.Fatalf("%d scripts, %s\nnot\n%s", len(w.scripts), got, state)
	}
	if _, ok, _ := w.NextScan(context.Background(), 1); ok {
		t.Error("debt")
	}
}

// TestKilled: killed at any write of any transaction, the file opens in the
// state before or after it, and a rerun gets where it would have.
//
// bbolt writes the changed pages, syncs, writes one of the two head pages, and
// syncs. So what a crash can leave is the old file with any part of the new
// pages, and the old head or the new one.
// Rule 17.
func TestKilled(t *testing.T) {
	c, w := newWorld(t), open(t)
	path := w.path
	page := w.db.Info().PageSize
	check := func(name string, file []byte, want ...string) {
		t.Helper()
		copied := filepath.Join(t.TempDir(), "copy.db")
		write(t, copied, file)
		k := openAt(t, copied)
		defer k.Close()
		verify(t, k)
		got := summaryOf(t, k) + fmt.Sprint(k.Locator(context.Background()))
		for _, s := range want {
			if got == s {
				return
			}
		}
		t.Fatalf("%s: %s\nis none of\n%s", name, got, strings.Join(want, "\nor\n"))
	}
	tx := c.pay(out(scriptN(1), 100))
	steps := []func(){
		func() { watchN(t, w, 0, 1) },
		func() { watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}}) },
		func() { c.mine(tx); c.sync(w) },
		func() { c.mine(c.pay(out(scriptOf(keyAddr(t, testXPub(t, 1), 0, 3)), 7))); c.step(w, 2, nil) },
		func() { c.step(w, 2, nil) },
		func() { addUnmined(t, w, c.pay(out(scriptN(1), 4))) },
		func() { w.Rewind(context.Background(), c.id(1)) },
		func() { w.Unwatch(context.Background(), Watch{Addresses: []string{addr(1).String()}}) },
	}
	for i, step := range steps {
		before, beforeState := read(t, path), summaryOf(t, w)+fmt.Sprint(w.Locator(context.Background()))
		step()
		if err := w.db.Sync(); err != nil {
			t.Fatal(err)
		}
		after, afterState := read(t, path), summaryOf(t, w)+fmt.Sprint(w.Locator(context.Background()))
		if i != 2 { // of several transactions
			for _, part := range []int{1, 2, 3, 1 << 30} {
				torn := append(bytes.Clone(before), make([]byte, len(after)-len(before))...)
				for n := 2; n*page < len(after) && n < part+2; n++ {
					copy(torn[n*page:(n+1)*page], after[n*page:(n+1)*page])
				}
				check(fmt.Sprintf("step %d, %d pages", i, part), torn, beforeState)
			}
		}
		check(fmt.Sprintf("step %d done", i), after, afterState)
	}
}

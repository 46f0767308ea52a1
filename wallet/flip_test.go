package wallet

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dcrspv/internal/dbfile"

	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

var flips = flag.String("flips", "", `"all" flips every bit of a small wallet file, which takes some minutes`)

// newSmall makes a wallet file with something in each bucket, and branch pages, but
// otherwise as small as can be.
func newSmall(t *testing.T) (path string) {
	t.Helper()
	c, w := newWorld(t), open(t)
	c.price = 25
	watchN(t, w, 0, 1)
	watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}, Gap: 16, Label: "cold"})
	fund := c.pay(out(scriptN(1), 100), out(scriptN(9), 50))
	point := &OutPoint{Hash: fund.TxHash(), Index: 1, Script: scriptN(9)}
	watch(t, w, Watch{OutPoints: []OutPoint{*point}, From: 1})
	c.mine(fund, c.coinbase(scriptN(1), 7))
	c.mine(c.ticket(opOf(fund, 0), addr(1), addr(1), 30, 15), c.pay(out(scriptN(1), 5)))
	c.mineVoted(false, c.pay(out(scriptOf(keyAddr(t, testXPub(t, 1), 0, 2)), 6)))
	c.mine()
	c.sync(w)
	addUnmined(t, w, signed(c.spend([]wire.OutPoint{opOf(fund, 1)}, out(scriptN(1), 40)))[0])
	ctx := background()
	if err := errors.Join(w.SetLabel(ctx, fund.TxHash().String(), "rent"), w.KeepEvents(ctx, 5000), w.db.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	edit(t, w.path, func(tx *bbolt.Tx) error {
		b, err := openBuckets(background(), tx)
		for i := range bucketNames {
			if err == nil && b.all[i].tally.count == 0 {
				err = fmt.Errorf("there is nothing in %s", bucketNames[i])
			}
		}
		return err
	})
	return packed(t, w.path)
}

// packed is a copy of a file with few free pages.
func packed(t *testing.T, path string) string {
	t.Helper()
	small := filepath.Join(t.TempDir(), "wallet.db")
	from, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	to, err := bbolt.Open(small, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	to.AllocSize = to.Info().PageSize
	if err := errors.Join(bbolt.Compact(to, from, 0), to.Close(), from.Close()); err != nil {
		t.Fatal(err)
	}
	return small
}

// answers is all that an open wallet says.
func answers(t *testing.T, w *Wallet) string {
	t.Helper()
	ctx := background()
	tickets, err := w.Tickets(ctx)
	labels, err2 := w.Labels(ctx)
	address, err3 := w.Address(ctx)
	pending, err4 := w.Pending(context.Background())
	warnings, err5 := w.Warnings(ctx)
	first, err6 := w.FirstEvent(ctx)
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\ntickets %+v\nlabels %v\naddress %s\npending %d\nwarnings %v\nevents from %d %+v",
		everything(t, w, 4), tickets, labels, address, len(pending), warnings, first, logged(t, w))
}

// flipped is a wallet file that is damaged while it is closed, and a copy that is damaged
// while it is open.
type flipped struct {
	path, copied string
	file, other  *os.File
	good         []byte
	open         *Wallet // of the copy
}

func newFlipped(t *testing.T, path string) *flipped {
	t.Helper()
	f := &flipped{path: path, copied: filepath.Join(t.TempDir(), "wallet.db"), good: read(t, path)}
	write(t, f.copied, f.good)
	for name, file := range map[string]**os.File{f.path: &f.file, f.copied: &f.other} {
		var err error
		if *file, err = os.OpenFile(name, os.O_RDWR, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*file).Close() })
	}
	f.open = f.reopen(t, f.copied)
	t.Cleanup(func() { f.open.Close() })
	verify(t, f.open)
	return f
}

// set changes bytes of both files.
func (f *flipped) set(t *testing.T, at int, b ...byte) {
	t.Helper()
	_, err := f.file.WriteAt(b, int64(at))
	_, err2 := f.other.WriteAt(b, int64(at))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBits: any bit of a small wallet is another one. If it means anything that is
// found at once by Open, and by Verify in a wallet that is open; if not, all answers are
// right.
// Rule 25.
func TestFlippedBits(t *testing.T) {
	path := newSmall(t)
	f := newFlipped(t, path)
	page, want := f.open.db.Info().PageSize, answers(t, f.open)
	live := liveBytes(t, f.good, page)
	stride := 211 * thin // a prime, but where each takes long
	if *flips == "all" {
		stride = 1
	}
	bits, found := 0, 0
	for bit := 0; bit < 8*len(f.good); bit += stride {
		at := bit / 8
		f.set(t, at, f.good[at]^1<<(bit%8))
		name := fmt.Sprintf("bit %d of byte %d of page %d", bit%8, at%page, at/page)
		bits++
		if f.isFound(t, name) {
			found++
		} else if live[at] {
			t.Errorf("%s is not found", name)
		} else {
			w := f.reopen(t, path)
			if got := answers(t, w); got != want {
				t.Errorf("%s: %s\nnot\n%s", name, got, want)
			}
			w.Close()
		}
		f.set(t, at, f.good[at])
	}
	t.Logf("%d of the %d bits of %d pages, of which %d were found", bits, 8*len(f.good), len(f.good)/page, found)
}

// isFound reports whether Open finds the damage. Then Verify does too.
func (f *flipped) isFound(t *testing.T, name string) bool {
	t.Helper()
	w, err := Open(f.path, params)
	if err == nil {
		w.Close()
		return false
	}
	_, errVerify := f.open.Verify(background())
	for _, err := range []error{err, errVerify} {
		if !errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "(restore a backup") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.open.db.Over() != nil { // nothing is asked of it any more
		f.open.Close()
		write(t, f.copied, f.good)
		f.open = f.reopen(t, f.copied)
	}
	return true
}

// reopen opens one of very many wallets, each for a moment.
func (f *flipped) reopen(t *testing.T, path string) *Wallet {
	t.Helper()
	w, err := Open(path, params)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// liveBytes tells which bytes of a file mean something: the newer head, and of all pages
// that it leads to the heads, the entries, the keys and the values.
func liveBytes(t *testing.T, file []byte, page int) []bool {
	live := make([]bool, len(file))
	mark := func(from, n int) []byte {
		for i := range n {
			live[from+i] = true
		}
		return file[from : from+n]
	}
	var leaf func(at int)
	var tree func(id uint64)
	leaf = func(at int) {
		n := native.Uint16(mark(at, pageHeader)[10:])
		for i := range int(n) {
			e := at + pageHeader + entrySize*i
			b := mark(e, entrySize)
			key, size := int(native.Uint32(b[8:])), int(native.Uint32(b[12:]))
			e += int(native.Uint32(b[4:]))
			mark(e, key+size)
			if native.Uint32(b) != entryBucket {
				continue
			}
			if root := native.Uint64(file[e+key:]); root != 0 {
				tree(root)
			} else {
				leaf(e + key + bucketSize)
			}
		}
	}
	tree = func(id uint64) {
		at := int(id) * page
		if native.Uint16(file[at+8:]) == kindLeaf {
			leaf(at)
			return
		}
		for i := range int(native.Uint16(mark(at, pageHeader)[10:])) {
			e := at + pageHeader + entrySize*i
			b := mark(e, entrySize)
			mark(e+int(native.Uint32(b)), int(native.Uint32(b[4:])))
			tree(native.Uint64(b[8:]))
		}
	}
	h, err := dbfile.ReadHead(bytes.NewReader(file), page)
	if err != nil {
		t.Fatal(err)
	}
	mark(int(h.Page)*page+pageHeader, headSize)
	tree(h.Root)
	at := int(h.Free) * page
	mark(at, pageHeader+8*int(native.Uint16(file[at+10:])))
	return live
}

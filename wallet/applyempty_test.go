package wallet

import (
	"errors"
	"os"
	"slices"
	"testing"

	"dcrspv/internal/dbfile"
	"dcrspv/spv"
)

// emptyBatch is the next batch of a wallet, which has nothing of it.
func emptyBatch(t *testing.T, c *world, w *Wallet) spv.Batch {
	t.Helper()
	scan, ok, err := w.NextScan(background(), c.height())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return c.batch(scan, scan.Range.To)
}

// A wallet whose file is closed, deleted, replaced, cut or zeroed takes no block, and says
// so with the first one, whatever that holds.
//
// Rule 25.
func TestEmptyBlockOfAFileThatIsOver(t *testing.T) {
	for what, c := range map[string]struct {
		end  func(w *Wallet) error
		want []error
	}{
		"closed":  {(*Wallet).Close, []error{ErrClosed}},
		"deleted": {func(w *Wallet) error { return os.Remove(w.path) }, []error{dbfile.ErrReplaced}},
		"replaced": {func(w *Wallet) error {
			file, err := os.ReadFile(w.path)
			return errors.Join(err, os.Remove(w.path), os.WriteFile(w.path, file, 0o600))
		}, []error{dbfile.ErrReplaced}},
		"cut":    {func(w *Wallet) error { return os.Truncate(w.path, 4096) }, []error{ErrCorrupt}},
		"zeroed": {func(w *Wallet) error { return zero(w.path) }, []error{ErrCorrupt, dbfile.ErrReplaced}},
	} {
		chain, w := newWorld(t), open(t)
		watchN(t, w, 0, 1)
		chain.mine(chain.pay(out(scriptN(1), 1)))
		chain.sync(w)
		chain.mine()
		b := emptyBatch(t, chain, w)
		if err := c.end(w); err != nil {
			t.Fatal(err)
		}
		err := w.Apply(background(), b)
		if !slices.ContainsFunc(c.want, func(want error) bool { return errors.Is(err, want) }) {
			t.Errorf("%s: %v", what, err)
		}
		w.Close()
	}
}

// zero has nothing but zeros in a file.
func zero(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil {
		_, err = file.WriteAt(make([]byte, info.Size()), 0)
	}
	return errors.Join(err, file.Close())
}

// What was found damaged while the wallet was open, by a reader, ends it with the next
// block, whatever that holds.
//
// Rule 25.
func TestEmptyBlockAfterDamage(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.sync(w)
	c.mine()
	b := emptyBatch(t, c, w)
	gone := errors.New("gone")
	_ = w.db.Guard(func() error { panic(gone) })
	if w.db.Over() == nil {
		t.Fatal("it goes on")
	}
	if err := w.Apply(background(), b); err == nil {
		t.Error("a block was taken")
	}
}

// An empty block may be the one with which the accounts are made to fit again: the use that
// had them reach further has left the chain, and nothing of it waits.
//
// Rules 13 and 16.
func TestEmptyBlockMakesAccountsFit(t *testing.T) {
	k := newKeyed(t, 0)
	k.mine()
	k.sync(k.w)
	k.mine(k.coinbase(k.script(4), 50)) // which can't be mined again
	k.sync(k.w)
	k.reaches(10)
	k.mine()
	k.sync(k.w)
	k.world = k.fork(1)
	for range 4 {
		k.mine()
		k.world.locate(k.w)
		k.sync(k.w)
	}
	k.reaches(5)
	verify(t, k.w)
}

package wallet

import (
	"errors"
	"os"
	"testing"

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

// A wallet whose file is closed or lost takes no block.
//
// Rule 17.
func TestEmptyBlockOfAFileThatIsOver(t *testing.T) {
	for what, end := range map[string]func(w *Wallet) error{
		"closed": (*Wallet).Close,
		"lost": func(w *Wallet) error {
			if err := os.Remove(w.path); err != nil {
				return err
			}
			if err := w.SetLabel(background(), addr(1).String(), "rent"); err == nil {
				return errors.New("written to a file that is lost")
			}
			return nil
		},
	} {
		c, w := newWorld(t), open(t)
		watchN(t, w, 0, 1)
		c.mine(c.pay(out(scriptN(1), 1)))
		c.sync(w)
		c.mine()
		b := emptyBatch(t, c, w)
		if err := end(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Apply(background(), b); err == nil {
			t.Errorf("%s: a block was taken", what)
		}
		w.Close()
	}
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

package wallet

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/wallet/internal/coverage"

	"go.etcd.io/bbolt"
)

// change is a transaction that writes. Its first failure is kept in err and
// undoes all of it, so that the code that makes changes needs no error paths:
// whatever is computed after a failure is thrown away.
type change struct {
	*buckets
	ctx   context.Context
	w     *Wallet
	err   error
	wrote bool // something is to be committed

	lost       map[string]bool      // scripts whose coins may not be the wallet's any more
	withdrawn  bool                 // an account reaches less far
	unwatching bool                 // by the owner's will
	entered    map[*script]bool     // see lookOut
	fresh      map[*pendingMsg]bool // those that came, or are to be looked for: see lookOut

	coverage *coverage.Edit[*script]

	lastEvent uint64 // number of the newest event before this change

	hears    *string       // the peer that it is told by; nil if by none
	weighed  bool          // something that effects follow from has changed
	untold   map[hash]bool // came to be pending and is not in the log yet
	suspects map[hash]bool // to be checked, see judge
}

// errUnchanged ends a transaction that has nothing to commit.
var errUnchanged = errors.New("nothing changed")

// update runs one writing transaction. The cache follows the file: if the
// transaction fails it is read again.
func (w *Wallet) update(ctx context.Context, fn func(*change)) error {
	if err := w.mu.lockFor(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.explain(w.broken)
	}
	c := &change{ctx: ctx, w: w, untold: make(map[hash]bool), suspects: make(map[hash]bool)}
	err := w.db.Update(func(tx *bbolt.Tx) error {
		if err := w.db.CheckRest(); err != nil { // before anything is written
			return err
		}
		if c.buckets, c.err = openBuckets(ctx, tx); c.err == nil {
			c.coverage = w.ledger.Edit(ledgerStore{c})
			c.lastEvent = c.events.tally.last
			fn(c)
			c.finish()
			c.err = c.result(c.err)
		}
		if c.err == nil && !c.wrote {
			return errUnchanged
		}
		return c.err
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		if c.wrote || w.db.Over() != nil || errors.Is(err, ErrCorrupt) {
			if again := w.load(); again != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, again) {
				err = fmt.Errorf("%w, and then: %w", err, again)
			}
		}
		return w.explain(err)
	}
	if c.logged() {
		w.wake.all()
	}
	if c.coverage.Changed() {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
	return nil
}

// fail keeps the first failure of a transaction.
func (c *change) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// wait fails if the caller no longer waits for the change.
func (c *change) wait() {
	if c.err == nil {
		c.err = c.over()
	}
}

func (c *change) put(b *bucket, key, value []byte) {
	c.wait()
	c.wrote, c.weighed = true, c.weighed || c.weighs(b)
	if err := b.Put(key, value); err != nil {
		c.fail(err)
	}
}

func (c *change) del(b *bucket, key []byte) {
	c.wait()
	c.wrote, c.weighed = true, c.weighed || c.weighs(b)
	if err := b.Delete(key); err != nil {
		c.fail(err)
	}
}

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

	progressed bool // the progress is another one: see progress.go
	saving     bool // and is to be written in any case

	coverage *coverage.Edit[*script]

	lastEvent    uint64  // number of the newest event before this change
	heardFrom    *string // the peer that has sent it; nil if none has
	effectsDirty bool    // something that effects follow from has changed

	// Notes for finish.
	lost     losses
	entered  set[*script]    // watched now, or from another birthday on: see searchBelowBirthdays
	news     set[*pendingTx] // came to wait, or to be looked for again: see searchBelowBirthdays
	suspects set[hash]       // to be checked, see recheckPending
	unlogged set[hash]       // came to wait, and is not in the log yet
}

// set is a set of values.
type set[K comparable] map[K]bool

func (s set[K]) add(k K) { s[k] = true }

func newChange(ctx context.Context, w *Wallet, heardFrom *string) *change {
	return &change{
		ctx: ctx, w: w, heardFrom: heardFrom,
		lost:    losses{scripts: make(set[string]), by: make(set[loser])},
		entered: make(set[*script]), news: make(set[*pendingTx]),
		suspects: make(set[hash]), unlogged: make(set[hash]),
	}
}

// errUnchanged ends a transaction that has nothing to commit: what has changed is in
// memory only.
var errUnchanged = errors.New("nothing changed")

// update runs one writing transaction. The cache follows the file: if the
// transaction fails it is read again.
func (w *Wallet) update(ctx context.Context, fn func(*change)) error {
	return w.updateFrom(ctx, nil, fn)
}

// updateFrom is update for what a peer has sent; nil is none.
func (w *Wallet) updateFrom(ctx context.Context, peer *string, fn func(*change)) error {
	if err := w.mu.lockFor(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.explain(w.broken)
	}
	c := newChange(ctx, w, peer)
	err := w.db.Update(func(tx *bbolt.Tx) error {
		if err := w.db.CheckRest(); err != nil { // before anything is written
			return err
		}
		if c.buckets, c.err = openBuckets(ctx, tx); c.err == nil {
			c.coverage = w.ledger.Edit(ledgerStore{c})
			c.lastEvent = c.events.tally.last
			fn(c)
			c.err = c.result(c.finish())
		}
		if c.err == nil && !c.wrote {
			w.aheadOf(tx.ID() - 1)
			return errUnchanged
		}
		return c.err
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		if c.wrote || c.progressed || w.db.Over() != nil || errors.Is(err, ErrCorrupt) {
			if again := w.load(); again != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, again) {
				err = fmt.Errorf("%w, and then: %w", err, again)
			}
			w.noteChanged() // what was in memory only is to be tested again
		}
		return w.explain(err)
	}
	if c.logged() || c.progressed {
		w.wake.all()
	}
	if c.coverage.Changed() {
		w.noteChanged()
	}
	return nil
}

// noteChanged has Changed deliver a value.
func (w *Wallet) noteChanged() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
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

// progress notes that the progress has moved.
func (c *change) progress() { c.progressed = true }

// saveAlways has the progress written whatever else is.
func (c *change) saveAlways() { c.saving = true }

func (c *change) put(b *bucket, key, value []byte) {
	c.wait()
	c.wrote, c.effectsDirty = true, c.effectsDirty || c.haveEffects(b)
	if err := b.Put(key, value); err != nil {
		c.fail(err)
	}
}

func (c *change) del(b *bucket, key []byte) {
	c.wait()
	c.wrote, c.effectsDirty = true, c.effectsDirty || c.haveEffects(b)
	if err := b.Delete(key); err != nil {
		c.fail(err)
	}
}

// logged reports whether the change has added events.
func (c *change) logged() bool { return c.events.tally.last > c.lastEvent }

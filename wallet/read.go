package wallet

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// view runs one reading transaction.
func (w *Wallet) view(ctx context.Context, fn func(*buckets) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.explain(w.read(ctx, fn))
}

// read runs fn on the buckets in one reading transaction.
func (w *Wallet) read(ctx context.Context, fn func(*buckets) error) error {
	ahead := w.ahead.Load() // before the transaction, which may see a newer file
	return w.db.View(func(tx *bbolt.Tx) error {
		b, err := openBuckets(ctx, tx)
		if err != nil {
			return err
		}
		b.setTip(ahead.tipOf(tx, b))
		b.restUnread(w.db.CheckRest)
		return b.result(fn(b))
	})
}

// fromMemory runs fn on the cache, if that is good.
func (w *Wallet) fromMemory(ctx context.Context, fn func() error) error {
	if err := w.mu.lockFor(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.explain(w.broken)
	}
	return fn()
}

// explain names the file in errors that come from it.
func (w *Wallet) explain(err error) error {
	err = translate(err)
	var kind ErrorKind
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.As(err, &kind) && kind != ErrCorrupt:
		return err
	}
	return named(w.path, err)
}

// named names the file in an error, and what to do if it is damaged.
func named(path string, err error) error {
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s: %w (restore a backup, or watch again in a new file)", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

package wallet

import (
	"context"
	"errors"
	"fmt"

	"dcrspv/spv"
	"dcrspv/spv/dbfile"

	"github.com/decred/dcrd/chaincfg/v3"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Wallet is one watch-only wallet in one file. Its methods may be called from
// any goroutine, but those that package spv declares in spv.Wallet belong to
// one Syncer at a time.
type Wallet struct {
	path    string
	params  *chaincfg.Params
	db      *dbfile.File
	changed chan struct{}

	// mu is held by everything that writes, and guards cache. Readers of the
	// file alone need no lock: bbolt gives each a state of its own.
	mu mutex
	cache

	wake waker

	keepEvents uint64
	maxAhead   uint32 // see derive; 0 is none
	maxScan    uint32 // blocks of one scan
	nearTip    uint32
}

var _ spv.Wallet = (*Wallet)(nil)

// Open opens the wallet file at path, or creates it if there is none (its
// directory must exist), for nobody else to read. Of a file that is there the mode
// stays as it is. The file is locked until Close.
//
// Errors: ErrInUse when somebody else still has the file after one second;
// ErrNewer, ErrDevelopment, ErrNetwork, ErrLink and ErrCorrupt as described there; else
// that of the operating system. None of them changes the file.
func Open(path string, params *chaincfg.Params) (*Wallet, error) {
	return openWallet(path, params, false)
}

// OpenNameless opens a wallet for one question, whose file has no name any more when
// it returns: nothing is left of it however the program ends. Where an open file can't
// be removed (on Windows) that is left to the caller, after Close. Errors are those of
// Open.
func OpenNameless(path string, params *chaincfg.Params) (*Wallet, error) {
	return openWallet(path, params, true)
}

func openWallet(path string, params *chaincfg.Params, nameless bool) (*Wallet, error) {
	db, err := openFile(path, params, nameless)
	if err != nil {
		return nil, named(path, err)
	}
	w := &Wallet{
		path:       path,
		mu:         make(mutex, 1),
		params:     params,
		db:         db,
		changed:    make(chan struct{}, 1),
		keepEvents: keepEvents,
		maxAhead:   maxAhead,
		maxScan:    maxScan,
		nearTip:    nearTip,
	}
	w.wake.init()
	if err := w.load(); err != nil {
		db.Close()
		return nil, named(path, err)
	}
	return w, nil
}

// Close ends the use of the file. Events loops end with ErrClosed. Calling it
// again does nothing.
func (w *Wallet) Close() error {
	w.wake.close()
	return w.explain(w.db.Close())
}

// Params is the wallet's network.
func (w *Wallet) Params() *chaincfg.Params { return w.params }

// Changed delivers a value after the watch set or its coverage changed.
func (w *Wallet) Changed() <-chan struct{} { return w.changed }

// view runs one reading transaction.
func (w *Wallet) view(ctx context.Context, fn func(*buckets) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.explain(w.read(ctx, fn))
}

// read runs fn on the buckets in one reading transaction.
func (w *Wallet) read(ctx context.Context, fn func(*buckets) error) error {
	return w.db.View(func(tx *bbolt.Tx) error {
		b, err := openBuckets(ctx, tx)
		if err != nil {
			return err
		}
		b.checkRest = w.db.CheckRest
		return b.result(fn(b))
	})
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

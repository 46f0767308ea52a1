package wallet

import (
	"context"
	"sync/atomic"

	"dcrspv/internal/dbfile"
	"dcrspv/spv"

	"github.com/decred/dcrd/chaincfg/v3"
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
	broken error // the file could not be read again after a failure

	wake  waker
	ahead atomic.Pointer[ahead] // of the file

	acquired atomic.Bool // by a Syncer

	maxAhead uint32 // see derive; 0 is none
	maxScan  uint32 // blocks of one scan
	nearTip  uint32
}

var _ spv.Wallet = (*Wallet)(nil)

// Open opens the wallet file at path, or creates it if there is none (its
// directory must exist), for nobody else to read. Of a file that is there the mode
// stays as it is. The file is locked until Close.
//
// Errors: ErrInUse when somebody else still has the file after one second;
// ErrNewer, ErrDevelopment, ErrNetwork, ErrLink and ErrCorrupt as described there; else
// the error of the operating system. None of them changes the file.
func Open(path string, params *chaincfg.Params) (*Wallet, error) {
	return openWallet(path, params, false)
}

// OpenNameless opens a wallet for one question, whose file has no name any more when
// it returns: nothing is left of it however the program ends. Where an open file can't
// be removed (on Windows) that is left to the caller, after Close. Errors are as of
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
		path:     path,
		mu:       make(mutex, 1),
		params:   params,
		db:       db,
		changed:  make(chan struct{}, 1),
		maxAhead: maxAhead,
		maxScan:  maxScan,
		nearTip:  nearTip,
	}
	w.wake.init()
	if err := w.load(); err != nil {
		db.Close()
		return nil, named(path, err)
	}
	return w, nil
}

// Params is the wallet's network.
func (w *Wallet) Params() *chaincfg.Params { return w.params }

// Changed delivers a value after the watch set or its coverage changed.
func (w *Wallet) Changed() <-chan struct{} { return w.changed }

// load reads the cache from the file. mu is held, or nobody else has w yet.
func (w *Wallet) load() error {
	w.cache = newCache(w.params)
	w.ahead.Store(nil)
	w.broken = w.read(context.Background(), w.loadAll)
	return w.broken
}

// loadAll reads an empty cache from the file.
func (w *Wallet) loadAll(b *buckets) error {
	for _, load := range []func(*buckets) error{
		w.loadAccounts, w.loadGroups, w.loadScripts, w.loadOutpoints,
		w.positions.load, w.totals.load, w.price.load, w.unfit.load, w.log.load, w.loadPending, w.loadAwaited,
	} {
		if err := load(b); err != nil {
			return err
		}
	}
	return nil
}

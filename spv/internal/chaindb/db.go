package chaindb

import (
	"sync"
	"sync/atomic"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// DB is an open chain file. Its methods may be called by any number of
// goroutines. Writes are done one after the other; they do not wait for reads,
// nor reads for them (but see [DB.Blocks] about long reads).
type DB struct {
	path  string
	rules *chain.Rules
	file  *dbfile.File

	state    atomic.Pointer[state] // as of the last write
	lastRead atomic.Pointer[checkedSegment]

	mu     sync.Mutex // held while writing
	values valueMemory
	origin origin
}

// Tip returns the last block of the stored chain and the work of the chain up to
// and including it.
func (db *DB) Tip() (chain.BlockID, uint256.Uint256) {
	s := db.state.Load()
	return s.tip, s.work
}

// Filters returns the heights whose filter is held. The result is shared:
// callers must not change it.
func (db *DB) Filters() chain.Ranges { return db.state.Load().filters }

// Close closes the file, after the reads and writes that are under way. Further
// calls do nothing; other methods fail with ErrClosed from now on, but what Tip
// and Filters return stays.
func (db *DB) Close() error { return wrap("closing", db.path, db.file.Close()) }

func (db *DB) reader(tx *bbolt.Tx, s *state) *reader {
	return &reader{path: db.path, rules: db.rules, tx: tx, state: s, values: &db.values}
}

// view runs fn in a read transaction.
func (db *DB) view(fn func(*reader) error) error {
	err := db.file.View(func(tx *bbolt.Tx) error {
		s, err := db.readState(tx)
		if err != nil {
			return err
		}
		return fn(db.reader(tx, s))
	})
	return wrap("reading", db.path, err)
}

// update runs fn in a write transaction, writes the state that fn has changed, and syncs
// the file. On an error nothing has changed.
func (db *DB) update(fn func(*reader) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	defer db.values.reuse()
	next := *db.state.Load()
	distrust := false
	err := db.file.Update(func(tx *bbolt.Tx) error {
		r := db.reader(tx, &next)
		if err := fn(r); err != nil {
			return err
		}
		distrust = r.distrust
		return next.put(tx)
	})
	if err == nil {
		db.state.Store(&next)
		if distrust {
			db.origin.trusted.Store(false)
		}
		db.origin.renewSeal(db.file)
		return nil
	}
	// If the very last step failed, the sync of the root page, the file may
	// hold the new state after all. The file decides.
	if db.file.Over() == nil {
		_ = db.view(func(r *reader) error { // fails if it is closed
			db.state.Store(r.state)
			return nil
		})
	}
	return wrap("writing", db.path, err)
}

// readState reads the state from the file.
func (db *DB) readState(tx *bbolt.Tx) (*state, error) {
	s, err := readState(tx)
	if err != nil {
		return nil, corrupt(db.path, "%v", err)
	}
	return s, nil
}

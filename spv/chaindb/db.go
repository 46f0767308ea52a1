package chaindb

import (
	"os"
	"sync"
	"sync/atomic"

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
	bolt  *bbolt.DB
	file  *os.File // of bolt

	state atomic.Pointer[state] // as of the last write

	mu     sync.Mutex // held while writing and closing
	closed bool
	broken error // a write found the file damaged: bbolt cannot go on
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
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	if db.broken != nil {
		// A panic has left mutexes in bbolt that its Close would wait for.
		return wrap("closing", db.path, release(db.file))
	}
	return wrap("closing", db.path, db.bolt.Close())
}

// view runs fn in a read transaction. foreign is explained at guard.
func (db *DB) view(foreign *bool, fn func(*bbolt.Tx) error) error {
	err := guard(db.path, foreign, func() error { return db.bolt.View(fn) })
	return wrap("reading", db.path, err)
}

// update runs fn in a write transaction, together with what fn makes of the
// state, and syncs the file. On an error nothing has changed.
func (db *DB) update(fn func(*bbolt.Tx, *state) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.broken != nil {
		return db.broken
	}
	next := *db.state.Load()
	returned := false
	err := guard(db.path, nil, func() error {
		err := db.bolt.Update(func(tx *bbolt.Tx) error {
			if err := fn(tx, &next); err != nil {
				return err
			}
			return next.put(tx)
		})
		returned = true
		return err
	})
	switch {
	case !returned:
		db.broken = err
		return err
	case err == nil:
		db.state.Store(&next)
		return nil
	case !db.closed:
		// If the very last step failed, the sync of the root page, the file may
		// hold the new state after all. What counts is what it says.
		if loadErr := db.load(); loadErr != nil {
			db.broken = loadErr
		}
	}
	return wrap("writing", db.path, err)
}

// load makes the state of the file the state in memory.
func (db *DB) load() error {
	return db.view(nil, func(tx *bbolt.Tx) error {
		s, err := db.readState(tx)
		if err == nil {
			db.state.Store(s)
		}
		return err
	})
}

// readState reads the state from the file.
func (db *DB) readState(tx *bbolt.Tx) (*state, error) {
	s, err := readState(tx)
	if err != nil {
		return nil, corrupt(db.path, "%v", err)
	}
	return s, nil
}

package wallet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long Open waits for a file that somebody else has open.
const lockTimeout = time.Second

// openFile opens a wallet file, or creates it.
func openFile(path string, params *chaincfg.Params) (db *bbolt.DB, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := createFile(path, params); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	// bbolt panics on pages that make no sense, and reading behind the end of
	// a file that was cut off is a fault. Both are damage to report.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, corrupt("%v", r)
		}
	}()
	if info, err := os.Stat(path); err == nil && info.Size() == 0 {
		return nil, corrupt("the file is empty")
	}
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: close the other program that has it open", ErrInUse)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, corrupt("%v", err)
	case err != nil:
		return nil, err
	}
	if err := checkFile(db, path, params); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// checkFile reads the marks that tell what the file is.
func checkFile(db *bbolt.DB, path string, params *chaincfg.Params) error {
	return db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte(bucketNames[0]))
		if meta == nil {
			return corrupt("it is not a wallet, or has lost its head")
		}
		version, net := meta.Get(keyVersion), meta.Get(keyNetwork)
		if len(version) != 4 || len(net) != 4 {
			return corrupt("it has no version or no network")
		}
		if v := be.Uint32(version); v > schemaVersion {
			return fmt.Errorf("%w: it has version %d, this program knows %d: use a newer program",
				ErrNewer, v, schemaVersion)
		} else if v == 0 {
			return corrupt("it has version 0")
		}
		if n := wire.CurrencyNet(be.Uint32(net)); n != params.Net {
			return fmt.Errorf("%w: it is for %v, not for %v", ErrNetwork, n, params.Net)
		}
		if info, err := os.Stat(path); err == nil && info.Size() < tx.Size() {
			return corrupt("%d bytes are missing at its end", tx.Size()-info.Size())
		}
		return nil
	})
}

// createFile makes a new wallet under another name and only then gives it its
// own: nobody ever sees a file that is half made, so an empty or broken one is
// damage and never a beginning.
func createFile(path string, params *chaincfg.Params) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	temp := f.Name()
	f.Close()
	defer os.Remove(temp)
	db, err := bbolt.Open(temp, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := createBuckets(tx)
		if err != nil {
			return err
		}
		return errors.Join(
			b.meta.Put(keyVersion, key32(schemaVersion)),
			b.meta.Put(keyNetwork, key32(uint32(params.Net))))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces the file of somebody who was
	// faster. Some file systems have no links.
	if err := os.Link(temp, path); err != nil && !errors.Is(err, os.ErrExist) {
		if err := os.Rename(temp, path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	d.Sync() // not every system can; the file itself is synced
	return nil
}

package wallet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dcrspv/internal/dbfile"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

const (
	// growBytes is how much larger than needed a growing file is made.
	growBytes = 16 << 10
	// mapBytes is the size of the memory mapping, which costs address space
	// only. Up to there the file grows by growBytes; bbolt doubles one that
	// outgrows its mapping.
	mapBytes = 64 << 20
)

// openFile opens a wallet file, or creates it.
func openFile(path string, params *chaincfg.Params, nameless bool) (*dbfile.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			return nil, fmt.Errorf("%w: %s is not there, bring it back or remove the link", ErrLink, target)
		}
		if err := createFile(path, params); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case info.Size() == 0:
		return nil, corrupt("the file is empty")
	}
	f, err := dbfile.Open(path, dbfile.Options{
		Existing: true, Nameless: nameless, MapBytes: mapBytes, GrowBytes: growBytes,
		Unchanged: isMarked, Leave: markClosed, Needed: neededToOpen,
		Check: func(tx *bbolt.Tx, whole bool) error { return checkFile(tx, params, whole) },
	})
	return f, translate(err)
}

// translate makes an error of package dbfile one of this package.
func translate(err error) error {
	var kind ErrorKind
	switch {
	case errors.As(err, &kind):
	case errors.Is(err, dbfile.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case errors.Is(err, dbfile.ErrInUse):
		return fmt.Errorf("%w: close the other program that has it open", ErrInUse)
	}
	return err
}

// checkFile reads the marks that tell what the file is, and then, if the whole of it is to
// be checked, all its records.
func checkFile(tx *bbolt.Tx, params *chaincfg.Params, whole bool) error {
	raw := tx.Bucket([]byte(bucketNames[0]))
	if raw == nil {
		return corrupt("it is not a wallet, or has lost its head")
	}
	if len(raw.Get(keyVersion)) == 4 { // there is no seal
		return fmt.Errorf("%w; it was left untouched", ErrDevelopment)
	}
	b := openMeta(raw)
	format, version, net := b.meta.Get(keyFormat), b.meta.Get(keyVersion), b.meta.Get(keyNetwork)
	switch {
	case b.bad != nil:
		return b.bad
	case len(version) != 4 || len(net) != 4:
		return corrupt("it has no version or no network")
	case string(format) != fileFormat:
		return corrupt("it is not a wallet")
	}
	switch v := be.Uint32(version); {
	case v < FileVersion:
		return fmt.Errorf("%w; it was left untouched", ErrDevelopment)
	case v > FileVersion:
		return fmt.Errorf("%w: it has version %d, this program knows %d: use a newer program",
			ErrNewer, v, FileVersion)
	}
	if n := wire.CurrencyNet(be.Uint32(net)); n != params.Net {
		return fmt.Errorf("%w: it is for %v, not for %v", ErrNetwork, n, params.Net)
	}
	if !whole {
		return nil
	}
	all, err := openBuckets(context.Background(), tx)
	if err == nil {
		_, err = all.checkRecords()
	}
	return err
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
			b.meta.Put(keyTotals, new(totals).encode()),
			b.meta.Put(keyFormat, []byte(fileFormat)),
			b.meta.Put(keyVersion, key32(FileVersion)),
			b.meta.Put(keyNetwork, key32(uint32(params.Net))),
			b.saveTally())
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

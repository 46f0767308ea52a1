package wallet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// lockTimeout is how long Open waits for a file that somebody else has open.
const lockTimeout = time.Second

const (
	// growBytes is how much larger than needed a growing file is made.
	growBytes = 16 << 10
	// mapBytes is the size of the memory mapping, which costs address space
	// only. Up to there the file grows by growBytes; bbolt doubles one that
	// outgrows its mapping.
	mapBytes = 64 << 20
)

// openFile opens a wallet file, or creates it. depth tells which of its pages were checked.
func openFile(path string, params *chaincfg.Params) (s *store, depth depth, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			return nil, 0, fmt.Errorf("%w: %s is not there, bring it back or remove the link", ErrLink, target)
		}
		if err := createFile(path, params); err != nil {
			return nil, 0, err
		}
	case err != nil:
		return nil, 0, err
	case info.Size() == 0:
		return nil, 0, corrupt("the file is empty")
	}
	if depth, err = checkClosed(path, params); err != nil {
		return nil, 0, err
	}
	s, err = openStore(path, false)
	return s, depth, err
}

// checkClosed checks a file that nobody writes to: all of it, unless it is marked. bbolt
// reads next to nothing of a file that is opened for reading.
func checkClosed(path string, params *chaincfg.Params) (depth depth, err error) {
	s, err := openStore(path, true)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	ctx, pageSize := context.Background(), s.Info().PageSize
	info, err := s.file.Stat()
	if err != nil {
		return 0, err
	}
	h, err := readHead(s.file, pageSize)
	if err != nil {
		return 0, err
	}
	if isMarked(s.file, info, h, pageSize) {
		depth = neededPages
	}
	if err := checkPages(ctx, s.file, pageSize, depth); err != nil {
		return 0, err
	}
	return depth, s.View(func(tx *bbolt.Tx) error {
		if err := checkFile(tx, params); err != nil || depth != allPages {
			return err
		}
		b, err := openBuckets(ctx, tx)
		if err == nil {
			_, err = b.checkRecords()
		}
		return err
	})
}

// checkFile reads the marks that tell what the file is.
func checkFile(tx *bbolt.Tx, params *chaincfg.Params) error {
	raw := tx.Bucket([]byte(bucketNames[0]))
	if raw == nil {
		return corrupt("it is not a wallet, or has lost its head")
	}
	if len(raw.Get(keyVersion)) == 4 { // there is no seal
		return fmt.Errorf("%w; it was left untouched", ErrDevelopment)
	}
	b := &buckets{}
	b.meta = b.open(0, raw)
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
	return nil
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

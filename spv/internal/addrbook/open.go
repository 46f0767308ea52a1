package addrbook

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/decred/dcrd/addrmgr/v3"
	"github.com/decred/slog"
)

const (
	fileName    = "peers.json" // addrmgr's
	setAsideExt = ".unusable"
)

// Open loads the book from peers.json in dir, which is created when missing.
// The book is saved there every 10 minutes and by Close. A file that is damaged
// or of a newer version is set aside as peers.json.unusable, and the book is
// then empty: addresses can be had again. log may be nil.
func Open(dir string, log slog.Logger) *Book {
	if log == nil {
		log = slog.Disabled
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		log.Warnf("Address book: %v", err) // nothing will be saved
	}
	path := filepath.Join(dir, fileName)
	before, readErr := os.ReadFile(path)

	b := &Book{manager: addrmgr.New(dir)}
	b.manager.Start()
	if _, err := os.Stat(path); readErr != nil || !errors.Is(err, fs.ErrNotExist) {
		return b
	}
	// addrmgr deletes a file that it can't read. What it has counted by then
	// stays in its counters, and with nothing to go with them GetAddress never
	// returns: start again with another one. (Stop writes an empty file.)
	log.Warnf("Address book %s is unusable; it is kept as %s%s", path, fileName, setAsideExt)
	if err := os.WriteFile(path+setAsideExt, before, 0o600); err != nil {
		log.Warnf("Address book: %v", err)
	}
	b.manager.Stop()
	b.manager = addrmgr.New(dir)
	b.manager.Start()
	return b
}

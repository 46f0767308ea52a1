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
// empty then: addresses can be found again. log may be nil. Without a dir the book is in
// memory alone.
func Open(dir string, log slog.Logger) *Book {
	if dir == "" {
		return &Book{manager: addrmgr.New(dir)} // it loads and saves only once it was started
	}
	if log == nil {
		log = slog.Disabled
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		log.Warnf("Address book: %v", err) // nothing will be saved
	}
	path := filepath.Join(dir, fileName)
	before, readErr := os.ReadFile(path)

	manager := addrmgr.New(dir)
	manager.Start()
	if _, err := os.Stat(path); readErr != nil || !errors.Is(err, fs.ErrNotExist) {
		return &Book{manager: manager}
	}
	// addrmgr deletes a file that it can't read, but keeps the counts of the part
	// that it has read. With counts and no addresses GetAddress never returns: start
	// again with another one. (Stop writes an empty file.)
	log.Warnf("Address book %s is unusable; it is kept as %s%s", path, fileName, setAsideExt)
	if err := os.WriteFile(path+setAsideExt, before, 0o600); err != nil {
		log.Warnf("Address book: %v", err)
	}
	manager.Stop()
	manager = addrmgr.New(dir)
	manager.Start()
	return &Book{manager: manager}
}

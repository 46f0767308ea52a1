package spv

import (
	"errors"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/internal/chaindb"
)

// Errors of the Syncer's methods.
var (
	// ErrConfig is a Config that can't work.
	ErrConfig = errors.New("bad configuration")

	// ErrRunning is returned by a second Run, by Run after Close, and by what needs a
	// Syncer that does not run.
	ErrRunning = errors.New("the syncer runs already or is closed")

	// ErrNotRunning is returned by what needs a running Syncer.
	ErrNotRunning = errors.New("the syncer is not running")
)

// Errors of chain.db. They are told apart with errors.Is; the text names the file.
var (
	// ErrInUse: another process, or another Syncer of this one, has the file open.
	ErrInUse error = chaindb.ErrInUse

	// ErrNetwork: the file belongs to another network.
	ErrNetwork error = chaindb.ErrNetwork

	// ErrNewer: a newer version of this package wrote the file. It was left as it is.
	ErrNewer error = chaindb.ErrNewer

	// ErrOlder: an older version wrote the file, in a way that is not read any more.
	// It was left as it is.
	ErrOlder error = chaindb.ErrOlder

	// ErrCorrupt: the file is damaged in a way that can't be mended, or not a chain
	// file at all. What can be mended is no error.
	ErrCorrupt error = chaindb.ErrCorrupt

	// ErrReplaced: the file was deleted or replaced while it was open.
	ErrReplaced error = dbfile.ErrReplaced

	// ErrNotFile: it is a directory, a pipe or a device.
	ErrNotFile error = dbfile.ErrNotFile

	// ErrBug: a fault of this package, not of the file.
	ErrBug error = dbfile.ErrBug
)

// ChainFileVersion is the version of the format of chain.db.
const ChainFileVersion = chaindb.FileVersion

package chaindb

import (
	"errors"
	"fmt"
	"io/fs"

	"dcrspv/internal/dbfile"

	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrorKind tells the errors of this package apart: errors.Is(err, ErrInUse).
type ErrorKind string

// Error satisfies the error interface.
func (e ErrorKind) Error() string { return string(e) }

const (
	// ErrInUse: another process (or this one) has the file open.
	ErrInUse = ErrorKind("file is in use")
	// ErrNetwork: the file belongs to another network.
	ErrNetwork = ErrorKind("file of another network")
	// ErrNewer: a newer version of the program wrote the file. It was left as it
	// is.
	ErrNewer = ErrorKind("file of a newer version")
	// ErrOlder: an older version of the program wrote the file, in a way that is not
	// read any more. It was left as it is.
	ErrOlder = ErrorKind("file of an older version")
	// ErrCorrupt: the file is damaged, or not a chain file at all. A [Damage] is a
	// part of it that can be dropped.
	ErrCorrupt = ErrorKind("file is damaged")
	// ErrNotFound: there is no such header, or a filter is not held.
	ErrNotFound = ErrorKind("not found")
	// ErrGap: what is to be written does not join what is there.
	ErrGap = ErrorKind("does not join the stored chain")
	// ErrClosed: the DB has been closed.
	ErrClosed = ErrorKind("closed")
)

// corrupt makes an ErrCorrupt that says what to do about it.
func corrupt(path, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w (it is a cache: delete it and it is downloaded again)",
		ErrCorrupt, path, fmt.Errorf(format, args...))
}

// wrap makes the errors of package dbfile, of bbolt and of the operating system name
// the file. Errors of this package pass.
func wrap(action, path string, err error) error {
	var kind ErrorKind
	var pathErr *fs.PathError
	switch {
	case err == nil || errors.As(err, &kind) || errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, dbfile.ErrDamaged), errors.Is(err, bolterrors.ErrIncompatibleValue): // a bucket in the place of a value
		return corrupt(path, "%w", err)
	case errors.Is(err, dbfile.ErrInUse):
		return fmt.Errorf("%w: %s: stop the other program that has it open, or use another data directory", ErrInUse, path)
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return fmt.Errorf("%s %s: %w", action, path, ErrClosed)
	case errors.As(err, &pathErr): // has the path in its text
		return fmt.Errorf("%s: %w", action, err)
	}
	return fmt.Errorf("%s %s: %w", action, path, err)
}

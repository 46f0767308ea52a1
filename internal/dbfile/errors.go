package dbfile

// ErrorKind tells the errors of this package apart: errors.Is(err, ErrInUse). None of
// them names the file; the caller does.
type ErrorKind string

// Error satisfies the error interface.
func (e ErrorKind) Error() string { return string(e) }

const (
	// ErrInUse: somebody else has the file open.
	ErrInUse = ErrorKind("the file is in use")
	// ErrDamaged: the pages of the file make no sense, or cannot be read.
	ErrDamaged = ErrorKind("the file is damaged")
	// ErrReplaced: the file was deleted, or another one took its place, while it was
	// open. What was written since is lost with it.
	ErrReplaced = ErrorKind("the file was deleted or replaced while it was open")
	// ErrNotFile: a directory, a pipe or a device is in the file's place.
	ErrNotFile = ErrorKind("not a regular file")
	// ErrBug: the program itself is at fault, not the file.
	ErrBug = ErrorKind("a fault of this program, not of the file")
)

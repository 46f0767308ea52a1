package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"unicode"

	"dcrspv/spv"
	"dcrspv/spv/chain"
	"dcrspv/wallet"
)

// failure is an error as the user sees it: one line that says what went wrong
// and what to do, and the exit status.
type failure struct {
	status int
	what   string
	remedy string // "" if what says it
	err    error  // the cause; may be nil
}

func (f *failure) Error() string {
	if f.remedy == "" {
		return f.what
	}
	return f.what + ": " + f.remedy
}

func (f *failure) Unwrap() error { return f.err }

// line is the text without line breaks and control bytes, whatever the error
// was made from.
func (f *failure) line() string { return oneLine(f.Error()) }

// oneLine makes text safe to print: what is not printable becomes a space and
// runs of space become one.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// usage is a failure of the command line itself.
func usage(remedy, format string, args ...any) *failure {
	return &failure{status: statusUsage, what: fmt.Sprintf(format, args...), remedy: remedy}
}

// newFailure is any other failure.
func newFailure(remedy, format string, args ...any) *failure {
	return &failure{status: statusFailed, what: fmt.Sprintf(format, args...), remedy: remedy}
}

// errInterrupted is what an interrupted command that had more to do ends with.
var errInterrupted = newFailure("what was done is kept, run it again to continue", "interrupted")

// errDataDir: the data directory can't be made, for no reason known above.
var errDataDir = errors.New("cannot create the data directory")

// remedies says what to do about the errors that other packages tell apart.
// The first that matches counts.
var remedies = []struct {
	kind   error
	remedy string
}{
	{spv.ErrInUse, "end the other dcrspv or choose another --datadir"},
	{spv.ErrNewer, "update dcrspv or choose another --datadir"},
	{spv.ErrOlder, ""}, // it says so itself
	{spv.ErrNetwork, "give the --network it was made for or choose another --datadir"},
	{spv.ErrCorrupt, ""}, // it says so itself
	{spv.ErrReplaced, "run it again, and let no other program move or remove files of the data directory meanwhile"},
	{spv.ErrNotFile, "move that away or choose another --datadir"},
	{spv.ErrBug, ""}, // it says so itself
	{chain.ErrFuture, "set this computer's clock"},
	{wallet.ErrInUse, "end the other dcrspv or choose another --datadir"},
	{wallet.ErrNewer, "update dcrspv or choose another --datadir"},
	{wallet.ErrDevelopment, "move the file away and watch again: all coins and transactions are found again"},
	{wallet.ErrNetwork, "give the --network it was made for or choose another --datadir"},
	{wallet.ErrLink, ""},    // it says so itself
	{wallet.ErrCorrupt, ""}, // likewise
	{syscall.ENOMEM, "give it more memory or address space (ulimit -v), nothing is lost"},
	{syscall.ENOSPC, "free some disk space, nothing is lost"},
	{syscall.EDQUOT, "free some disk space, nothing is lost"},
	{syscall.EFBIG, "raise the limit on the size of files (ulimit -f) or choose a --datadir that takes large ones, nothing is lost"},
	{syscall.EMFILE, "raise the limit on open files (ulimit -n)"},
	{syscall.ENFILE, "end other programs, or raise the system's limit on open files"},
	{syscall.EROFS, "choose a --datadir on a writable file system"},
	{syscall.ENOTDIR, "choose a --datadir that is a directory"},
	{fs.ErrPermission, "check the permissions or choose another --datadir"},
	{errDataDir, "choose another --datadir"},
}

// saysErrno reports whether an error names an error number of the system in its text
// alone: bbolt hands on some so, of a file that can't grow or be synced.
func saysErrno(err, kind error) bool {
	var errno syscall.Errno
	return errors.As(kind, &errno) && strings.HasSuffix(err.Error(), errno.Error())
}

// userError turns any error into the line for the user.
func userError(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	for _, r := range remedies {
		if errors.Is(err, r.kind) || saysErrno(err, r.kind) {
			return &failure{status: statusFailed, what: err.Error(), remedy: r.remedy, err: err}
		}
	}
	return &failure{
		status: statusFailed, what: err.Error(), err: err,
		remedy: "run it again with --log-level debug to see more",
	}
}

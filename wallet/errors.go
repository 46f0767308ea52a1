package wallet

import "fmt"

// ErrorKind identifies a kind of error. Errors of this package wrap one and
// add a text of one line; test them with errors.Is.
type ErrorKind string

// Error is the text of the kind.
func (e ErrorKind) Error() string { return string(e) }

// Errors of Open.
const (
	// ErrInUse: another process, or another Wallet of this one, has the file.
	ErrInUse = ErrorKind("wallet file is in use")

	// ErrNewer: a newer version of this package wrote the file. It was left
	// untouched.
	ErrNewer = ErrorKind("wallet file is of a newer version")

	// ErrDevelopment: a version of this package from before its first release wrote
	// the file. It was left untouched. Whatever is watched again in a new file is
	// found again.
	ErrDevelopment = ErrorKind("wallet file was written by a development version")

	// ErrNetwork: the file belongs to another network.
	ErrNetwork = ErrorKind("wallet file is of another network")

	// ErrLink: the path is a symbolic link to a file that is not there. No wallet is
	// made in its place, so that nobody takes it for the missing one.
	ErrLink = ErrorKind("wallet file is a link to nothing")

	// ErrCorrupt: the file is damaged. Nothing was changed: what is left of it
	// may still be of use.
	ErrCorrupt = ErrorKind("wallet file is damaged")
)

// Errors of the other methods.
const (
	// ErrClosed: the wallet is closed.
	ErrClosed = ErrorKind("wallet is closed")

	// ErrAddress: not an address.
	ErrAddress = ErrorKind("bad address")

	// ErrXPub: not an extended public key, or one that can't be watched.
	ErrXPub = ErrorKind("bad extended public key")

	// ErrScript: a script that no output can have.
	ErrScript = ErrorKind("bad script")

	// ErrWrongNetwork: an address or extended key of another network.
	ErrWrongNetwork = ErrorKind("of another network")

	// ErrNotWatched: the address, script or key is not in the watch set.
	ErrNotWatched = ErrorKind("not watched")

	// ErrNoAccount: a new address was asked for, but no extended public key is
	// watched.
	ErrNoAccount = ErrorKind("no account")

	// ErrGap: no fresh address can be given out before one of the last ones is
	// used.
	ErrGap = ErrorKind("gap limit is reached")

	// ErrRange: a range of blocks that ends before it begins.
	ErrRange = ErrorKind("bad range of blocks")

	// ErrLabel: a label that is too long or has characters that are not printable.
	ErrLabel = ErrorKind("bad label")

	// ErrBatch: a batch that does not fit its scan: a fault of the caller.
	ErrBatch = ErrorKind("bad batch")

	// ErrChain: blocks that contradict those already applied. The caller has
	// to Rewind first.
	ErrChain = ErrorKind("blocks of another branch")

	// ErrInvalid: the transaction can never be mined, as its signatures, its sums or
	// something else about it are against the rules.
	ErrInvalid = ErrorKind("not valid")

	// ErrTooEarly: the transaction can't be mined in the next block, but maybe later.
	ErrTooEarly = ErrorKind("too early")

	// ErrConflict: the transaction spends an output that is spent in the chain.
	ErrConflict = ErrorKind("output is spent")

	// ErrExpired: the transaction's expiry height has come.
	ErrExpired = ErrorKind("transaction has expired")

	// ErrSuperseded: the ticket locks less than the ticket price.
	ErrSuperseded = ErrorKind("ticket is below the price")

	// ErrCursor: the cursor is ahead of the event log, so it belongs to
	// another wallet file or to a newer copy of this one.
	ErrCursor = ErrorKind("cursor is ahead of the event log")

	// ErrCursorTooOld: events after the cursor are no longer kept. Read the
	// present state instead and go on from LastEvent.
	ErrCursorTooOld = ErrorKind("cursor is too old")
)

// corrupt makes an ErrCorrupt.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

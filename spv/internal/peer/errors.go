package peer

import (
	"errors"
	"fmt"
	"io"
)

// ErrorKind tells errors of this package apart, with errors.Is.
type ErrorKind string

// Error implements the error interface.
func (e ErrorKind) Error() string { return string(e) }

// Reasons to refuse a remote in the handshake. Config.Accept adds its own.
const (
	// ErrSelf is a connection to ourselves.
	ErrSelf ErrorKind = "connected to ourselves"

	// ErrNetwork is a remote on another of Decred's networks. It is a NetworkError,
	// which names that.
	ErrNetwork ErrorKind = "wrong network"

	// ErrWebServer is a remote that answers as a web server does, in HTTP or with
	// an alert of TLS. As often as not it is no fault of the address: the network
	// that we are in wants a log-in first and answers everything itself (RFC 8952
	// calls that a captive portal).
	ErrWebServer ErrorKind = "answered by a web server"

	// ErrNotDecred is a remote that speaks anything else.
	ErrNotDecred ErrorKind = "not a Decred node"

	// ErrServices is a remote that is no full node.
	ErrServices ErrorKind = "not a full node"

	// ErrVersion is a remote whose protocol version is below 9.
	ErrVersion ErrorKind = "protocol version too old"
)

// Ends of a connection.
const (
	// ErrClosed is a connection that is over: the remote closed it, or Close
	// was called without a reason. A request that was waiting then ends with
	// ErrClosed whatever the reason was.
	ErrClosed ErrorKind = "connection closed"

	// ErrTimeout is a handshake, a ping or a write that took too long.
	ErrTimeout ErrorKind = "timed out"

	// ErrProtocol is a remote that has broken the protocol: it sent a message
	// that can't be decoded, which ends the connection, or an answer that is
	// proved not to be what was asked for, which ends the request and leaves
	// the connection to the caller.
	ErrProtocol ErrorKind = "protocol violation"

	// ErrOverflow is a remote that does not read what it asks for.
	ErrOverflow ErrorKind = "send queue overflow"

	// ErrFlood is a remote that sends more than a node has reason to. Unless it
	// may only have passed on what others flood it with (announcements,
	// transactions, headers), it is an ErrProtocol too.
	ErrFlood ErrorKind = "flood"
)

// Ends of a request, besides those above.
const (
	// ErrStalled is a request that made no progress for 30 seconds.
	ErrStalled ErrorKind = "request stalled"

	// ErrNotFound is a block that the remote does not have.
	ErrNotFound ErrorKind = "not found"

	// ErrBusy is a request while the same is already outstanding. Nothing was
	// sent.
	ErrBusy ErrorKind = "request already outstanding"

	// ErrAfterSendHeaders is a Headers call after SendHeaders: its answer
	// could not be told from an announcement.
	ErrAfterSendHeaders ErrorKind = "headers can't be requested after sendheaders"

	// ErrRequest is a call with arguments that can't be asked, such as more
	// than 100 filters. Nothing was sent.
	ErrRequest ErrorKind = "bad request"
)

// protocolError returns an ErrProtocol with details.
func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// floodError returns an ErrFlood with details.
func floodError(relayed bool, format string, args ...any) error {
	details := fmt.Sprintf(format, args...)
	if relayed {
		return fmt.Errorf("%w: %s", ErrFlood, details)
	}
	return fmt.Errorf("%w: %w: %s", ErrProtocol, ErrFlood, details)
}

// readError gives an error of the connection its kind.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w by the remote", ErrClosed)
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

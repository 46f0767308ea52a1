package peer

import (
	"errors"
	"fmt"
	"sync"
)

// ending is the end of a connection.
type ending struct {
	done chan struct{} // closed at the end

	mu     sync.Mutex
	reason error // nil while the connection is open
}

// begin ends the connection, and reports whether it was open.
func (e *ending) begin(reason error) (first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reason != nil {
		return false
	}
	e.reason = reason
	close(e.done)
	return true
}

// why is the reason; nil while the connection is open.
func (e *ending) why() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reason
}

// closedError is the error of a request on a closed connection.
func (e *ending) closedError() error {
	reason := e.why()
	if errors.Is(reason, ErrClosed) {
		return reason
	}
	return fmt.Errorf("%w: %s", ErrClosed, reason.Error())
}

// Close ends the connection for a reason, which Run returns; nil is ErrClosed.
// Only the first call counts. It does not wait for Run.
func (p *Peer) Close(reason error) {
	if reason == nil {
		reason = ErrClosed
	}
	if p.end.begin(reason) {
		p.conn.Close() // its error does not matter any more
	}
}

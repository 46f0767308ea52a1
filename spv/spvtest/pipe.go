package spvtest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeWindow is how many bytes may be on their way in one direction before a
// writer has to wait, like the window of a TCP connection.
const pipeWindow = 256 << 10

// newPipe makes both ends of a connection in memory. Unlike net.Pipe it is
// buffered, so that both ends may write first; what was written before Close
// can still be read.
//
// It blocks on channels alone: goroutines that wait in it are durably blocked
// in the sense of testing/synctest, if it was made in their bubble.
func newPipe(a, b net.Addr) (net.Conn, net.Conn) {
	ab, ba := new(stream), new(stream)
	return &pipeConn{in: ba, out: ab, local: a, remote: b},
		&pipeConn{in: ab, out: ba, local: b, remote: a}
}

// stream is one direction of a pipe.
type stream struct {
	mu       sync.Mutex
	data     []byte
	finished bool // the writer has closed: EOF after data
	broken   bool // the reader has closed: writing is an error
	readBy   time.Time
	writeBy  time.Time
	changed  chan struct{} // closed at the next change; nil: nobody waits
}

// wake tells those who wait that something changed. mu is held.
func (s *stream) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// update changes the stream's state.
func (s *stream) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.wake()
}

// wait waits for a change, or the deadline. mu is held; wait lets go of it
// meanwhile.
func (s *stream) wait(deadline time.Time) error {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	changed := s.changed
	s.mu.Unlock()
	defer s.mu.Lock()

	if deadline.IsZero() {
		<-changed
		return nil
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}

// expired reports whether a deadline has passed.
func expired(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.broken:
			return 0, net.ErrClosed
		case expired(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(s.data) > 0:
			n := copy(p, s.data)
			s.data = s.data[n:]
			s.wake()
			return n, nil
		case s.finished:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		if err := s.wait(s.readBy); err != nil {
			return 0, err
		}
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.finished:
			return n, net.ErrClosed
		case s.broken:
			return n, io.ErrClosedPipe
		case expired(s.writeBy):
			return n, os.ErrDeadlineExceeded
		case len(p) == 0:
			return n, nil
		}
		if room := pipeWindow - len(s.data); room > 0 {
			k := min(room, len(p))
			s.data = append(s.data, p[:k]...)
			p, n = p[k:], n+k
			s.wake()
			continue
		}
		if err := s.wait(s.writeBy); err != nil {
			return n, err
		}
	}
}

// pipeConn is one end of a pipe.
type pipeConn struct {
	in, out       *stream
	local, remote net.Addr
}

func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError("read", err)
}

func (c *pipeConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.opError("write", err)
}

// opError gives errors the form they have on a socket. EOF is passed as it is.
func (c *pipeConn) opError(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close ends both directions. What was written before can still be read by the
// other end. Closing again does nothing.
func (c *pipeConn) Close() error {
	c.out.update(func() { c.out.finished = true })
	c.in.update(func() { c.in.broken, c.in.data = true, nil })
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr  { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr { return c.remote }

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.update(func() { c.in.readBy = t })
	c.out.update(func() { c.out.writeBy = t })
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.update(func() { c.in.readBy = t })
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.update(func() { c.out.writeBy = t })
	return nil
}

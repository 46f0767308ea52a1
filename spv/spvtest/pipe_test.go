package spvtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func testPipe(t *testing.T) (net.Conn, net.Conn) {
	a, b := newPipe(address("10.0.0.1:1"), address("10.0.0.2:2"))
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

func TestPipeIsBuffered(t *testing.T) {
	a, b := testPipe(t)
	a.Write([]byte("from a"))
	b.Write([]byte("from b"))
	a.Close()
	buf := make([]byte, 10)
	if n, err := b.Read(buf); string(buf[:n]) != "from a" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if _, err := b.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := b.Write(buf); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write to closed end: %v", err)
	}
	for _, op := range []func([]byte) (int, error){a.Read, a.Write} {
		if _, err := op(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("use after close: %v", err)
		}
	}
	if a.LocalAddr().String() != "10.0.0.1:1" || a.RemoteAddr().String() != "10.0.0.2:2" {
		t.Errorf("addresses %v and %v", a.LocalAddr(), a.RemoteAddr())
	}
}

func TestPipeHoldsBackWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testPipe(t)
		data := bytes.Repeat([]byte("0123456789"), pipeWindow/4)
		written := false
		go func() {
			if n, err := a.Write(data); n != len(data) || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
			written = true
			a.Close()
		}()
		synctest.Wait()
		if written {
			t.Fatal("the writer does not wait for room")
		}
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d of %d bytes, %v", len(got), len(data), err)
		}
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testPipe(t)
		start := time.Now()
		buf := make([]byte, 1)
		a.SetReadDeadline(start.Add(3 * time.Second))
		if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		// A deadline that is moved while somebody waits.
		b.SetDeadline(time.Now().Add(time.Hour))
		go func() {
			time.Sleep(time.Second)
			b.SetDeadline(time.Now().Add(time.Second))
		}()
		start = time.Now()
		_, err := b.Write(make([]byte, pipeWindow+1))
		var netErr net.Error
		if !errors.As(err, &netErr) || !netErr.Timeout() || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		b.SetDeadline(time.Time{})
		a.SetDeadline(time.Time{})
		if n, err := a.Read(buf); n != 1 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
	})
}

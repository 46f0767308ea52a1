package peer

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/wire"
)

// unread connects to a remote that stops reading after the handshake.
func unread(t *testing.T) (p *Peer, theirs net.Conn) {
	ours, theirs := net.Pipe()
	result := shake(t.Context(), ours, testConfig())
	readOne := func() {
		if _, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net); err != nil {
			t.Fatal(err)
		}
	}
	readOne()
	theirs.Write(encode(t, remoteVersion(), simnet.Net))
	readOne()
	theirs.Write(encode(t, wire.NewMsgVerAck(), simnet.Net))
	res := <-result
	if res.err != nil {
		t.Fatal(res.err)
	}
	t.Cleanup(func() { theirs.Close() })
	return res.peer, theirs
}

func TestSendOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		if err := p.Send(wire.NewMsgPing(0)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the writer has taken it and is stuck
		for i := range 64 {
			if err := p.Send(wire.NewMsgPing(uint64(i))); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		wantError(t, p.Send(wire.NewMsgPing(0)), ErrOverflow)
		got := <-ended
		wantError(t, got.err, ErrOverflow)
		if got.took != 0 {
			t.Errorf("ended after %v", got.took)
		}
	})
}

// A remote that asks without reading is cut off, not served from memory.
func TestPingFloodWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, theirs := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		ping := encode(t, wire.NewMsgPing(1), simnet.Net)
		for {
			if _, err := theirs.Write(ping); err != nil {
				break
			}
		}
		wantError(t, (<-ended).err, ErrOverflow)
	})
}

// However many requests are made, they wait for their turn and never overflow
// the queue.
func TestRequestsDontOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var replies []<-chan answer[[][]byte]
		for i := range 100 {
			replies = append(replies, askFilters(ctx, p, blockHashes(byte(i), 2)))
		}
		for _, reply := range replies {
			wantError(t, (<-reply).err, context.DeadlineExceeded)
		}
		p.Close(nil)
		<-ended
	})
}

func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		if err := p.Send(wire.NewMsgPing(0)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		filters := askFilters(t.Context(), p, blockHashes(1, 2))
		got := <-ended
		wantError(t, got.err, ErrTimeout)
		if got.took != 30*time.Second {
			t.Errorf("ended after %v", got.took)
		}
		wantError(t, (<-filters).err, ErrClosed)
	})
}

func TestCloseFromEverywhere(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		first := errors.New("first")
		p.Close(first)
		done := make(chan struct{})
		for range 8 {
			go func() {
				p.Close(errors.New("later"))
				done <- struct{}{}
			}()
		}
		for range 8 {
			<-done
		}
		wantError(t, (<-ended).err, first)
		wantError(t, p.Run(t.Context(), new(log)), ErrRequest)
	})
}

func TestCloseWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := connect(t, remoteVersion())
		p.Close(nil)
		wantError(t, p.Run(t.Context(), new(log)), ErrClosed)
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := connect(t, remoteVersion())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ended := call(func() (any, error) { return nil, p.Run(ctx, new(log)) })
		got := <-ended
		wantError(t, got.err, context.DeadlineExceeded)
		if got.took != time.Hour {
			t.Errorf("ended after %v", got.took)
		}
	})
}

func TestRunEndsWithTheRemote(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		r.hangUp()
		err := endedNow(t, ended)
		wantError(t, err, ErrClosed)
		// Whoever asks later is told the reason, once.
		if later := p.Send(wire.NewMsgPing(1)); later == nil || later.Error() != err.Error() {
			t.Errorf("%v, the connection ended with %v", later, err)
		}
	})
}

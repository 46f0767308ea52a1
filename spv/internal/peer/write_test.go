package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
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
		for i := range 1064 {
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

// bigTx returns a transaction of about n bytes.
func bigTx(n int) *wire.MsgTx {
	tx := wire.NewMsgTx()
	tx.AddTxOut(wire.NewTxOut(1, make([]byte, n)))
	return tx
}

// What waits is bounded in bytes as well, whatever the messages are, and what has
// been written no longer counts.
// Rule 20.
func TestSendOverflowInBytes(t *testing.T) {
	invs := make([]*wire.InvVect, wire.MaxInvPerMsg)
	for i := range invs {
		invs[i] = wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{})
	}
	locator := make([]*chainhash.Hash, wire.MaxBlockLocatorsPerMsg)
	for i := range locator {
		locator[i] = &chainhash.Hash{}
	}
	for _, msg := range []wire.Message{
		bigTx(100_000),
		&wire.MsgInv{InvList: invs},
		&wire.MsgGetData{InvList: invs},
		&wire.MsgNotFound{InvList: invs},
		&wire.MsgGetHeaders{BlockLocatorHashes: locator},
	} {
		t.Run(msg.Command(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, theirs := unread(t)
				ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
				size := len(encode(t, msg, simnet.Net))
				fits := min(maxQueuedBytes/(size+100), maxQueued)
				for range 2 {
					for i := range fits {
						if err := p.Send(msg); err != nil {
							t.Fatalf("message %d of %d bytes: %v", i, size, err)
						}
					}
					if _, err := io.ReadFull(theirs, make([]byte, fits*size)); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				var err error
				for err == nil {
					err = p.Send(msg)
					if n := len(p.queue) * size; n > maxQueuedBytes {
						t.Fatalf("%d bytes are queued", n)
					}
				}
				wantError(t, err, ErrOverflow)
				wantError(t, (<-ended).err, ErrOverflow)
			})
		})
	}
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

// Rule 9.
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

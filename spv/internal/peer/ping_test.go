package peer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// running is conversation for tests about the end of the connection: f gets
// the channel that the result of Run and its instant come from.
func running(t *testing.T, l *log, f func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, r := connect(t, remoteVersion())
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), l) })
		f(t, p, r, ended)
	})
}

func TestPingMeasuresLatency(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		r.deaf.Store(true)
		for i := range 3 {
			start := time.Now()
			ping := expect[*wire.MsgPing](r)
			want := 60 * time.Second
			if i > 0 {
				want -= 80 * time.Millisecond
			}
			if took := time.Since(start); took != want {
				t.Errorf("ping after %v, want %v", took, want)
			}
			time.Sleep(80 * time.Millisecond)
			r.send(wire.NewMsgPong(ping.Nonce+1), wire.NewMsgPong(ping.Nonce), wire.NewMsgPong(ping.Nonce))
			synctest.Wait()
			if s := p.Stats(); s.Latency != 80*time.Millisecond || s.LastMessage.Before(start) {
				t.Errorf("stats %+v", s)
			}
		}
	})
}

func TestPingTimeout(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		r.deaf.Store(true)
		got := <-ended
		wantError(t, got.err, ErrTimeout)
		if got.took != 75*time.Second {
			t.Errorf("ended after %v", got.took)
		}
	})
}

// A pong may stand behind a long answer on a slow line: bytes are a sign of
// life, their absence is not excused by earlier ones. Pings go out meanwhile, or a dcrd
// would hang up after two minutes.
func TestPingWaitsWhileBytesArrive(t *testing.T) {
	running(t, new(log), func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		r.deaf.Store(true)
		answer := encode(t, batchMsg(blockHashes(1, 40)), simnet.Net)
		time.Sleep(59 * time.Second)
		for i := range 4 { // the last bytes at 59+4*14 = 115 s
			time.Sleep(14 * time.Second)
			r.out <- answer[i*10 : (i+1)*10]
		}
		got := <-ended
		wantError(t, got.err, ErrTimeout)
		if got.took != 135*time.Second {
			t.Errorf("ended after %v", got.took)
		}
		expect[*wire.MsgPing](r)
		expect[*wire.MsgPing](r) // after 120 s
	})
}

// Time that our own Handler takes is not the remote's.
// Rule 7.
func TestHandlerMayTakeItsTime(t *testing.T) {
	l := &log{hold: make(chan struct{})}
	running(t, l, func(t *testing.T, p *Peer, r *remote, ended <-chan answer[any]) {
		l.hold = make(chan struct{}) // of this bubble
		hs := blockHashes(1, 10)
		time.Sleep(50 * time.Second)
		early := askFilters(t.Context(), p, hs)
		expect[*wire.MsgGetCFsV2](r)
		time.Sleep(5 * time.Second)
		r.send(invMsg(1))
		synctest.Wait()
		silent := askFilters(t.Context(), p, blockHashes(2, 10))
		expect[*wire.MsgGetCFsV2](r)
		r.send(batchMsg(hs))
		time.Sleep(10 * time.Minute)
		close(l.hold)
		wantFilters(t, <-early, hs)
		got := <-silent
		wantError(t, got.err, ErrStalled)
		if got.took != 10*time.Minute+30*time.Second {
			t.Errorf("stalled after %v", got.took)
		}
		select {
		case got := <-ended:
			t.Errorf("connection ended: %v", got.err)
		default:
		}
		p.Close(nil)
		<-ended
	})
}

// A remote that is only silent to us still gets its own pings answered.
func TestPingIsAnswered(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		r.send(wire.NewMsgPing(42))
		if got := expect[*wire.MsgPong](r).Nonce; got != 42 {
			t.Errorf("pong %d", got)
		}
		r.send(wire.NewMsgGetInitState())
		expect[*wire.MsgInitState](r)
		getHeaders := wire.NewMsgGetHeaders()
		getHeaders.AddBlockLocatorHash(&chainhash.Hash{1})
		r.send(getHeaders)
		if n := len(expect[*wire.MsgHeaders](r).Headers); n != 0 {
			t.Errorf("%d headers", n)
		}
	})
}

// What was queued before has been read when Delivered returns: the ping stands behind
// it.
func TestDelivered(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		r.deaf.Store(true)
		tx := wire.NewMsgTx()
		wantError(t, p.Serve(tx), nil)
		done := call(func() (any, error) { return nil, p.Delivered(t.Context()) })
		expect[*wire.MsgTx](r)
		ping := expect[*wire.MsgPing](r)
		time.Sleep(time.Second)
		r.send(wire.NewMsgPong(ping.Nonce))
		if got := <-done; got.err != nil || got.took != time.Second {
			t.Errorf("%v after %v", got.err, got.took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := p.Delivered(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without an answer: %v", err)
		}
	})
}

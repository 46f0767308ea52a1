package peer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// As many messages as are kept may come before the verack, and reach the Handler.
func TestHandshakeKeepsWhatComesBeforeVerack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, r := newRemote(t)
		result := shake(t.Context(), ours, testConfig())
		expect[*wire.MsgVersion](r)
		r.send(remoteVersion())
		for range maxBacklog {
			r.send(invMsg(1))
		}
		r.send(wire.NewMsgVerAck())
		res := <-result
		if res.err != nil {
			t.Fatal(res.err)
		}
		l := new(log)
		ended := call(func() (any, error) { return nil, res.peer.Run(t.Context(), l) })
		synctest.Wait()
		if len(l.inv) != maxBacklog {
			t.Errorf("%d announcements of %d reached the handler", len(l.inv), maxBacklog)
		}
		res.peer.Close(nil)
		<-ended
	})
}

// dcrd asks for headers and for the initial state before its verack, and drops
// a client that doesn't answer the latter.
func TestHandshakeAnswersWhatComesBeforeVerack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, r := newRemote(t)
		result := shake(t.Context(), ours, testConfig())
		expect[*wire.MsgVersion](r)
		getHeaders := wire.NewMsgGetHeaders()
		getHeaders.AddBlockLocatorHash(&chainhash.Hash{1})
		r.send(remoteVersion(), getHeaders, wire.NewMsgGetInitState(), wire.NewMsgSendHeaders(),
			wire.NewMsgPing(5), invMsg(3))
		expect[*wire.MsgVerAck](r)
		if n := len(expect[*wire.MsgHeaders](r).Headers); n != 0 {
			t.Errorf("%d headers", n)
		}
		expect[*wire.MsgInitState](r)
		if pong := expect[*wire.MsgPong](r); pong.Nonce != 5 {
			t.Errorf("pong %d", pong.Nonce)
		}
		r.send(wire.NewMsgVerAck())
		res := <-result
		if res.err != nil {
			t.Fatal(res.err)
		}
		// What was for the Handler is not lost.
		l := new(log)
		ended := make(chan error, 1)
		go func() { ended <- res.peer.Run(t.Context(), l) }()
		synctest.Wait()
		if len(l.inv) != 3 {
			t.Errorf("%d announcements reached the handler", len(l.inv))
		}
		res.peer.Close(nil)
		<-ended
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

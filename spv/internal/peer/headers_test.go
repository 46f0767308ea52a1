package peer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

var genesis = simnet.GenesisHash

func askHeaders(ctx context.Context, p *Peer, locator ...chainhash.Hash) <-chan answer[[]chain.Header] {
	return call(func() ([]chain.Header, error) { return p.Headers(ctx, locator, chainhash.Hash{9}) })
}

func TestHeaders(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		headers := makeHeaders(genesis, 0, 2000)
		reply := askHeaders(t.Context(), p, chainhash.Hash{1}, genesis)
		msg := expect[*wire.MsgGetHeaders](r)
		if len(msg.BlockLocatorHashes) != 2 || *msg.BlockLocatorHashes[1] != genesis || msg.HashStop != (chainhash.Hash{9}) {
			t.Errorf("getheaders %+v", msg)
		}
		r.send(headersMsg(headers))
		got := <-reply
		if got.err != nil || len(got.v) != 2000 || got.v[0] != headers[0] || got.v[1999] != headers[1999] {
			t.Errorf("%d headers, %v", len(got.v), got.err)
		}

		reply = askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(nil))
		if got := <-reply; got.err != nil || len(got.v) != 0 {
			t.Errorf("empty answer: %d headers, %v", len(got.v), got.err)
		}
		if len(l.headers) != 0 {
			t.Error("an answer reached the handler")
		}
		if n := p.Stats().GetHeaders; n != 2 {
			t.Errorf("%d getheaders counted", n)
		}
	})
}

func TestHeadersRefusesAnswersThatDontFit(t *testing.T) {
	gap := append(makeHeaders(genesis, 0, 2), makeHeaders(chainhash.Hash{}, 3, 1)...)
	for name, headers := range map[string][]chain.Header{
		"gap": gap,
	} {
		t.Run(name, func(t *testing.T) {
			conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
				reply := askHeaders(t.Context(), p, genesis)
				expect[*wire.MsgGetHeaders](r)
				r.send(headersMsg(headers))
				wantError(t, (<-reply).err, ErrProtocol)
			})
		})
	}
}

// Headers that continue nothing we asked for are an announcement, even while an
// answer is awaited.
func TestHeadersAnnouncedWhileAsking(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		reply := askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(makeHeaders(chainhash.Hash{7}, 5, 3)))
		r.send(headersMsg(makeHeaders(genesis, 0, 2)))
		if got := <-reply; got.err != nil || len(got.v) != 2 {
			t.Errorf("%d headers, %v", len(got.v), got.err)
		}
		if len(l.headers) != 1 {
			t.Errorf("%d announcements reached the handler, want 1", len(l.headers))
		}
	})
}

func TestHeadersOneAtATime(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		reply := askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)
		_, err := p.Headers(t.Context(), []chainhash.Hash{genesis}, chainhash.Hash{})
		wantError(t, err, ErrBusy)
		r.expectNothing()
		r.send(headersMsg(nil))
		wantError(t, (<-reply).err, nil)
	})
}

func TestHeadersBadLocator(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		for _, n := range []int{0, 501} {
			_, err := p.Headers(t.Context(), make([]chainhash.Hash, n), chainhash.Hash{})
			wantError(t, err, ErrRequest)
		}
		r.expectNothing()
	})
}

// The locator is the caller's again when a call that only sends has returned.
func TestLocatorIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, theirs := unread(t)
		ended := call(func() (any, error) { return nil, p.Run(t.Context(), new(log)) })
		locator := []chainhash.Hash{{1}, genesis}
		wantError(t, p.SendHeaders(locator), nil)
		clear(locator)
		for _, command := range []string{wire.CmdSendHeaders, wire.CmdGetHeaders} {
			msg, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net)
			if err != nil || msg.Command() != command {
				t.Fatalf("remote got %v, %v, want %s", msg, err, command)
			}
			if msg, ok := msg.(*wire.MsgGetHeaders); ok && *msg.BlockLocatorHashes[1] != genesis {
				t.Errorf("asked for what comes after %v", *msg.BlockLocatorHashes[1])
			}
		}
		p.Close(nil)
		<-ended
	})
}

func TestHeadersStalls(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, _ *log) {
		got := <-askHeaders(t.Context(), p, genesis)
		wantError(t, got.err, ErrStalled)
		if got.took != 30*time.Second {
			t.Errorf("stalled after %v", got.took)
		}
	})
}

// The answer to a request that was called off is nobody's fault and nobody's
// news, and it is not taken for the answer to the next one.
// Rule 5.
func TestHeadersLateAnswer(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		a, b := makeHeaders(genesis, 0, 10), makeHeaders(chainhash.Hash{2}, 20, 10)

		ctx, cancel := context.WithCancel(t.Context())
		reply := askHeaders(ctx, p, genesis)
		expect[*wire.MsgGetHeaders](r)
		cancel()
		wantError(t, (<-reply).err, context.Canceled)

		reply = askHeaders(t.Context(), p, chainhash.Hash{2})
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(a), headersMsg(b))
		if got := <-reply; got.err != nil || got.v[0] != b[0] {
			t.Errorf("second answer: %v", got.err)
		}

		// The same when the late answer is empty.
		ctx, cancel = context.WithCancel(t.Context())
		reply = askHeaders(ctx, p, genesis)
		expect[*wire.MsgGetHeaders](r)
		cancel()
		<-reply
		reply = askHeaders(t.Context(), p, chainhash.Hash{2})
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(nil), headersMsg(b))
		if got := <-reply; got.err != nil || len(got.v) != 10 {
			t.Errorf("answer after a late empty one: %d headers, %v", len(got.v), got.err)
		}
		synctest.Wait()
		if len(l.headers) != 0 {
			t.Error("a late answer reached the handler")
		}
	})
}

// A remote that never answers what was called off does not spoil the next
// answer.
func TestHeadersLateAnswerNeverComes(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		wantError(t, (<-askHeaders(t.Context(), p, genesis)).err, ErrStalled)
		expect[*wire.MsgGetHeaders](r)
		reply := askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(makeHeaders(genesis, 0, 3)))
		if got := <-reply; got.err != nil || len(got.v) != 3 {
			t.Errorf("%d headers, %v", len(got.v), got.err)
		}
	})
}

// A request that never left is not waited for.
func TestHeadersCalledOffBeforeItIsSent(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // of two things that are ready Go takes either
			synctest.Wait() // the writer is ready
			wantError(t, (<-askHeaders(ctx, p, genesis)).err, context.Canceled)
		}
		r.expectNothing()
		reply := askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)
		r.send(headersMsg(nil))
		wantError(t, (<-reply).err, nil)
	})
}

// Rule 4.
func TestSendHeaders(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		wantError(t, p.RequestHeaders([]chainhash.Hash{genesis}), ErrRequest)
		waiting := askHeaders(t.Context(), p, genesis)
		expect[*wire.MsgGetHeaders](r)

		if err := p.SendHeaders([]chainhash.Hash{genesis}); err != nil {
			t.Fatal(err)
		}
		wantError(t, (<-waiting).err, ErrAfterSendHeaders)
		expect[*wire.MsgSendHeaders](r)
		if msg := expect[*wire.MsgGetHeaders](r); msg.HashStop != (chainhash.Hash{}) {
			t.Errorf("getheaders stops at %v", msg.HashStop)
		}

		wantError(t, p.SendHeaders([]chainhash.Hash{genesis}), ErrAfterSendHeaders)
		_, err := p.Headers(t.Context(), []chainhash.Hash{genesis}, chainhash.Hash{})
		wantError(t, err, ErrAfterSendHeaders)
		r.expectNothing()

		// From here on everything is the handler's, empty messages too.
		r.send(headersMsg(makeHeaders(genesis, 0, 2)), headersMsg(nil), headersMsg(makeHeaders(genesis, 0, 1)))
		synctest.Wait()
		if len(l.headers) != 3 || len(l.headers[0]) != 2 || len(l.headers[1]) != 0 || len(l.headers[2]) != 1 {
			t.Errorf("handler got %d messages", len(l.headers))
		}

		if err := p.RequestHeaders([]chainhash.Hash{genesis}); err != nil {
			t.Fatal(err)
		}
		expect[*wire.MsgGetHeaders](r)
	})
}

func TestHeadersNobodyWaitsFor(t *testing.T) {
	conversation(t, remoteVersion(), func(t *testing.T, p *Peer, r *remote, l *log) {
		r.send(headersMsg(makeHeaders(genesis, 0, 1)))
		synctest.Wait()
		if len(l.headers) != 1 {
			t.Errorf("handler got %d messages", len(l.headers))
		}
	})
}

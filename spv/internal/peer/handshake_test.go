package peer

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, r := newRemote(t)
		cfg := testConfig()
		cfg.Height = func() uint32 { return 77 }
		result := shake(t.Context(), ours, cfg)

		v := expect[*wire.MsgVersion](r)
		switch {
		case v.ProtocolVersion != 11, v.Services != 0, v.LastBlock != 77, !v.DisableRelayTx,
			!strings.Contains(v.UserAgent, "dcrspv:0.1.0"):
			t.Errorf("our version: %+v", v)
		}
		version := remoteVersion()
		version.ProtocolVersion = 12
		version.UserAgent = strings.Repeat("x", 200)
		version.Timestamp = time.Now().Add(90 * time.Second)
		r.send(version)
		expect[*wire.MsgVerAck](r)
		r.send(wire.NewMsgVerAck())

		res := <-result
		if res.err != nil {
			t.Fatal(res.err)
		}
		want := Info{
			Addr: "192.0.2.1:18555", UserAgent: strings.Repeat("x", 128), PVer: 11,
			Services: wire.SFNodeNetwork, Height: 2092, TimeOffset: 90 * time.Second,
		}
		if got := res.peer.Info(); got != want {
			t.Errorf("info %+v, want %+v", got, want)
		}
		res.peer.Close(nil)
	})
}

func TestHandshakeVersionIsTheLower(t *testing.T) {
	for _, c := range []struct {
		remote  int32
		ours    uint32
		agreed  uint32
		refused error
	}{
		{8, 0, 0, ErrVersion},
		{-1, 0, 0, ErrVersion},
		{9, 0, 9, nil},
		{10, 0, 10, nil},
		{12, 0, 11, nil},
		{12, 10, 10, nil},
		{99, 99, wire.ProtocolVersion, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, r := newRemote(t)
			cfg := testConfig()
			cfg.MaxPVer = c.ours
			result := shake(t.Context(), ours, cfg)
			expect[*wire.MsgVersion](r)
			version := remoteVersion()
			version.ProtocolVersion = c.remote
			r.send(version)
			if c.refused == nil {
				expect[*wire.MsgVerAck](r)
				r.send(wire.NewMsgVerAck())
			}
			res := <-result
			wantError(t, res.err, c.refused)
			if res.err == nil {
				if got := res.peer.Info().PVer; got != c.agreed {
					t.Errorf("%d and %d agree on %d, want %d", c.remote, c.ours, got, c.agreed)
				}
				res.peer.Close(nil)
			}
		})
	}
}

// A remote that its version message rules out has cost our version message and
// nothing else: no verack is sent, and Accept is asked last.
// Rule 3.
func TestHandshakeRefusesBeforeAnythingElse(t *testing.T) {
	errLagging := errors.New("lags behind")
	accept := func(Info) error { return errLagging }
	changed := func(change func(*wire.MsgVersion)) func(*remote, *wire.MsgVersion) {
		return func(r *remote, _ *wire.MsgVersion) {
			v := remoteVersion()
			change(v)
			r.send(v)
		}
	}
	tests := []struct {
		name string
		play func(r *remote, ours *wire.MsgVersion)
		want error
	}{
		{"ourselves", func(r *remote, ours *wire.MsgVersion) { r.send(ours) }, ErrSelf},
		{"no full node", changed(func(v *wire.MsgVersion) { v.Services = 0 }), ErrServices},
		{"protocol version 8", changed(func(v *wire.MsgVersion) { v.ProtocolVersion = 8 }), ErrVersion},
		{"negative version", changed(func(v *wire.MsgVersion) { v.ProtocolVersion = -1 }), ErrVersion},
		{"another network", func(r *remote, _ *wire.MsgVersion) {
			r.out <- encode(r.t, remoteVersion(), chaincfg.MainNetParams().Net)
		}, ErrNetwork},
		{"the owner's reason", changed(func(*wire.MsgVersion) {}), errLagging},
		{"a ping", func(r *remote, _ *wire.MsgVersion) { r.send(wire.NewMsgPing(1)) }, ErrProtocol},
		{"an unknown command", func(r *remote, _ *wire.MsgVersion) {
			r.out <- rawMessage("future", nil)
		}, ErrProtocol},
		// Only the head of a message is read: that it is large costs nothing.
		{"filters that never come", func(r *remote, _ *wire.MsgVersion) {
			r.out <- claim(wire.CmdCFiltersV2, 20<<20)
		}, ErrProtocol},
		{"noise", func(r *remote, _ *wire.MsgVersion) {
			r.out <- []byte(strings.Repeat("not a message", 2))
		}, ErrNotDecred},
		{"hang up", func(r *remote, _ *wire.MsgVersion) { r.hangUp() }, ErrClosed},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Accept = accept
			received := refused(t, cfg, c.play, c.want)
			if len(received) != 0 {
				t.Errorf("the remote got %T", received[0])
			}
		})
	}
}

func TestHandshakeEndsAfterVersion(t *testing.T) {
	for name, c := range map[string]struct {
		play func(r *remote, ours *wire.MsgVersion)
		want error
	}{
		"second version": {func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion(), remoteVersion())
		}, ErrProtocol},
		"hang up": {func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion())
			r.hangUp()
		}, ErrClosed},
		"flood": {func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion())
			for range maxBacklog + 1 {
				r.send(invMsg(1))
			}
		}, ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) { refused(t, testConfig(), c.play, c.want) })
	}
}

// refused plays a handshake that has to fail at once with want, and returns
// what the remote got after our version message.
func refused(t *testing.T, cfg *Config, play func(r *remote, ours *wire.MsgVersion), want error) []wire.Message {
	t.Helper()
	var received []wire.Message
	synctest.Test(t, func(t *testing.T) {
		ours, r := newRemote(t)
		cfg.Nonces = new(Nonces)
		result := shake(t.Context(), ours, cfg)
		play(r, expect[*wire.MsgVersion](r))
		res := <-result
		wantError(t, res.err, want)
		if res.peer != nil || res.took != 0 {
			t.Errorf("peer %v after %v", res.peer, res.took)
		}
		if len(cfg.Nonces.set) != 0 {
			t.Error("the nonce is kept after the handshake")
		}
		for msg := range r.in { // ends: the connection is closed
			received = append(received, msg)
		}
	})
	return received
}

// A connection to ourselves shows the nonce of another handshake.
func TestHandshakeWithOurOwnListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Nonces = new(Nonces)
		a, ra := newRemote(t)
		b, rb := newRemote(t)
		first, second := shake(t.Context(), a, cfg), shake(t.Context(), b, cfg)
		va, vb := expect[*wire.MsgVersion](ra), expect[*wire.MsgVersion](rb)
		ra.send(vb)
		wantError(t, (<-first).err, ErrSelf)
		rb.send(va) // forgotten with its handshake, and no full node
		wantError(t, (<-second).err, ErrServices)
	})
}

// endingConn ends something with a read, once it is armed.
type endingConn struct {
	net.Conn
	armed atomic.Bool
	end   func()
}

func (c *endingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.armed.Load() {
		c.end()
	}
	return n, err
}

// A handshake whose context ends with its last message has failed: nobody is
// given a connection that is closed already.
func TestHandshakeEndsInTheLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, r := newRemote(t)
		ctx, cancel := context.WithCancel(t.Context())
		ours := &endingConn{Conn: conn, end: cancel}
		result := shake(ctx, ours, testConfig())
		expect[*wire.MsgVersion](r)
		r.send(remoteVersion())
		expect[*wire.MsgVerAck](r)
		ours.armed.Store(true)
		r.send(wire.NewMsgVerAck())
		res := <-result
		wantError(t, res.err, context.Canceled)
		if res.peer != nil {
			t.Error("a peer is returned with the error")
		}
	})
}

// A height that no chain can have is taken as none.
func TestHandshakeNegativeHeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := remoteVersion()
		version.LastBlock = -1
		p, _ := connect(t, version)
		if got := p.Info().Height; got != 0 {
			t.Errorf("height %d", got)
		}
		p.Close(nil)
	})
}

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

// The version message is due after 3 seconds, the rest after 5, whatever else
// the remote says meanwhile.
// Rule 9.
func TestHandshakeDeadlines(t *testing.T) {
	for name, c := range map[string]struct {
		play func(r *remote)
		want time.Duration
	}{
		"silent": {func(*remote) {}, 3 * time.Second},
		"half a version": {func(r *remote) {
			r.out <- encode(r.t, remoteVersion(), simnet.Net)[:40]
		}, 3 * time.Second},
		"silent after version": {func(r *remote) { r.send(remoteVersion()) }, 5 * time.Second},
		"version in the last moment": {func(r *remote) {
			time.Sleep(3*time.Second - 1)
			r.send(remoteVersion())
		}, 5 * time.Second},
		"talks on": {func(r *remote) {
			r.send(remoteVersion())
			for range 4 {
				time.Sleep(time.Second)
				r.send(wire.NewMsgPing(1))
			}
		}, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, r := newRemote(t)
				result := shake(t.Context(), ours, testConfig())
				c.play(r)
				res := <-result
				wantError(t, res.err, ErrTimeout)
				if res.took != c.want {
					t.Errorf("gave up after %v, want %v", res.took, c.want)
				}
			})
		})
	}
}

// One remote that swallows everything costs the others nothing: not their
// handshakes, and not their requests.
func TestBlackHoleDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Nonces = new(Nonces)
		hole, _ := newRemote(t)
		stuck := shake(t.Context(), hole, cfg)
		synctest.Wait()
		mute, muteRemote := connect(t, remoteVersion())
		muteEnded := call(func() (any, error) { return nil, mute.Run(t.Context(), new(log)) })
		unanswered := askFilters(t.Context(), mute, blockHashes(1, 10))
		expect[*wire.MsgGetCFsV2](muteRemote)

		ours, r := newRemote(t)
		result := shake(t.Context(), ours, cfg)
		expect[*wire.MsgVersion](r)
		r.send(remoteVersion(), wire.NewMsgVerAck())
		res := <-result
		if res.err != nil || res.took != 0 {
			t.Fatalf("handshake beside a black hole: %v after %v", res.err, res.took)
		}
		expect[*wire.MsgVerAck](r)
		ended := call(func() (any, error) { return nil, res.peer.Run(t.Context(), new(log)) })
		reply := askFilters(t.Context(), res.peer, blockHashes(1, 10))
		expect[*wire.MsgGetCFsV2](r)
		r.send(batchMsg(blockHashes(1, 10)))
		got := <-reply
		wantFilters(t, got, blockHashes(1, 10))
		if got.took != 0 {
			t.Errorf("filters after %v", got.took)
		}
		if res := <-stuck; !errors.Is(res.err, ErrTimeout) || res.took != 3*time.Second {
			t.Errorf("the black hole ended with %v after %v", res.err, res.took)
		}
		wantError(t, (<-unanswered).err, ErrStalled)
		mute.Close(nil)
		res.peer.Close(nil)
		<-muteEnded
		<-ended
	})
}

// Rule 9.
func TestHandshakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, _ := newRemote(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := shake(ctx, ours, testConfig())
		time.Sleep(time.Second)
		cancel()
		res := <-result
		wantError(t, res.err, context.Canceled)
		if res.took != time.Second {
			t.Errorf("ended after %v", res.took)
		}
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

func invMsg(n int) *wire.MsgInv {
	msg := wire.NewMsgInv()
	for i := range n {
		msg.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &chainhash.Hash{byte(i)}))
	}
	return msg
}

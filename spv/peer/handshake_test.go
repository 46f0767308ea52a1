package peer

import (
	"context"
	"errors"
	"strings"
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

func TestHandshakeRefusals(t *testing.T) {
	errLagging := errors.New("lags behind")
	tests := []struct {
		name string
		cfg  func(*Config)
		play func(r *remote, ours *wire.MsgVersion)
		want error
	}{
		{"ourselves", nil, func(r *remote, ours *wire.MsgVersion) { r.send(ours) }, ErrSelf},
		{"no full node", nil, func(r *remote, _ *wire.MsgVersion) {
			v := remoteVersion()
			v.Services = 0
			r.send(v)
		}, ErrServices},
		{"another network", nil, func(r *remote, _ *wire.MsgVersion) {
			r.out <- encode(r.t, remoteVersion(), chaincfg.MainNetParams().Net)
		}, ErrNetwork},
		{"the owner's reason", func(cfg *Config) {
			cfg.Accept = func(info Info) error {
				if info.Height != 2092 {
					t.Errorf("asked about %+v", info)
				}
				return errLagging
			}
		}, func(r *remote, _ *wire.MsgVersion) { r.send(remoteVersion()) }, errLagging},
		{"something before version", nil, func(r *remote, _ *wire.MsgVersion) {
			r.send(wire.NewMsgPing(1))
		}, ErrProtocol},
		{"second version", nil, func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion(), remoteVersion())
		}, ErrProtocol},
		{"noise", nil, func(r *remote, _ *wire.MsgVersion) {
			r.out <- []byte(strings.Repeat("HTTP/1.1 400 Bad", 2))
		}, ErrProtocol},
		{"hang up", nil, func(r *remote, _ *wire.MsgVersion) { r.hangUp() }, ErrClosed},
		{"hang up after version", nil, func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion())
			r.hangUp()
		}, ErrClosed},
		{"flood before verack", nil, func(r *remote, _ *wire.MsgVersion) {
			r.send(remoteVersion())
			for range maxBacklog + 1 {
				r.send(invMsg(1))
			}
		}, ErrProtocol},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, r := newRemote(t)
				cfg := testConfig()
				cfg.Nonces = new(Nonces)
				if c.cfg != nil {
					c.cfg(cfg)
				}
				result := shake(t.Context(), ours, cfg)
				c.play(r, expect[*wire.MsgVersion](r))
				res := <-result
				wantError(t, res.err, c.want)
				if res.peer != nil || res.took != 0 {
					t.Errorf("peer %v after %v", res.peer, res.took)
				}
				if len(cfg.Nonces.set) != 0 {
					t.Error("the nonce is kept after the handshake")
				}
				for msg := range r.in { // ends: the connection is closed
					if _, ok := msg.(*wire.MsgVerAck); ok && c.name == "the owner's reason" {
						t.Error("verack sent to a refused remote")
					}
				}
			})
		})
	}
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

func TestHandshakeTakesFiveSeconds(t *testing.T) {
	for name, play := range map[string]func(r *remote){
		"silent":               func(*remote) {},
		"silent after version": func(r *remote) { r.send(remoteVersion()) },
		"talks on": func(r *remote) {
			r.send(remoteVersion())
			for range 4 {
				time.Sleep(time.Second)
				r.send(wire.NewMsgPing(1))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, r := newRemote(t)
				result := shake(t.Context(), ours, testConfig())
				play(r)
				res := <-result
				wantError(t, res.err, ErrTimeout)
				if res.took != 5*time.Second {
					t.Errorf("gave up after %v", res.took)
				}
			})
		})
	}
}

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

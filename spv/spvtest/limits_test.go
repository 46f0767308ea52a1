package spvtest

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

func TestWhatDcrdDropsClientsFor(t *testing.T) {
	chain := testChain(120)
	unknown := func(n int) *wire.MsgGetData {
		m := wire.NewMsgGetData()
		for range n {
			m.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &chainhash.Hash{1}))
		}
		return m
	}
	repeat := func(n int, m wire.Message) []wire.Message {
		all := make([]wire.Message, n)
		for i := range all {
			all[i] = m
		}
		return all
	}
	a, b := chain.Hash(1), chain.Hash(50)
	missing := func(n int, kind wire.InvType) []wire.Message {
		return []wire.Message{&wire.MsgNotFound{InvList: slices.Repeat([]*wire.InvVect{{Type: kind}}, n)}}
	}
	tests := []struct {
		name   string
		pver   int32
		send   []wire.Message
		reason string // "": bears it
		ban    bool
	}{
		{"empty getdata", 11, repeat(1, unknown(0)), "empty getdata", true},
		{"empty inv", 11, repeat(1, wire.NewMsgInv()), "empty inv", true},
		{"getdata of 505 items", 11, repeat(120, unknown(505)), "", false},
		{"getdata of 506 items", 11, repeat(102, unknown(506)), "too many items", true},
		{"getdata of 50000 items", 11, repeat(1, unknown(50000)), "", false},
		{"and of 1100 more", 11, []wire.Message{unknown(50000), unknown(1100)}, "too many items", true},
		{"batch at protocol 10", 10, []wire.Message{wire.NewMsgGetCFsV2(&a, &b)}, "getcfsv2", true},
		{"batch at protocol 11", 11, []wire.Message{wire.NewMsgGetCFsV2(&a, &b)}, "", false},
		{"version twice", 11, []wire.Message{ownVersion(11)}, "second version", false},
		{"unasked block", 11, []wire.Message{chain.Block(3)}, "nobody asked", false},
		{"three mempools", 11, repeat(3, wire.NewMsgMemPool()), "", false},
		{"four mempools", 11, repeat(4, wire.NewMsgMemPool()), "mempool", true},
		//lint:ignore SA1019 what dcrd no longer answers
		{"old filters", 11, []wire.Message{wire.NewMsgGetCFTypes()}, "getcftypes", false},
		{"blocks not found", 11, missing(6, wire.InvTypeBlock), "notfound", true},
		{"transactions not found", 11, missing(11, wire.InvTypeTx), "notfound", true},
		{"some not found", 11, append(missing(5, wire.InvTypeBlock), missing(10, wire.InvTypeMix)...), "", false},
		{"empty headers", 11, []wire.Message{wire.NewMsgHeaders()}, "", false},
		{"getaddr", 11, []wire.Message{wire.NewMsgGetAddr()}, "", false},
		{"unknown command", 11, []wire.Message{&rawMessage{command: "nonsense"}}, "nonsense", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPeer(chain, Behaviour{})
				defer p.Close()
				c := dial(t, p)
				c.handshake(test.pver, false)
				go func() { // the peer may close before all is sent
					for _, m := range test.send {
						if wire.WriteMessage(c.conn, m, 11, c.magic) != nil {
							return
						}
					}
					wire.WriteMessage(c.conn, wire.NewMsgPing(1), c.pver, c.magic)
				}()
				if test.reason == "" {
					c.next(wire.CmdPong)
				} else {
					c.closed()
				}
				v := p.Violations()
				switch {
				case test.reason == "" && len(v) > 0:
					t.Errorf("%+v", v)
				case test.reason != "" && (len(v) != 1 || !strings.Contains(v[0].Reason, test.reason) || v[0].Ban != test.ban):
					t.Errorf("%+v, want %q", v, test.reason)
				}
			})
		})
	}
}

func TestTooManyGetDataAtOnce(t *testing.T) {
	chain := testChain(10)
	for n, dropped := range map[int]bool{900: false, 2000: true} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPeer(chain, Behaviour{})
			defer p.Close()
			c := connect(t, p)
			p.SetBehaviour(Behaviour{Latency: time.Second})
			go func() {
				for range n {
					if wire.WriteMessage(c.conn, getData(wire.InvTypeBlock, chain.Hash(1)), c.pver, c.magic) != nil {
						return
					}
				}
			}()
			if dropped {
				c.closed()
				if v := p.Violations(); len(v) != 1 || v[0].Ban {
					t.Errorf("%+v", v)
				}
				return
			}
			for range n {
				c.next(wire.CmdBlock)
			}
			c.silent()
		})
	}
}

func TestBrokenFrames(t *testing.T) {
	chain := testChain(1)
	bad := dial(t, NewPeer(chain, Behaviour{}))
	bad.magic = wire.MainNet
	bad.write(wire.NewMsgPing(1))
	bad.magic = wire.SimNet
	bad.closed()

	p := NewPeer(chain, Behaviour{})
	early := dial(t, p)
	early.write(wire.NewMsgPing(1))
	early.closed()
	if v := p.Violations(); len(v) != 1 || v[0].Reason != "ping before version" {
		t.Errorf("%+v", v)
	}

	old := dial(t, NewPeer(chain, Behaviour{}))
	old.write(ownVersion(8))
	old.closed()
}

func TestTimeouts(t *testing.T) {
	chain := testChain(1)
	tests := []struct {
		name string
		talk func(c *wireClient)
		want time.Duration
	}{
		{"no handshake", func(c *wireClient) {}, handshakeTimeout},
		{"no initstate", func(c *wireClient) {
			c.write(ownVersion(11))
			c.next(wire.CmdVersion)
			c.write(wire.NewMsgVerAck())
		}, initStateTimeout},
		{"no pong", func(c *wireClient) { c.handshake(11, false) }, idleTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPeer(chain, Behaviour{})
				defer p.Close()
				c := dial(t, p)
				start := time.Now()
				test.talk(c)
				for c.conn.SetReadDeadline(time.Time{}); ; {
					msg, _, err := wire.ReadMessage(c.conn, c.pver, c.magic)
					if err != nil {
						break
					}
					c.skipped[msg.Command()]++
				}
				if got := time.Since(start); got != test.want {
					t.Errorf("closed after %v, want %v", got, test.want)
				}
				if pings := c.skipped[wire.CmdPing]; pings != int(test.want/pingInterval) {
					t.Errorf("%d pings", pings)
				}
			})
		})
	}
}

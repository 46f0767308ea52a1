package spvtest

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// wireClient is a light client of few words: it writes and reads messages.
type wireClient struct {
	t       *testing.T
	conn    *errConn
	pver    uint32
	version *wire.MsgVersion // of the peer
	skipped map[string]int   // commands of messages that next passed over
	magic   wire.CurrencyNet
}

// errConn remembers why reading failed: wire.ReadMessage makes EOF of any error.
type errConn struct {
	net.Conn
	err error
}

func (c *errConn) Read(p []byte) (n int, err error) {
	n, c.err = c.Conn.Read(p)
	return n, c.err
}

// dial connects to a peer through a network of its own.
func dial(t *testing.T, p *Peer) *wireClient {
	t.Helper()
	n := NewNetwork()
	n.Add("10.0.0.1:1", p)
	conn, err := n.Dial(context.Background(), "tcp", "10.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return newWireClient(t, conn)
}

func newWireClient(t *testing.T, conn net.Conn) *wireClient {
	t.Cleanup(func() { conn.Close() })
	return &wireClient{t: t, conn: &errConn{Conn: conn}, pver: 11, magic: wire.SimNet, skipped: make(map[string]int)}
}

// connect dials and shakes hands.
func connect(t *testing.T, p *Peer) *wireClient {
	t.Helper()
	c := dial(t, p)
	c.handshake(11, false)
	return c
}

// handshake says the given version, and waits until the peer has said all that
// it says unasked.
func (c *wireClient) handshake(pver int32, noRelay bool) {
	c.t.Helper()
	v := ownVersion(pver)
	v.DisableRelayTx = noRelay
	c.write(v)
	c.version = c.next(wire.CmdVersion).(*wire.MsgVersion)
	c.pver = uint32(min(pver, c.version.ProtocolVersion))
	c.write(wire.NewMsgVerAck())
	c.next(wire.CmdSendHeaders)
	c.write(wire.NewMsgInitState())
}

// ownVersion is the version message of a client.
func ownVersion(pver int32) *wire.MsgVersion {
	return &wire.MsgVersion{
		ProtocolVersion: pver,
		Timestamp:       time.Unix(time.Now().Unix(), 0),
		UserAgent:       "/test:1/",
	}
}

func (c *wireClient) write(msgs ...wire.Message) {
	c.t.Helper()
	for _, msg := range msgs {
		if err := wire.WriteMessage(c.conn, msg, c.pver, c.magic); err != nil {
			c.t.Fatalf("%s: %v", msg.Command(), err)
		}
	}
}

// read returns the next message. It gives up after ten seconds, which no test
// waits for if all is well.
func (c *wireClient) read() (wire.Message, error) {
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	msg, _, err := wire.ReadMessage(c.conn, c.pver, c.magic)
	if err != nil && c.conn.err != nil {
		err = c.conn.err
	}
	return msg, err
}

// next returns the next message of a command; others are skipped.
func (c *wireClient) next(command string) wire.Message {
	c.t.Helper()
	for {
		msg, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", command, err)
		}
		if msg.Command() == command {
			return msg
		}
		c.skipped[msg.Command()]++
	}
}

// silent checks that the peer has nothing to say: the answer to a ping, which
// comes after all others, is the next message.
func (c *wireClient) silent() {
	c.t.Helper()
	c.write(wire.NewMsgPing(77))
	msg, err := c.read()
	if err != nil {
		c.t.Fatalf("waiting for pong: %v", err)
	}
	if pong, ok := msg.(*wire.MsgPong); !ok || pong.Nonce != 77 {
		c.t.Fatalf("unexpected %s", msg.Command())
	}
}

// closed checks that the peer ends the connection.
func (c *wireClient) closed() {
	c.t.Helper()
	for {
		msg, err := c.read()
		if err == nil {
			c.skipped[msg.Command()]++
			continue
		}
		if !errors.Is(err, io.EOF) {
			c.t.Fatalf("not closed: %v", err)
		}
		return
	}
}

// headers asks for the headers after a locator.
func (c *wireClient) headers(stop chainhash.Hash, locator ...chainhash.Hash) []chain.Header {
	c.t.Helper()
	m := wire.NewMsgGetHeaders()
	m.HashStop = stop
	for i := range locator {
		m.AddBlockLocatorHash(&locator[i])
	}
	c.write(m)
	return c.gotHeaders()
}

// gotHeaders is the next headers message.
func (c *wireClient) gotHeaders() []chain.Header {
	c.t.Helper()
	var headers []chain.Header
	for _, h := range c.next(wire.CmdHeaders).(*wire.MsgHeaders).Headers {
		headers = append(headers, chain.HeaderFromWire(h))
	}
	return headers
}

// batch asks for the filters of a span of blocks.
func (c *wireClient) batch(start, end chainhash.Hash) []wire.MsgCFilterV2 {
	c.t.Helper()
	c.write(wire.NewMsgGetCFsV2(&start, &end))
	return c.next(wire.CmdCFiltersV2).(*wire.MsgCFiltersV2).CFilters
}

// getData makes a getdata message for blocks.
func getData(typ wire.InvType, hashes ...chainhash.Hash) *wire.MsgGetData {
	m := wire.NewMsgGetData()
	for i := range hashes {
		m.AddInvVect(wire.NewInvVect(typ, &hashes[i]))
	}
	return m
}

// block asks for a block.
func (c *wireClient) block(hash chainhash.Hash) *wire.MsgBlock {
	c.t.Helper()
	c.write(getData(wire.InvTypeBlock, hash))
	return c.next(wire.CmdBlock).(*wire.MsgBlock)
}

// testChain is a chain of n blocks.
func testChain(n int) *Chain {
	c := NewChain(nil)
	c.Mine(n)
	return c
}

package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

var simnet = chaincfg.SimNetParams()

// remote is the other end of a connection, which the test plays. It always
// reads, answers pings unless deaf, and never waits for us to read.
type remote struct {
	t    *testing.T
	conn net.Conn
	in   chan wire.Message // all that arrives, but pings that were answered
	out  chan []byte
	deaf atomic.Bool
}

func newRemote(t *testing.T) (ours net.Conn, r *remote) {
	ours, theirs := net.Pipe()
	r = &remote{t: t, conn: theirs, in: make(chan wire.Message, 1000), out: make(chan []byte, 1000)}
	go func() {
		defer close(r.in)
		for {
			msg, _, err := wire.ReadMessage(theirs, wire.ProtocolVersion, simnet.Net)
			if err != nil {
				return
			}
			if ping, ok := msg.(*wire.MsgPing); ok && !r.deaf.Load() {
				r.send(wire.NewMsgPong(ping.Nonce))
				continue
			}
			r.in <- msg
		}
	}()
	closed := make(chan struct{})
	go func() {
		for {
			select {
			case b := <-r.out:
				theirs.Write(b)
			case <-closed:
				return
			}
		}
	}()
	t.Cleanup(func() {
		theirs.Close()
		close(closed)
	})
	return ours, r
}

func (r *remote) send(msgs ...wire.Message) {
	r.t.Helper()
	for _, msg := range msgs {
		r.out <- encode(r.t, msg, simnet.Net)
	}
}

func encode(t testing.TB, msg wire.Message, net wire.CurrencyNet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := wire.WriteMessage(&b, msg, wire.BatchedCFiltersV2Version, net); err != nil {
		t.Fatalf("encoding %s: %v", msg.Command(), err)
	}
	return b.Bytes()
}

// hangUp closes the connection once everything is sent.
func (r *remote) hangUp() {
	synctest.Wait()
	r.conn.Close()
}

// rawMessage is a message with any command and payload.
func rawMessage(command string, payload []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(simnet.Net))
	var cmd [wire.CommandSize]byte
	copy(cmd[:], command)
	b = append(b, cmd[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	sum := chainhash.HashB(payload)
	b = append(b, sum[:4]...)
	return append(b, payload...)
}

// claim is the header of a message that is said to have n bytes.
func claim(command string, n uint32) []byte {
	b := rawMessage(command, nil)
	binary.LittleEndian.PutUint32(b[lengthAt:], n)
	return b
}

// expect waits for the next message, for up to five minutes of the bubble, and
// returns it as what it should be.
func expect[T wire.Message](r *remote) T {
	r.t.Helper()
	var msg wire.Message
	var ok bool
	select {
	case msg, ok = <-r.in:
	case <-time.After(5 * time.Minute):
		r.t.Fatalf("nothing came, expected %T", *new(T))
	}
	if !ok {
		r.t.Fatalf("connection closed, expected %T", *new(T))
	}
	want, ok := msg.(T)
	if !ok {
		r.t.Fatalf("remote got %T, expected %T", msg, *new(T))
	}
	return want
}

// expectNothing proves that no message is on its way.
func (r *remote) expectNothing() {
	r.t.Helper()
	synctest.Wait()
	select {
	case msg, ok := <-r.in:
		if ok {
			r.t.Fatalf("remote got %s, expected nothing", msg.Command())
		}
	default:
	}
}

// remoteVersion is the version message of an honest node.
func remoteVersion() *wire.MsgVersion {
	msg := wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, 1, 2092)
	msg.ProtocolVersion = int32(wire.BatchedCFiltersV2Version)
	msg.Services = wire.SFNodeNetwork
	msg.UserAgent = "/dcrwire:1.0.0/dcrd:2.1.3/"
	msg.Timestamp = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when virtual time begins
	return msg
}

func testConfig() *Config {
	return &Config{Params: simnet, UserAgentName: "dcrspv", UserAgentVersion: "0.1.0"}
}

// shaking runs Handshake in the background.
type shaking struct {
	peer *Peer
	err  error
	took time.Duration
}

func shake(ctx context.Context, conn net.Conn, cfg *Config) <-chan shaking {
	result := make(chan shaking, 1)
	go func() {
		start := time.Now()
		p, err := Handshake(ctx, conn, "192.0.2.1:18555", cfg)
		result <- shaking{p, err, time.Since(start)}
	}()
	return result
}

// connect shakes hands with a remote that says version.
func connect(t *testing.T, version *wire.MsgVersion) (*Peer, *remote) {
	t.Helper()
	ours, r := newRemote(t)
	result := shake(t.Context(), ours, testConfig())
	expect[*wire.MsgVersion](r)
	r.send(version)
	expect[*wire.MsgVerAck](r)
	r.send(wire.NewMsgVerAck())
	res := <-result
	if res.err != nil {
		t.Fatal(res.err)
	}
	return res.peer, r
}

// log is a Handler that notes everything.
type log struct {
	headers [][]chain.Header
	inv     []*wire.InvVect
	getData []*wire.InvVect
	addrs   []string
	txs     []*wire.MsgTx
	missing []chainhash.Hash
	passed  []wire.Message
	empty   int           // calls with nothing in them, of those that are never empty
	hold    chan struct{} // Inv waits for it to be closed, if not nil
}

func (l *log) Headers(h []chain.Header) { l.headers = append(l.headers, h) }
func (l *log) Tx(tx *wire.MsgTx)        { l.txs = append(l.txs, tx) }
func (l *log) Message(msg wire.Message) { l.passed = append(l.passed, msg) }
func (l *log) GetData(inv []*wire.InvVect) {
	l.getData = append(l.getData, inv...)
	l.neverEmpty(len(inv))
}
func (l *log) Addrs(addrs []string) {
	l.addrs = append(l.addrs, addrs...)
	l.neverEmpty(len(addrs))
}
func (l *log) NotFound(h []chainhash.Hash) {
	l.missing = append(l.missing, h...)
	l.neverEmpty(len(h))
}
func (l *log) Inv(inv []*wire.InvVect) {
	l.inv = append(l.inv, inv...)
	l.neverEmpty(len(inv))
	if l.hold != nil {
		<-l.hold
	}
}

func (l *log) neverEmpty(n int) {
	if n == 0 {
		l.empty++
	}
}

// conversation runs a test in a bubble with a connected, running peer. The
// bubble fails the test when any goroutine is left.
func conversation(t *testing.T, version *wire.MsgVersion, f func(t *testing.T, p *Peer, r *remote, l *log)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, r := connect(t, version)
		l := new(log)
		ended := make(chan error, 1)
		go func() { ended <- p.Run(t.Context(), l) }()
		f(t, p, r, l)
		p.Close(nil)
		<-ended
	})
}

// call runs a request in the background.
func call[T any](f func() (T, error)) <-chan answer[T] {
	result := make(chan answer[T], 1)
	go func() {
		start := time.Now()
		v, err := f()
		result <- answer[T]{v, err, time.Since(start)}
	}()
	return result
}

type answer[T any] struct {
	v    T
	err  error
	took time.Duration
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// makeHeaders returns n linked headers above a block.
func makeHeaders(prev chainhash.Hash, height uint32, n int) []chain.Header {
	headers := make([]chain.Header, n)
	for i := range headers {
		w := wire.BlockHeader{PrevBlock: prev, Height: height + uint32(i) + 1, Timestamp: time.Unix(0, 0)}
		headers[i] = chain.HeaderFromWire(&w)
		prev = headers[i].Hash()
	}
	return headers
}

func headersMsg(headers []chain.Header) *wire.MsgHeaders {
	msg := new(wire.MsgHeaders)
	for i := range headers {
		w := headers[i].Wire()
		msg.Headers = append(msg.Headers, &w)
	}
	return msg
}

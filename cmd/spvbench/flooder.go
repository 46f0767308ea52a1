package main

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"dcrspv/spv/spvtest"

	"github.com/decred/dcrd/wire"
)

// flooder is a peer that floods whoever connects to it.
type flooder struct {
	peer     *spvtest.Peer
	chain    *spvtest.Chain
	listener net.Listener
	pays     []byte // script of the wallet

	mu       sync.Mutex
	kind     floodKind
	messages [][]byte
	conns    int // made since the kind was set
	began    map[*floodConn]time.Time
	longest  time.Duration // of those that have ended
}

// listen lets clients in.
func (f *flooder) listen(addr string) (_ net.Addr, err error) {
	f.listener, err = net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := f.listener.Accept()
			if err != nil {
				return
			}
			f.peer.Serve(&floodConn{Conn: conn, f: f, over: make(chan struct{})})
		}
	}()
	return f.listener.Addr(), nil
}

// set makes the flood another one from the next connection on.
func (f *flooder) set(kind floodKind) {
	var messages [][]byte
	for _, msg := range kind.messages(f) {
		messages = append(messages, f.encode(msg))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kind, f.messages, f.conns, f.longest = kind, messages, 0, 0
	f.began = make(map[*floodConn]time.Time)
}

// encode makes the bytes of a message, which can't fail for those of our kinds.
func (f *flooder) encode(msg wire.Message) []byte {
	var buf bytes.Buffer
	if err := wire.WriteMessage(&buf, msg, wire.BatchedCFiltersV2Version, f.chain.Params().Net); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// told returns how many connections there were, and how long one lasted at most.
func (f *flooder) told() (conns int, longest time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	longest = f.longest
	for _, began := range f.began {
		longest = max(longest, time.Since(began))
	}
	return f.conns, longest
}

// begin and end note a connection. begin tells what is to be sent over it.
func (f *flooder) begin(c *floodConn) (floodKind, [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns++
	f.began[c] = time.Now()
	return f.kind, f.messages
}

func (f *flooder) end(c *floodConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if began, ok := f.began[c]; ok { // else it was of another kind
		f.longest = max(f.longest, time.Since(began))
		delete(f.began, c)
	}
}

// floodConn is a connection on which the flood begins once the peer has said all
// that belongs to its handshake. Each message is one Write, so that they are never
// mixed.
type floodConn struct {
	net.Conn
	f    *flooder
	deaf atomic.Bool
	over chan struct{} // closed when the flood has ended
}

// commandAt is where the command is in a message, behind the network's number.
const commandAt = 4

func (c *floodConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil && bytes.HasPrefix(b[min(commandAt, len(b)):], []byte(wire.CmdSendHeaders)) {
		go c.flood()
	}
	return n, err
}

func (c *floodConn) Read(b []byte) (int, error) {
	if c.deaf.Load() {
		<-c.over
	}
	return c.Conn.Read(b)
}

// flood writes until the client hangs up. One that has said all it had to say
// looks now and then whether it has.
func (c *floodConn) flood() {
	defer close(c.over)
	kind, messages := c.f.begin(c)
	defer c.f.end(c)
	c.deaf.Store(kind.deaf)
	began := time.Now()
	for n := 0; ; n++ {
		message := messages[n%len(messages)]
		if kind.most > 0 && n >= kind.most {
			message = c.f.encode(wire.NewMsgPing(1))
			time.Sleep(time.Second)
		}
		if _, err := c.Conn.Write(message); err != nil {
			return
		}
		if kind.second > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / time.Duration(kind.second))))
		}
	}
}

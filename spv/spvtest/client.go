package spvtest

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/decred/dcrd/wire"
)

// Times after which dcrd gives up on a client, and how often it pings.
const (
	handshakeTimeout = 30 * time.Second
	initStateTimeout = 45 * time.Second // 30 s, looked at every 15 s
	idleTimeout      = 120 * time.Second
	pingInterval     = 107 * time.Second
)

// answerQueue is how many answers may wait to be sent before the peer stops
// reading from a client.
const answerQueue = 4096

// Client is a connection as the peer sees it.
//
// One goroutine reads messages and counts them; what they ask for is queued, and
// a second goroutine answers in order. So the answer shows the chain as it is
// when it is sent.
type Client struct {
	peer  *Peer
	id    int
	conn  net.Conn
	jobs  chan job
	once  sync.Once
	done  chan struct{} // closed by Close
	idle  chan struct{} // closed when the writing goroutine has ended
	ended chan struct{} // closed when both have

	pver        atomic.Uint32
	ready       atomic.Bool // the handshake is complete
	sendHeaders atomic.Bool // wants headers in place of inv
	relay       atomic.Bool // wants to hear of transactions
	getdata     atomic.Int32

	through time.Time // when what was sent is through at the bandwidth: of the writing goroutine

	// Of the reading goroutine.
	messages  int
	greeted   bool // its version message was seen
	initState *time.Timer
	limits    limits
}

// job is something to send, not before due.
type job struct {
	due time.Time
	run func()
}

func newClient(p *Peer, id int, conn net.Conn) *Client {
	c := &Client{
		peer:  p,
		id:    id,
		conn:  conn,
		jobs:  make(chan job, answerQueue),
		done:  make(chan struct{}),
		idle:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	c.pver.Store(wire.BatchedCFiltersV2Version)
	return c
}

// ID is the number of the connection: 1 for the first that the peer had.
func (c *Client) ID() int { return c.id }

// Addr is the client's address.
func (c *Client) Addr() net.Addr { return c.conn.RemoteAddr() }

// WantsHeaders reports whether the client has sent sendheaders.
func (c *Client) WantsHeaders() bool { return c.sendHeaders.Load() }

// Close ends the connection.
func (c *Client) Close() {
	c.once.Do(func() {
		close(c.done)
		c.conn.Close()
	})
}

// Send queues messages for the client, behind all answers that wait already.
// If the queue is full the client is too slow, and the connection is closed.
func (c *Client) Send(msgs ...wire.Message) {
	c.offer(func() {
		for _, msg := range msgs {
			c.transmit(msg)
		}
	})
}

// start runs the connection.
func (c *Client) start() {
	go c.write()
	go func() {
		c.read()
		c.Close()
		<-c.idle
		c.peer.remove(c)
		close(c.ended)
	}()
}

// read takes messages until the connection ends.
func (c *Client) read() {
	if !c.peer.Behaviour().SilentHandshake {
		c.conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	}
	defer func() {
		if c.initState != nil {
			c.initState.Stop()
		}
	}()
	for {
		n, msg, _, err := wire.ReadMessageN(c.conn, c.pver.Load(), c.net())
		if err != nil {
			var bad *wire.MessageError
			if errors.As(err, &bad) {
				c.violate(bad.Error(), true)
			}
			return
		}
		c.peer.received(c.id, msg, n)
		if !c.handle(msg) {
			return
		}
		if c.ready.Load() {
			c.conn.SetReadDeadline(time.Now().Add(idleTimeout))
		}
	}
}

// write sends what is queued until the connection ends.
func (c *Client) write() {
	defer close(c.idle)
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	for {
		select {
		case j := <-c.jobs:
			if !c.pause(time.Until(j.due)) {
				return
			}
			j.run()
		case <-ping.C:
			if c.ready.Load() {
				c.transmit(wire.NewMsgPing(uint64(time.Now().UnixNano())))
			}
		case <-c.done:
			return
		}
	}
}

// answer queues what answers a request. It waits for room: that is how a client
// that asks without reading is slowed down.
func (c *Client) answer(run func()) {
	select {
	case c.jobs <- c.job(run):
	case <-c.done:
	}
}

// offer queues what nobody asked for.
func (c *Client) offer(run func()) {
	select {
	case c.jobs <- c.job(run):
	default:
		c.Close()
	}
}

func (c *Client) job(run func()) job {
	return job{time.Now().Add(c.peer.Behaviour().Latency), run}
}

// pause waits, and reports whether the connection still stands.
func (c *Client) pause(d time.Duration) bool {
	if d <= 0 {
		select {
		case <-c.done:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}

// transmit sends a message. Only jobs call it.
func (c *Client) transmit(msg wire.Message) {
	magic := c.net()
	if m := c.peer.Behaviour().Magic; m != 0 {
		magic = m
	}
	var buf bytes.Buffer
	if err := wire.WriteMessage(&buf, msg, c.pver.Load(), magic); err != nil {
		c.Close()
		return
	}
	c.transmitBytes(buf.Bytes())
}

// transmitBytes sends bytes no faster than the bandwidth.
func (c *Client) transmitBytes(data []byte) {
	const chunk = 4 << 10
	for len(data) > 0 {
		part := data
		if rate := c.peer.Behaviour().Bandwidth; rate > 0 {
			part = data[:min(chunk, len(data))]
			if !c.pace(time.Duration(len(part)) * time.Second / time.Duration(rate)) {
				return
			}
		}
		n, err := c.conn.Write(part)
		c.peer.sent(n)
		if err != nil {
			c.Close()
			return
		}
		data = data[n:]
	}
}

// pace waits until the line is through with what was sent before and with what
// takes it d. Real timers fire late: what that loses, up to slack, the next wait
// is shorter by. It reports whether the connection still stands.
func (c *Client) pace(d time.Duration) bool {
	const slack = 20 * time.Millisecond
	if now := time.Now(); now.Sub(c.through) > slack {
		c.through = now
	}
	c.through = c.through.Add(d)
	return c.pause(time.Until(c.through))
}

// net is the network magic.
func (c *Client) net() wire.CurrencyNet { return c.peer.serving().Params().Net }

// violate records what dcrd drops or bans a client for.
func (c *Client) violate(reason string, ban bool) {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	c.peer.counts.violations = append(c.peer.counts.violations,
		Violation{time.Now(), c.id, reason, ban})
}

package peer

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/decred/dcrd/wire"
)

// Stats are the counters of a connection. Bytes include message headers.
type Stats struct {
	BytesIn, BytesOut int64

	Incoming int64 // bytes of an answer that is not complete yet

	// Requests sent: messages of each command, and items in getdata.
	GetHeaders, GetCFsV2, GetCFilterV2, Blocks, Txs int64

	// Unsolicited counts filters, blocks and transactions that were never
	// asked for.
	Unsolicited int64

	Latency     time.Duration // of the last ping; 0 before the first answer
	LastMessage time.Time     // when the last message was complete
	Moved       time.Time     // when a byte of an answer last came
}

// meter counts the bytes of a connection and notes when some arrived.
type meter struct {
	net.Conn
	began   time.Time
	in, out atomic.Int64
	heard   atomic.Int64 // nanoseconds after began of the last successful read
}

func newMeter(conn net.Conn) *meter { return &meter{Conn: conn, began: time.Now()} }

// heardAt is when the last bytes came, by the steady clock.
func (m *meter) heardAt() time.Time { return m.began.Add(time.Duration(m.heard.Load())) }

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if n > 0 {
		m.in.Add(int64(n))
		m.heard.Store(int64(time.Since(m.began)))
	}
	return n, err
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.Conn.Write(b)
	m.out.Add(int64(n))
	return n, err
}

// counters are the numbers behind Stats that the meter does not count.
type counters struct {
	getHeaders, getCFsV2, getCFilterV2, blocks, txs atomic.Int64
	unsolicited                                     atomic.Int64
	latency                                         atomic.Int64 // nanoseconds
	lastMessage                                     atomic.Int64 // unix nanoseconds
}

// sent counts a message that is about to be written.
func (c *counters) sent(msg wire.Message) {
	switch msg := msg.(type) {
	case *wire.MsgGetHeaders:
		c.getHeaders.Add(1)
	case *wire.MsgGetCFsV2:
		c.getCFsV2.Add(1)
	case *wire.MsgGetCFilterV2:
		c.getCFilterV2.Add(1)
	case *wire.MsgGetData:
		// No message asks for both.
		switch msg.InvList[0].Type {
		case wire.InvTypeTx:
			c.txs.Add(int64(len(msg.InvList)))
		case wire.InvTypeBlock:
			c.blocks.Add(int64(len(msg.InvList)))
		}
	}
}

// skipped counts a message that was skipped because no request expected it.
func (c *counters) skipped(msg wire.Message) {
	switch msg.(type) {
	case *wire.MsgCFiltersV2, *wire.MsgCFilterV2, *wire.MsgBlock, *wire.MsgTx:
		c.unsolicited.Add(1)
	}
}

// Stats returns the counters as they are now.
func (p *Peer) Stats() Stats {
	s := Stats{
		BytesIn:      p.conn.in.Load(),
		BytesOut:     p.conn.out.Load(),
		Incoming:     p.incoming.received(p.conn.in.Load()),
		GetHeaders:   p.count.getHeaders.Load(),
		GetCFsV2:     p.count.getCFsV2.Load(),
		GetCFilterV2: p.count.getCFilterV2.Load(),
		Blocks:       p.count.blocks.Load(),
		Txs:          p.count.txs.Load(),
		Unsolicited:  p.count.unsolicited.Load(),
		Latency:      time.Duration(p.count.latency.Load()),
		Moved:        p.incoming.moved(p.conn.heardAt()),
	}
	if ns := p.count.lastMessage.Load(); ns != 0 {
		s.LastMessage = time.Unix(0, ns)
	}
	return s
}

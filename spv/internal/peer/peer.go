package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/container/lru"
	"github.com/decred/dcrd/wire"
	"github.com/decred/slog"
)

const (
	stallLimit   = 30 * time.Second // for a request without progress
	pingInterval = 60 * time.Second // dcrd gives up after 120 s of silence
	pingLimit    = 15 * time.Second
	maxBacklog   = 16 // messages before the remote's verack that are kept for the Handler
)

// Peer is a connection whose handshake is done. All methods may be called from
// any goroutine, except that Run is called once.
type Peer struct {
	cfg  *Config
	log  slog.Logger
	conn *meter
	in   *bufio.Reader
	info Info          // fixed by the handshake
	met  time.Time     // when the remote has told what time it is; likewise
	pver atomic.Uint32 // fixed by the handshake, which the writer sees half of

	queue   chan wire.Message // what Send and Serve have accepted
	queued  atomic.Int64      // bytes in the queue and of what is being written of it
	asks    chan question     // requests, handed to the writer one by one
	done    chan struct{}     // closed by Close
	written chan struct{}     // closed when the writer has ended

	mu     sync.Mutex
	reason error // of Close; nil while open

	waiting pending

	incoming incoming
	hold     hold
	count    counters

	allowance allowance

	running atomic.Bool
	handler Handler         // nil during the handshake; the reader's
	backlog []func(Handler) // messages before verack; the reader's
	payload []byte          // memory for the next one; the reader's

	announced chainhash.Hash // the last header that nobody had asked for; the reader's

	addrs    atomic.Int64 // addresses that are still welcome
	getaddrs sync.Once

	asked func() *lru.Set[chainhash.Hash] // transactions
}

// newPeer makes a Peer of a fresh connection and starts its writer.
func newPeer(conn net.Conn, addr string, cfg *Config) *Peer {
	p := &Peer{
		cfg:     cfg,
		log:     cfg.Log,
		conn:    newMeter(conn),
		info:    Info{Addr: addr},
		queue:   make(chan wire.Message, maxQueued),
		asks:    make(chan question),
		done:    make(chan struct{}),
		written: make(chan struct{}),
		waiting: newPending(),
		asked:   newAsked(),
	}
	if p.log == nil {
		p.log = slog.Disabled
	}
	p.in = bufio.NewReader(p.conn)
	p.pver.Store(cfg.maxPVer())
	go p.writeLoop()
	return p
}

// Info returns what the remote told in the handshake.
func (p *Peer) Info() Info { return p.info }

// Addr returns the address given to Handshake.
func (p *Peer) Addr() string { return p.info.Addr }

// Run reads from the connection until it ends, and returns why: the reason
// given to Close, the end of ctx, or an error of this package. When it returns
// the connection is closed, all requests have their end and no goroutine is
// left. It can be called once.
func (p *Peer) Run(ctx context.Context, h Handler) error {
	if p.running.Swap(true) {
		return fmt.Errorf("%w: Run was called before", ErrRequest)
	}
	stop := context.AfterFunc(ctx, func() { p.Close(context.Cause(ctx)) })
	defer stop()
	p.cfg.Line.join(p.conn)
	defer p.cfg.Line.leave(p.conn)
	pinged := make(chan struct{})
	go func() {
		defer close(pinged)
		p.pingLoop()
	}()
	p.Close(p.readLoop(h))
	<-pinged
	<-p.written
	p.log.Debugf("%s: connection over: %v", p.Addr(), p.reason)
	return p.reason
}

// readLoop hands the messages of the handshake and then all others to where
// they belong, until an error.
func (p *Peer) readLoop(h Handler) error {
	p.handler = h
	for _, f := range p.backlog {
		p.hand(f)
	}
	p.backlog = nil
	for {
		msg, err := p.read()
		if err != nil {
			return err
		}
		if err := p.dispatch(msg); err != nil {
			return err
		}
	}
}

// Close ends the connection for a reason, which Run returns; nil is ErrClosed.
// Only the first call counts. It does not wait for Run.
func (p *Peer) Close(reason error) {
	if reason == nil {
		reason = ErrClosed
	}
	p.mu.Lock()
	first := p.reason == nil
	if first {
		p.reason = reason
		close(p.done)
	}
	p.mu.Unlock()
	if first {
		p.conn.Close() // what it says is of no use: we are done with it
	}
}

// closedError is the error of a request on a closed connection.
func (p *Peer) closedError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(p.reason, ErrClosed) {
		return p.reason
	}
	return fmt.Errorf("%w: %s", ErrClosed, p.reason.Error())
}

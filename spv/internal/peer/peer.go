package peer

import (
	"bufio"
	"context"
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
)

// Peer is a connection whose handshake is done. All methods may be called from
// any goroutine, except that Run is called once.
type Peer struct {
	cfg    *Config
	log    slog.Logger
	conn   *meter
	in     *bufio.Reader
	remote identity
	pver   atomic.Uint32 // fixed by the handshake, while the writer runs already

	queue   chan wire.Message // accepted by send
	queued  atomic.Int64      // bytes in the queue, and of the message that is being written
	asks    chan question     // requests, handed to the writer one by one
	written chan struct{}     // closed when the writer has ended
	end     ending

	waiting     pending
	incoming    incoming
	handlerTime handlerTime
	count       counters
	allowance   allowance

	running   atomic.Bool
	callbacks callbacks
	payload   payloadBuffer // the reader's
	announced lastAnnounced

	addrs    atomic.Int64 // addresses that are still welcome
	getaddrs sync.Once

	initState sync.Once // getinitstate

	txs func() *lru.Set[chainhash.Hash] // requested transactions and mixing messages
}

// newPeer makes a Peer of a fresh connection and starts its writer.
func newPeer(conn net.Conn, addr string, cfg *Config) *Peer {
	p := &Peer{
		cfg:     cfg,
		log:     cfg.Log,
		conn:    newMeter(conn),
		remote:  identity{info: Info{Addr: addr}},
		queue:   make(chan wire.Message, maxQueued),
		asks:    make(chan question),
		written: make(chan struct{}),
		end:     ending{done: make(chan struct{})},
		waiting: newPending(),
		txs:     newTxSet(),
	}
	p.callbacks = callbacks{time: &p.handlerTime}
	if p.log == nil {
		p.log = slog.Disabled
	}
	p.in = bufio.NewReader(p.conn)
	p.pver.Store(cfg.maxPVer())
	go p.writeLoop()
	return p
}

// Info returns what the remote told in the handshake.
func (p *Peer) Info() Info { return p.remote.info }

// Addr returns the address given to Handshake.
func (p *Peer) Addr() string { return p.remote.info.Addr }

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
	p.log.Debugf("%s: connection over: %v", p.Addr(), p.end.why())
	return p.end.why()
}

// readLoop hands over the messages of the handshake and then all others, until an
// error.
func (p *Peer) readLoop(h Handler) error {
	p.callbacks.start(h)
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

package spvtest

import (
	"net"
	"slices"
	"sync"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// Peer is a node that serves a chain to any number of clients.
//
// Its methods may be called from any goroutine, and none waits for the network.
type Peer struct {
	mu        sync.Mutex // never held while anything blocks
	behaviour Behaviour
	view      view
	past      []view // what it served before
	endless   *Chain // what HeadersEndless adds to view
	clients   map[*Client]struct{}
	total     int // connections ever
	closed    bool
	listeners []net.Listener
	txs       map[chainhash.Hash]*wire.MsgTx
	taken     []*wire.MsgTx // in the order received
	counts    counts

	mixes      map[chainhash.Hash]wire.Message
	takenMixes []wire.Message // in the order received

	growing sync.Mutex // held while endless is mined
}

// NewPeer makes a peer that serves the chain as it is now.
func NewPeer(c *Chain, b Behaviour) *Peer {
	return &Peer{
		behaviour: b,
		view:      viewOf(c),
		clients:   make(map[*Client]struct{}),
		txs:       make(map[chainhash.Hash]*wire.MsgTx),
		mixes:     make(map[chainhash.Hash]wire.Message),
		counts:    newCounts(),
	}
}

// SetBehaviour changes the behaviour from the next message on. Blocks that it no
// longer holds back (Lag) are served, but not announced.
func (p *Peer) SetBehaviour(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behaviour = b
}

// Behaviour returns the present behaviour.
func (p *Peer) Behaviour() Behaviour {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behaviour
}

// Refuse makes the peer refuse new connections, or accept them again.
func (p *Peer) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behaviour.RefuseConnections = refuse
}

// Height is that of the last block that the peer has.
func (p *Peer) Height() uint32 { return p.serving().height }

// serving is the part of the chain that the peer has.
func (p *Peer) serving() view {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.behind(p.behaviour.Lag)
}

// Serve starts to serve a client on conn and returns at once. It owns conn.
func (p *Peer) Serve(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		return
	}
	p.total++
	c := newClient(p, p.total, conn)
	p.clients[c] = struct{}{}
	c.start()
}

// Clients returns the connected clients, the oldest first.
func (p *Peer) Clients() []*Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connected()
}

// connected is Clients with mu held.
func (p *Peer) connected() []*Client {
	all := make([]*Client, 0, len(p.clients))
	for c := range p.clients {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Client) int { return a.id - b.id })
	return all
}

// Connections returns how many connections were ever made to the peer.
func (p *Peer) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// Disconnect closes the connections to all clients. New ones are welcome.
func (p *Peer) Disconnect() {
	for _, c := range p.Clients() {
		c.Close()
	}
}

// Close ends the peer: its listeners, its connections and, before it returns,
// its goroutines. Closing again does nothing.
func (p *Peer) Close() {
	p.mu.Lock()
	p.closed = true
	clients, listeners := p.connected(), p.listeners
	p.listeners = nil
	p.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range clients {
		c.Close()
		<-c.ended
	}
}

// remove forgets a client whose connection has ended.
func (p *Peer) remove(c *Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.clients, c)
}

// ListenTCP serves clients on a TCP address such as "127.0.0.1:0" and returns the
// actual one. The listener is closed with the peer.
func (p *Peer) ListenTCP(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		l.Close()
		return nil, net.ErrClosed
	}
	p.listeners = append(p.listeners, l)
	p.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if p.Behaviour().RefuseConnections {
				conn.Close()
				continue
			}
			p.Serve(conn)
		}
	}()
	return l.Addr(), nil
}

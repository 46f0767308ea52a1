package spvtest

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Network gives peers addresses at which they can be dialed in memory.
type Network struct {
	mu    sync.Mutex
	peers map[string]*Peer
	order []string
	dials map[string]int
	ports uint16
}

// NewNetwork makes a network without peers.
func NewNetwork() *Network {
	return &Network{peers: make(map[string]*Peer), dials: make(map[string]int)}
}

// Add makes a peer reachable at an address, host:port, in place of another that
// was there.
func (n *Network) Add(addr string, p *Peer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.peers[addr] == nil {
		n.order = append(n.order, addr)
	}
	n.peers[addr] = p
}

// Peer returns the peer at an address, or nil.
func (n *Network) Peer(addr string) *Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peers[addr]
}

// Peers returns all peers, in the order in which their addresses were added.
func (n *Network) Peers() []*Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]*Peer, len(n.order))
	for i, addr := range n.order {
		all[i] = n.peers[addr]
	}
	return all
}

// SetChain makes all peers serve a chain as it is now: see [Peer.SetChain].
func (n *Network) SetChain(c *Chain) {
	for _, p := range n.Peers() {
		p.SetChain(c)
	}
}

// Dials returns how often an address was dialed, with or without success.
func (n *Network) Dials(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[addr]
}

// Count sums up the messages of a command that all peers have received.
func (n *Network) Count(command string) int {
	sum := 0
	for _, p := range n.Peers() {
		sum += p.Count(command)
	}
	return sum
}

// FilterRequests sums up how often the filter of a height was asked for.
func (n *Network) FilterRequests(height uint32) int {
	sum := 0
	for _, p := range n.Peers() {
		sum += p.FilterRequests(height)
	}
	return sum
}

// Violations returns those of all peers.
func (n *Network) Violations() []Violation {
	var all []Violation
	for _, p := range n.Peers() {
		all = append(all, p.Violations()...)
	}
	return all
}

// Dial connects to a peer. It stands in for net.Dialer.DialContext, and refuses
// connections to unknown addresses as a host without such a server does.
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	p := n.peers[addr]
	n.dials[addr]++
	n.ports++
	port := 20000 + int(n.ports)%40000
	n.mu.Unlock()

	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: address(addr), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	if p == nil {
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	b := p.Behaviour()
	if b.BlackHole {
		<-ctx.Done()
		return fail(ctx.Err())
	}
	if b.DialLatency > 0 {
		timer := time.NewTimer(b.DialLatency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fail(ctx.Err())
		}
	}
	if p.Behaviour().RefuseConnections {
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	near, far := newPipe(local, address(addr))
	p.Serve(far)
	return near, nil
}

// Close closes all peers, and returns when their goroutines have ended.
func (n *Network) Close() {
	for _, p := range n.Peers() {
		p.Close()
	}
}

// address is the address of a peer.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

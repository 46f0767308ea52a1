package addrbook

import (
	"net/netip"
	"sync"
	"time"

	"github.com/decred/dcrd/addrmgr/v3"
	"github.com/decred/dcrd/wire"
)

const (
	// maxAdd is how many addresses are taken at once: as many as an addr
	// message may have.
	maxAdd = wire.MaxAddrPerMsg

	// A pick makes this many draws. In the first ones it leaves out addresses
	// that were attempted lately.
	maxDraws    = 100
	patient     = 30
	restAttempt = 10 * time.Minute
)

// Pause is how long Next finds nothing again after it has found nothing, unless
// addresses are added: 100 draws from a small book take 15 ms.
const Pause = 5 * time.Second

// Book is an address book. Its methods may be called from any goroutine.
type Book struct {
	manager *addrmgr.AddrManager

	mu         sync.Mutex
	pauseUntil time.Time
}

// Close saves the book and ends its goroutine. Closing again does nothing.
func (b *Book) Close() error { return b.manager.Stop() }

// Add notes addresses of nodes (IP:port) that source told of: the host:port or
// IP of a peer, or the name of a seeder. All names count as one source. Of more
// than 1000 addresses the rest is dropped, and so is what is no public IP
// address with a port.
func (b *Book) Add(addrs []string, source string) {
	nodes := make([]*addrmgr.NetAddress, 0, min(len(addrs), maxAdd))
	for _, addr := range addrs[:min(len(addrs), maxAdd)] {
		if node := parse(addr); node != nil {
			nodes = append(nodes, node)
		}
	}
	b.manager.AddAddresses(nodes, parseSource(source))
	b.pause(time.Time{})
}

// Next picks an address to connect to, or none if the book has none that skip
// lets through. An address that was attempted less than 10 minutes before now
// is picked only when nothing else turns up. After it has found nothing it does
// not look again for a Pause.
func (b *Book) Next(skip func(addr string) bool, now time.Time) (addr string, ok bool) {
	if b.paused(now) {
		return "", false
	}
	for draw := range maxDraws {
		known := b.manager.GetAddress()
		if known == nil {
			return "", false // which took no time
		}
		if draw < patient && now.Sub(known.LastAttempt()) < restAttempt {
			continue
		}
		if addr := known.NetAddress().Key(); !skip(addr) {
			return addr, true
		}
	}
	b.pause(now.Add(Pause))
	return "", false
}

func (b *Book) paused(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.pauseUntil)
}

func (b *Book) pause(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pauseUntil = until
}

// Attempt notes that a connection to addr is being tried. An address that is
// not in the book is ignored, here and in Good.
func (b *Book) Attempt(addr string) {
	if node := parse(addr); node != nil {
		_ = b.manager.Attempt(node) // only an unknown address is an error
	}
}

// Good notes that addr is a node of use: it is kept longer and picked more
// often. It should be called once the handshake is done and the node is known
// not to lag behind.
func (b *Book) Good(addr string) {
	if node := parse(addr); node != nil {
		_ = b.manager.Good(node) // only an unknown address is an error
	}
}

// Needs tells whether more addresses are welcome: there are less than 1000.
func (b *Book) Needs() bool { return b.manager.NeedMoreAddresses() }

// parse returns nil if addr is no IP:port.
func parse(addr string) *addrmgr.NetAddress {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || ap.Port() == 0 || ap.Addr().Zone() != "" {
		return nil
	}
	return address(ap.Addr(), ap.Port())
}

// parseSource returns who told of an address. Names are all 0.0.0.0, which
// addrmgr takes for a group of its own.
func parseSource(source string) *addrmgr.NetAddress {
	if node := parse(source); node != nil {
		return node
	}
	ip, err := netip.ParseAddr(source)
	if err != nil {
		ip = netip.IPv4Unspecified()
	}
	return address(ip.WithZone(""), 0)
}

func address(ip netip.Addr, port uint16) *addrmgr.NetAddress {
	return addrmgr.NewNetAddressFromIPPort(ip.Unmap().AsSlice(), port, wire.SFNodeNetwork)
}

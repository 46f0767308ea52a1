package spv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"dcrspv/spv/internal/addrbook"
	"dcrspv/spv/internal/registry"
)

// network is the side towards peers: dialing, and what is counted.
type network struct {
	sourceConfig SourceConfig
	tip          atomic.Uint32 // our height, for handshakes on other goroutines
	reach        atomic.Uint32 // likewise, what peers are measured by

	discover  bool                          // peers are found, not given
	dials     map[string]context.CancelFunc // by address; each calls one off
	firstPeer time.Time                     // when the first peer of this gathering connected
	ownLimit  time.Time                     // nobody is dialed before: this computer can't

	book *addrbook.Book // addresses heard of; nil until discover
	seed seeding

	gone SourceStats // sums of closed connections
}

const (
	dialTimeout = 10 * time.Second

	// When peers are discovered, this many are heard, or this time is given,
	// before the initial sync may end: the first peer may know a short chain.
	gatherPeers = 3
	gatherTime  = 10 * time.Second

	// ownLimitPause is how long nobody is dialed after this computer could not open a
	// connection.
	ownLimitPause = 5 * time.Second

	// maxDrawn is how many addresses are drawn from the book at a time to find
	// one that the registry wants dialed.
	maxDrawn = 20
)

func newNetwork(e *engine) *network {
	n := &network{dials: make(map[string]context.CancelFunc)}
	n.choose(e)
	n.measure(e.chain.Tip().Height, 0)
	n.sourceConfig = SourceConfig{
		Params:           e.cfg.Params,
		UserAgentName:    e.cfg.UserAgentName,
		UserAgentVersion: e.cfg.UserAgentVersion,
		MaxPVer:          e.cfg.MaxProtocol,
		Relay:            e.relay.wanted,
		Height:           n.tip.Load,
		Accept:           func(info SourceInfo) error { return lagError(info.Height, n.reach.Load()) },
		Log:              e.logs.peer,
	}
	return n
}

// choose turns to the peers that are chosen now. Dials of others are called off: they would
// keep slots from those.
func (n *network) choose(e *engine) {
	for addr, callOff := range n.dials {
		if !slices.Contains(e.chosen.addrs, addr) {
			callOff()
		}
	}
	n.discover = len(e.chosen.addrs) == 0
	if n.discover && n.book == nil {
		n.book = addrbook.Open(e.cfg.DataDir, e.logs.registry)
	}
}

// dialing notes that an address is dialed, until the context ends, and dialed that this is
// over.
func (n *network) dialing(ctx context.Context, addr string) context.Context {
	ctx, n.dials[addr] = context.WithCancel(ctx)
	return ctx
}
func (n *network) dialed(addr string) {
	n.dials[addr]()
	delete(n.dials, addr)
}

// measure sets what handshakes tell and ask for: our height, and the height that peers are
// measured by.
func (n *network) measure(tip, reach uint32) {
	n.tip.Store(tip)
	n.reach.Store(reach)
}

// close writes the address book.
func (n *network) close() error {
	if n.book == nil {
		return nil
	}
	return n.book.Close()
}

// closed counts what was exchanged over a connection that is over.
func (n *network) closed(stats SourceStats) { n.gone = n.gone.plus(stats) }

// cannot notes that this computer could not open a connection.
func (n *network) cannot(now time.Time) { n.ownLimit = now.Add(ownLimitPause) }

// joined notes that there is a peer, the first one or one more.
func (n *network) joined(first bool, now time.Time) {
	if first {
		n.firstPeer = now
	}
}

// gathering reports whether peers are still being asked in for the first time:
// every configured address gets one chance, and of discovered ones there must
// be a few.
func (n *network) gathering(e *engine) bool {
	if e.following.on {
		return false // they were heard
	}
	if !n.discover {
		return !e.registry.FirstRound()
	}
	return len(e.sessions) < min(gatherPeers, e.cfg.MaxPeers) && e.now.Sub(n.firstPeer) < gatherTime
}

// isOwnLimit reports whether a connection could not be opened for want of something on
// this computer: file descriptors above all, or memory.
func isOwnLimit(err error) bool {
	for _, limit := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, limit) {
			return true
		}
	}
	return false
}

func lagError(height, tip uint32) error {
	if uint64(height)+registry.MaxLag >= uint64(tip) {
		return nil
	}
	return fmt.Errorf("%w: at block %d, %d behind", ErrLagging, height, tip-height)
}

package spv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"dcrspv/spv/peer"
	"dcrspv/spv/registry"

	"github.com/decred/dcrd/connmgr/v3"
	"github.com/decred/dcrd/wire"
)

// network is the side towards peers: dialing, and what is counted.
type network struct {
	peerConfig peer.Config
	tip        atomic.Uint32 // our height, for handshakes on other goroutines
	reach      atomic.Uint32 // likewise, what peers are measured by

	discover  bool      // peers are found, not given
	firstPeer time.Time // when the first peer of this gathering connected

	paces map[registry.Kind]*pace
	gone  peer.Stats // sums of closed connections
}

const (
	dialTimeout = 10 * time.Second

	// When peers are discovered, this many are heard, or this time is given,
	// before the initial sync may end: the first peer may know a short chain.
	gatherPeers = 3
	gatherTime  = 10 * time.Second

	// Pauses between attempts to reach the seeders.
	seedPauseMin = 10 * time.Second
	seedPauseMax = 5 * time.Minute
	seedTimeout  = time.Minute

	// knownEnough is how many known addresses make seeding unnecessary.
	knownEnough = 200
)

func (n *network) init(e *engine) {
	n.discover = len(e.cfg.Connect) == 0
	n.tip.Store(e.chain.Tip().Height)
	n.paces = map[registry.Kind]*pace{
		registry.Headers: {}, registry.Filters: {}, registry.Blocks: {},
	}
	n.peerConfig = peer.Config{
		Params:           e.cfg.Params,
		UserAgentName:    e.cfg.UserAgentName,
		UserAgentVersion: e.cfg.UserAgentVersion,
		MaxPVer:          e.cfg.MaxProtocol,
		Height:           n.tip.Load,
		Accept:           e.acceptHeight,
		Nonces:           new(peer.Nonces),
		Log:              e.cfg.Log("PEER"),
	}
}

// pace is how fast requests of a kind are answered.
func (n *network) pace(kind registry.Kind) *pace { return n.paces[kind] }

// gathering reports whether peers are still being asked in for the first time:
// every configured address gets one chance, and of discovered ones there must
// be a few.
func (n *network) gathering(e *engine) bool {
	if !n.discover {
		return !e.registry.FirstRound()
	}
	return len(e.sessions) < min(gatherPeers, e.cfg.MaxPeers) && e.now.Sub(n.firstPeer) < gatherTime
}

// dialMore dials as long as the registry has somebody worth it.
func (e *engine) dialMore() {
	for {
		addr, ok := e.registry.NextDial(e.now)
		if !ok {
			return
		}
		e.registry.Dialing(addr, e.now)
		e.goWorker(func() {
			ev := e.dial(addr)
			if !e.post(ev) && ev.peer != nil {
				ev.peer.Close(context.Canceled)
			}
		})
	}
}

// dialTime is when the next address may be dialed.
func (e *engine) dialTime() time.Time {
	t, ok := e.registry.NextDialTime(e.now)
	if !ok {
		return time.Time{}
	}
	return t
}

// dial connects and shakes hands.
func (e *engine) dial(addr string) dialed {
	ctx, cancel := context.WithTimeout(e.ctx, dialTimeout)
	conn, err := e.cfg.Dial(ctx, "tcp", addr)
	cancel()
	if err != nil {
		return dialed{addr: addr, err: err}
	}
	p, err := peer.Handshake(e.ctx, conn, addr, &e.network.peerConfig)
	return dialed{addr: addr, peer: p, err: err}
}

// dialed: a connection stands, or could not be had.
type dialed struct {
	addr string
	peer *peer.Peer
	err  error
}

func (ev dialed) apply(e *engine) {
	log := e.cfg.Log("PEER")
	if ev.err == nil {
		info := ev.peer.Info()
		ev.err = lagError(info.Height, e.reach())
		if ev.err == nil {
			ev.err = e.registry.Connected(ev.addr, registry.Info{
				UserAgent: info.UserAgent,
				PVer:      info.PVer,
				Services:  info.Services,
				Height:    info.Height,
			}, e.now)
		}
		if ev.err != nil {
			ev.peer.Close(ev.err)
		}
	}
	if ev.err != nil {
		e.registry.DialFailed(ev.addr, incompatible(ev.err), e.now)
		if errors.Is(ev.err, ErrLagging) {
			e.noteCut(ev.addr, ev.err)
		}
		log.Infof("%s: no connection: %v", ev.addr, ev.err)
		return
	}
	if len(e.sessions) == 0 {
		e.network.firstPeer = e.now
	}
	info := ev.peer.Info()
	log.Infof("%s connected: %s, protocol %d, at block %d", ev.addr, info.UserAgent, info.PVer, info.Height)
	e.sessions[ev.addr] = e.startSession(ev.addr, ev.peer)
	if e.network.discover {
		if err := ev.peer.RequestAddrs(); err != nil {
			e.drop(e.sessions[ev.addr], err)
		}
	}
}

// incompatible marks the refusals that trying again soon will not change.
func incompatible(err error) error {
	for _, kind := range []error{peer.ErrSelf, peer.ErrNetwork, peer.ErrServices, peer.ErrVersion} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w: %w", registry.ErrIncompatible, err)
		}
	}
	return err
}

// gossip: a peer told addresses of others.
type gossip struct {
	s     *session
	addrs []string
}

func (ev gossip) apply(e *engine) {
	if e.network.discover {
		e.addAddresses(ev.addrs)
	}
}

func (e *engine) addAddresses(addrs []string) {
	for _, addr := range addrs {
		if err := e.registry.Add(addr, false, e.now); err != nil {
			e.cfg.Log("REGI").Debugf("address %q: %v", addr, err)
		}
	}
}

// goSeed asks the network's HTTPS seeders for addresses, unless the peers are
// given or many are known, until one has answered.
func (e *engine) goSeed() {
	if !e.network.discover || len(e.cfg.Params.Seeders()) == 0 || e.registry.Len() >= knownEnough {
		return
	}
	seeders := e.cfg.Params.Seeders()
	rand.Shuffle(len(seeders), func(i, k int) { seeders[i], seeders[k] = seeders[k], seeders[i] })
	e.goWorker(func() {
		for pause := seedPauseMin; ; pause = min(2*pause, seedPauseMax) {
			for _, seeder := range seeders {
				if addrs := e.seed(seeder); len(addrs) > 0 {
					e.post(seeded{addrs})
					return
				}
			}
			select {
			case <-time.After(pause):
			case <-e.ctx.Done():
				return
			}
		}
	})
}

func (e *engine) seed(seeder string) []string {
	ctx, cancel := context.WithTimeout(e.ctx, seedTimeout)
	defer cancel()
	found, err := connmgr.SeedAddrs(ctx, seeder, connmgr.DialFunc(e.cfg.Dial),
		connmgr.SeedFilterServices(wire.SFNodeNetwork))
	if err != nil {
		e.cfg.Log("REGI").Infof("Seeder %s: %v", seeder, err)
		return nil
	}
	addrs := make([]string, 0, len(found))
	for _, a := range found {
		addrs = append(addrs, net.JoinHostPort(a.IP.String(), strconv.Itoa(int(a.Port))))
	}
	return addrs
}

// seeded: a seeder answered.
type seeded struct{ addrs []string }

func (ev seeded) apply(e *engine) { e.addAddresses(ev.addrs) }

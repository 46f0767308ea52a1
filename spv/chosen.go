package spv

import (
	"context"
	"slices"
	"time"

	"dcrspv/spv/internal/registry"
)

// chosenPeers are the only peers to use; with none of them peers are found.
type chosenPeers struct{ addrs []string }

// allows reports whether a peer may be used.
func (c *chosenPeers) allows(addr string) bool {
	return len(c.addrs) == 0 || slices.Contains(c.addrs, addr)
}

// tell has a registry dial them.
func (c *chosenPeers) tell(r *registry.Registry, maxPeers int, now time.Time) error {
	return r.Choose(c.addrs, max(maxPeers, len(c.addrs)), now)
}

// SetPeers puts other peers in the place of those of Config.Connect, from now on, whether
// the Syncer runs or not: it disconnects those that are not among them and connects to
// the others at once. With none of them peers are found, as with an empty Config.Connect;
// those that are connected stay. Errors are ErrAddress, which changes nothing,
// ErrNotRunning after Run, and those of ctx.
func (s *Syncer) SetPeers(ctx context.Context, connect []string) error {
	addrs, err := peerAddrs(connect, s.cfg.Params)
	if err != nil {
		return err
	}
	return s.change(ctx, func(e *engine) error {
		if slices.Equal(addrs, s.chosen.addrs) {
			return nil
		}
		s.chosen.addrs = addrs
		if e == nil {
			return nil
		}
		return e.choosePeers()
	})
}

// choosePeers turns to the peers that are chosen now.
func (e *engine) choosePeers() error {
	if err := e.chosen.tell(e.registry, e.cfg.MaxPeers, e.now); err != nil {
		return err
	}
	e.network.choose(e)
	for addr, s := range e.sessions {
		if !e.chosen.allows(addr) {
			e.drop(s, errNotChosen)
		}
	}
	e.trouble.startOver(e.now)
	return nil
}

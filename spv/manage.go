package spv

import (
	"context"

	"dcrspv/spv/registry"
)

// Peers lists every peer that the registry knows, each with its last five
// disconnects, pauses and bans.
func (s *Syncer) Peers(ctx context.Context) ([]registry.Peer, error) {
	var peers []registry.Peer
	err := s.do(ctx, func(e *engine) { peers = e.registry.List(e.now) })
	return peers, err
}

// BanPeer bans a host for 24 hours and disconnects it. What is no host or
// host:port is registry.ErrAddress, and changes nothing.
func (s *Syncer) BanPeer(ctx context.Context, host string) error {
	return s.edit(ctx, func(e *engine) error {
		if err := e.registry.Ban(host, e.now); err != nil {
			return err
		}
		for addr, session := range e.sessions {
			if e.registry.Banned(addr, e.now) {
				e.disconnect(session, errBanned)
			}
		}
		return nil
	})
}

// UnbanPeer lifts a ban, and takes it out of the history. Errors are as for BanPeer.
func (s *Syncer) UnbanPeer(ctx context.Context, host string) error {
	return s.edit(ctx, func(e *engine) error { return e.registry.Unban(host) })
}

// ResetPeer forgets what is held for or against a peer, and its history, except
// bans. Errors are as for BanPeer.
func (s *Syncer) ResetPeer(ctx context.Context, host string) error {
	return s.edit(ctx, func(e *engine) error { return e.registry.Reset(host) })
}

// edit is do for what may be refused.
func (s *Syncer) edit(ctx context.Context, fn func(*engine) error) error {
	var refused error
	if err := s.do(ctx, func(e *engine) { refused = fn(e) }); err != nil {
		return err
	}
	return refused
}

// SubscribePeers tells who connects and who leaves from now on. A slow reader
// holds up nobody; it sees the latest state. The subscription ends with Run.
func (s *Syncer) SubscribePeers(ctx context.Context) (*registry.Subscription, error) {
	var sub *registry.Subscription
	err := s.do(ctx, func(e *engine) { sub = e.registry.Subscribe() })
	return sub, err
}

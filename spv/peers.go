package spv

import (
	"context"
	"errors"
	"time"

	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// ErrAddress is what is no host or host:port. The error names it.
var ErrAddress error = registry.ErrAddress

// PeerAddr returns the host:port of a peer as this package writes it everywhere. The
// default port of the network is added if there is none. The error is ErrAddress.
func PeerAddr(addr string, params *chaincfg.Params) (string, error) {
	return registry.NormalizeAddr(addr, params.DefaultPort)
}

// peerAddrs is PeerAddr for several.
func peerAddrs(addrs []string, params *chaincfg.Params) ([]string, error) {
	normal := make([]string, 0, len(addrs))
	for _, addr := range addrs {
		one, err := PeerAddr(addr, params)
		if err != nil {
			return nil, err
		}
		normal = append(normal, one)
	}
	return normal, nil
}

// Peer is what is known of a peer.
type Peer struct {
	Addr             string // host:port; of a ban alone, what is banned
	UserAgent        string // printable
	PVer             uint32 // agreed protocol version
	Services         wire.ServiceFlag
	AdvertisedHeight uint32    // 0 unless connected in this run
	ValidatedHeight  uint32    // likewise
	Score            float64   // 0 to 100
	BanScore         int       // points now
	BannedUntil      time.Time // zero: not banned
	BanReasons       []string  // latest last, at most 20
	LatencyMS        float64   // average answer time in milliseconds; 0 is unknown
	Connected        bool
	Persistent       bool        // it is one of Config.Connect, or of SetPeers
	SendHeaders      bool        // sendheaders was sent to it
	LastSeen         time.Time   // heard from, or heard of if never connected
	History          []PeerEvent // the last five, latest last; none of a ban alone
}

// PeerEventKind is what has happened to a peer.
type PeerEventKind string

// The kinds of events.
const (
	// PeerDisconnected is the end of a connection. Until is when it may be dialed
	// again, zero if that is up to the usual waits.
	PeerDisconnected = PeerEventKind(registry.Disconnect)

	// PeerPaused is a time in which a peer is not asked for a kind of data unless
	// nobody else is left. It may end sooner.
	PeerPaused = PeerEventKind(registry.Pause)

	// PeerBanned is a time without any connection.
	PeerBanned = PeerEventKind(registry.Ban)
)

// PeerEvent is a disconnect, a pause or a ban of a peer.
type PeerEvent struct {
	Kind   PeerEventKind
	Data   string // of a pause: headers, filters or blocks
	Time   time.Time
	Until  time.Time
	Reason string // printable, at most 160 bytes
}

// newPeers makes the list of a registry one of this package.
func newPeers(list []registry.Peer) []Peer {
	peers := make([]Peer, 0, len(list))
	for _, p := range list {
		peer := Peer{
			Addr:             p.Addr,
			UserAgent:        p.UserAgent,
			PVer:             p.PVer,
			Services:         p.Services,
			AdvertisedHeight: p.AdvertisedHeight,
			ValidatedHeight:  p.ValidatedHeight,
			Score:            p.Score,
			BanScore:         p.BanScore,
			BannedUntil:      p.BannedUntil,
			BanReasons:       p.BanReasons,
			LatencyMS:        p.LatencyMS,
			Connected:        p.Connected,
			Persistent:       p.Persistent,
			SendHeaders:      p.SendHeaders,
			LastSeen:         p.LastSeen,
		}
		for _, ev := range p.History {
			peer.History = append(peer.History, PeerEvent{PeerEventKind(ev.Kind), ev.Data, ev.Time, ev.Until, ev.Reason})
		}
		peers = append(peers, peer)
	}
	return peers
}

// Peers lists every peer that is known, connected ones first, then by address, and
// hosts that are banned. It works whether the Syncer runs or not.
func (s *Syncer) Peers(ctx context.Context) (peers []Peer, err error) {
	err = s.withRegistry(ctx, func(r *registry.Registry, now time.Time) (changed bool, err error) {
		peers = newPeers(r.List(now))
		return false, nil
	})
	return peers, err
}

// BanPeer bans a host for 24 hours and disconnects it, whether the Syncer runs or
// not. What is no host or host:port is ErrAddress, and changes nothing.
func (s *Syncer) BanPeer(ctx context.Context, host string) error {
	err := s.withRegistry(ctx, func(r *registry.Registry, now time.Time) (changed bool, err error) {
		return true, r.Ban(host, now)
	})
	if err == nil && s.started.Load() {
		err = s.do(ctx, (*engine).disconnectBanned)
	}
	return err
}

// UnbanPeer lifts a ban, and takes it out of the history. Errors are as for BanPeer.
func (s *Syncer) UnbanPeer(ctx context.Context, host string) error {
	return s.withRegistry(ctx, func(r *registry.Registry, _ time.Time) (changed bool, err error) {
		return true, r.Unban(host)
	})
}

// ResetPeer forgets what is held for or against a peer, and its history, except
// bans. Errors are as for BanPeer.
func (s *Syncer) ResetPeer(ctx context.Context, host string) error {
	return s.withRegistry(ctx, func(r *registry.Registry, _ time.Time) (changed bool, err error) {
		return true, r.Reset(host)
	})
}

// withRegistry runs fn on the registry: the one of the engine, or while nothing runs
// the stored one, which is stored again if fn has changed it.
func (s *Syncer) withRegistry(ctx context.Context, fn func(r *registry.Registry, now time.Time) (changed bool, err error)) error {
	if !s.started.Load() {
		err := s.withStoredRegistry(ctx, fn)
		if !errors.Is(err, ErrRunning) { // else Run began while it waited
			return err
		}
	}
	var refused error
	if err := s.do(ctx, func(e *engine) { _, refused = fn(e.registry, e.now) }); err != nil {
		return err
	}
	return refused
}

func (s *Syncer) withStoredRegistry(ctx context.Context, fn func(r *registry.Registry, now time.Time) (changed bool, err error)) error {
	return s.offline(ctx, func() error {
		now := s.now()
		r := newRegistry(registry.Options{})
		if err := readRegistry(s.db, r, now); err != nil {
			return err
		}
		changed, err := fn(r, now)
		if err != nil || !changed {
			return err
		}
		return writeRegistry(s.db, r, now)
	})
}

// disconnectBanned disconnects whoever is banned.
func (e *engine) disconnectBanned() {
	for addr, session := range e.sessions {
		if e.registry.Banned(addr, e.now) {
			e.disconnect(session, errBanned)
		}
	}
}

// PeerChange is a connection that has begun or ended.
type PeerChange struct {
	Addr string
	Up   bool // false: it has ended
}

// PeerSubscription tells one reader who is connected. For each peer Up and Down
// alternate strictly, beginning with Up. A slow reader is not told of connections that
// came and went while it was not looking, so nothing waits for it and little is kept for
// it. Its methods may be called from any goroutine.
type PeerSubscription struct{ of *registry.Subscription }

// Changed has a value when Take may have something new. It is closed by Close:
// what Take has then is the last.
func (s *PeerSubscription) Changed() <-chan struct{} { return s.of.Changed() }

// Take returns what has changed since the last call, in order; nil is nothing.
// The slice is the caller's.
func (s *PeerSubscription) Take() (changes []PeerChange) {
	for _, c := range s.of.Take() {
		changes = append(changes, PeerChange(c))
	}
	return changes
}

// Close ends the subscription. It may be called again.
func (s *PeerSubscription) Close() { s.of.Close() }

// SubscribePeers tells who connects and who leaves from now on; the connections that
// stand are the first. The subscription ends with Run. It needs a running Syncer.
func (s *Syncer) SubscribePeers(ctx context.Context) (*PeerSubscription, error) {
	var sub *registry.Subscription
	if err := s.do(ctx, func(e *engine) { sub = e.registry.Subscribe() }); err != nil {
		return nil, err
	}
	return &PeerSubscription{sub}, nil
}

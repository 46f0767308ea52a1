package registry

import (
	"cmp"
	"slices"
	"time"

	"github.com/decred/dcrd/wire"
)

// Peer is a peer as it is shown to people and programs.
type Peer struct {
	Addr             string // host:port; of a ban alone, what is banned
	UserAgent        string
	PVer             uint32
	Services         wire.ServiceFlag
	AdvertisedHeight uint32  // 0 unless connected in this run
	ValidatedHeight  uint32  // 0 unless connected in this run
	Score            float64 // 0 to 100
	BanScore         int     // points now
	BannedUntil      time.Time
	BanReasons       []string // latest last, at most 20
	LatencyMS        float64  // average answer time; 0 is unknown
	Connected        bool
	Persistent       bool
	SendHeaders      bool      // sendheaders was sent to it
	LastSeen         time.Time // heard from, or heard of if never connected
	History          []Event   // the last five, latest last; none of a ban alone
}

// Known tells whether an address is among the peers.
func (r *Registry) Known(addr string) bool { return r.peers[addr] != nil }

// List returns all peers, connected ones first, then by address. Hosts that are
// banned while none of their addresses is known are listed too.
func (r *Registry) List(now time.Time) []Peer {
	list := make([]Peer, 0, len(r.order))
	known := make(map[string]bool)
	for _, e := range r.order {
		known[e.key] = true
		p := Peer{
			Addr:             e.addr,
			UserAgent:        e.info.UserAgent,
			PVer:             e.info.PVer,
			Services:         e.info.Services,
			AdvertisedHeight: e.claim.advertised,
			ValidatedHeight:  e.claim.validated,
			Score:            r.score(e, now),
			LatencyMS:        e.record.latency,
			Connected:        e.state == stateConnected,
			Persistent:       e.persistent,
			SendHeaders:      e.state == stateConnected && e.sentHeader,
			LastSeen:         e.lastSeen,
			History:          slices.Clone(e.history),
		}
		r.fillBan(&p, e.key, now)
		list = append(list, p)
	}
	for key := range r.conducts {
		if !known[key] && r.banned(key, now) {
			p := Peer{Addr: key}
			r.fillBan(&p, key, now)
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Peer) int {
		if a.Connected != b.Connected {
			if a.Connected {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Addr, b.Addr)
	})
	return list
}

// fillBan writes what is held against a key.
func (r *Registry) fillBan(p *Peer, key string, now time.Time) {
	p.BannedUntil = toWall(r.bannedUntil(key, now), now)
	if c := r.held(key, now); !c.idle() {
		p.BanScore = c.points
		p.BanReasons = slices.Clone(c.reasons)
	}
}

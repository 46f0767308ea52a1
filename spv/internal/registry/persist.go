package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/decred/dcrd/wire"
)

const (
	formatVersion = 1

	// forgetAfter is how long an address is kept without having been seen.
	// dcrd's address manager takes the same 30 days.
	forgetAfter = 30 * 24 * time.Hour
)

// savedVersion is what is known of the file that Marshal's result replaces.
type savedVersion struct {
	newer error // a newer version wrote it: it must not be overwritten
}

// document is the whole registry as JSON.
type document struct {
	Version int         `json:"version"`
	Peers   []savedPeer `json:"peers"`
	Bans    []savedBan  `json:"bans"`
}

// savedPeer holds what remains true while the program does not run. Heights,
// connections and cooldowns don't.
type savedPeer struct {
	Addr        string           `json:"addr"`
	UserAgent   string           `json:"user_agent,omitempty"`
	PVer        uint32           `json:"pver,omitempty"`
	Services    wire.ServiceFlag `json:"services,omitempty"`
	LastSeen    time.Time        `json:"last_seen,omitzero"`
	Successes   uint64           `json:"successes,omitempty"`
	Failures    uint64           `json:"failures,omitempty"`
	LastSuccess time.Time        `json:"last_success,omitzero"`
	LastFailure time.Time        `json:"last_failure,omitzero"`
	LatencyMS   float64          `json:"latency_ms,omitempty"`
	Malicious   bool             `json:"malicious,omitempty"`
	Relapses    int              `json:"relapses,omitempty"`
	AvoidUntil  time.Time        `json:"avoid_until,omitzero"` // no dial before
	History     []Event          `json:"history,omitempty"`
}

type savedBan struct {
	Key     string    `json:"key"`
	Points  int       `json:"points"`
	AsOf    time.Time `json:"as_of"`
	Until   time.Time `json:"until,omitzero"`
	Reasons []string  `json:"reasons,omitempty"`
}

// Marshal returns the registry as JSON for Unmarshal, with times as the clock on the
// wall has them now. The error is ErrNewer after an Unmarshal that was ErrNewer: what a
// newer version has saved must not be overwritten.
func (r *Registry) Marshal(now time.Time) ([]byte, error) {
	if r.saved.newer != nil {
		return nil, r.saved.newer
	}
	out := document{Version: formatVersion}
	for _, e := range r.order {
		out.Peers = append(out.Peers, savedPeer{
			Addr:        e.addr,
			UserAgent:   e.conn.info.UserAgent,
			PVer:        e.conn.info.PVer,
			Services:    e.conn.info.Services,
			LastSeen:    toWall(e.lastSeen, now),
			Successes:   e.service.successes,
			Failures:    e.service.failures,
			LastSuccess: toWall(e.service.lastSuccess, now),
			LastFailure: toWall(e.service.lastFailure, now),
			LatencyMS:   e.service.latency,
			Malicious:   e.service.malicious,
			Relapses:    e.service.relapses,
			AvoidUntil:  toWall(e.dial.avoid, now),
			History:     e.history,
		})
	}
	for _, key := range slices.Sorted(maps.Keys(r.bans)) {
		m := r.bans[key]
		out.Bans = append(out.Bans, savedBan{key, m.points, toWall(m.asOf, now), toWall(m.until, now), m.reasons})
	}
	return json.Marshal(out)
}

// Unmarshal replaces everything by what Marshal has saved. Peers not seen for
// 30 days are left out, bans in force never. No peer is connected, persistent
// or at any height afterwards. Times later than now are taken as now, so that a clock
// that was wrong when they were saved makes no ban or pause longer. If everything
// seems to be older than 30 days, because it is or because the clock is ahead, it is
// taken as saved now. Addresses that Add or Ban would refuse, from a version that took
// them, are left out. Errors are ErrCorrupt and ErrNewer; nothing is changed then.
func (r *Registry) Unmarshal(data []byte, now time.Time) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if version.Version > formatVersion {
		r.saved.newer = fmt.Errorf("%w: version %d, this is %d", ErrNewer, version.Version, formatVersion)
		return r.saved.newer
	}
	var in document
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if in.Version != formatVersion {
		return fmt.Errorf("%w: version %d", ErrCorrupt, in.Version)
	}
	loaded := New(r.opts, r.rng)
	in.read(now)
	for i := range in.Peers {
		if err := loaded.restore(&in.Peers[i], now); err != nil {
			return err
		}
	}
	for i := range in.Bans {
		if err := loaded.restoreBan(&in.Bans[i], now); err != nil {
			return err
		}
	}
	for _, e := range r.order {
		if e.conn.up() {
			r.subs.publish(Change{Addr: e.addr})
		}
	}
	loaded.subs.takeOver(&r.subs)
	*r = *loaded
	return nil
}

func (r *Registry) restore(p *savedPeer, now time.Time) error {
	if r.peers[p.Addr] != nil || p.LatencyMS < 0 || p.Relapses < 0 || p.Relapses > maxRelapses {
		return fmt.Errorf("%w: peer %q", ErrCorrupt, p.Addr)
	}
	addr, err := NormalizeAddr(p.Addr, "")
	if err != nil || addr != p.Addr || p.LastSeen.IsZero() || now.Sub(p.LastSeen) > forgetAfter || len(r.order) >= r.opts.MaxPeers {
		return nil
	}
	e, err := r.insert(addr)
	if err != nil {
		return err
	}
	e.conn.restore(Info{UserAgent: p.UserAgent, PVer: p.PVer, Services: p.Services})
	e.seen(earliest(p.LastSeen, now))
	e.dial.restore(earliest(p.AvoidUntil, now.Add(incompatibleTime)))
	e.service.restore(p, now)
	e.history.restore(p.History, now)
	return nil
}

func (r *Registry) restoreBan(b *savedBan, now time.Time) error {
	if b.Points < 0 || b.Points >= 2*banThreshold || len(b.Reasons) > maxHistory || r.bans[b.Key] != nil {
		return fmt.Errorf("%w: ban of %q", ErrCorrupt, b.Key)
	}
	if key, err := banKey(b.Key); err != nil || key != b.Key {
		return nil
	}
	r.bans.restore(b.Key, misbehavior{
		points:  b.Points,
		asOf:    earliest(b.AsOf, now),
		until:   earliest(b.Until, now.Add(banTime)),
		reasons: b.Reasons,
	}, now)
	return nil
}

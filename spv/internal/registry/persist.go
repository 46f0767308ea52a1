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

// saved is the whole registry as JSON.
type saved struct {
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

// Marshal returns the registry as JSON for Unmarshal, with the times that the clock has
// now. It is ErrNewer after an Unmarshal that was: what a newer version has saved is not
// to be overwritten.
func (r *Registry) Marshal(now time.Time) ([]byte, error) {
	if r.newer != nil {
		return nil, r.newer
	}
	out := saved{Version: formatVersion}
	for _, e := range r.order {
		out.Peers = append(out.Peers, savedPeer{
			Addr:        e.addr,
			UserAgent:   e.info.UserAgent,
			PVer:        e.info.PVer,
			Services:    e.info.Services,
			LastSeen:    toWall(e.lastSeen, now),
			Successes:   e.record.successes,
			Failures:    e.record.failures,
			LastSuccess: toWall(e.record.lastSuccess, now),
			LastFailure: toWall(e.record.lastFailure, now),
			LatencyMS:   e.record.latency,
			Malicious:   e.record.malicious,
			Relapses:    e.record.relapses,
			AvoidUntil:  toWall(e.dial.avoid, now),
			History:     e.history,
		})
	}
	for _, key := range slices.Sorted(maps.Keys(r.conducts)) {
		c := r.conducts[key]
		out.Bans = append(out.Bans, savedBan{key, c.points, toWall(c.asOf, now), toWall(c.until, now), c.reasons})
	}
	return json.Marshal(out)
}

// Unmarshal replaces everything by what Marshal has saved. Peers not seen for
// 30 days are left out, bans in force never. No peer is connected, persistent
// or at any height afterwards. A clock that was wrong when it was saved makes no
// ban or pause longer: times later than now are taken as now. What seems to have been
// saved more than 30 days ago, because it was or because the clock is ahead, is taken as
// saved now. Addresses that Add
// or Ban would refuse, from a version that took them, are left out. Errors are
// ErrCorrupt and ErrNewer; nothing is changed then.
func (r *Registry) Unmarshal(data []byte, now time.Time) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if version.Version > formatVersion {
		r.newer = fmt.Errorf("%w: version %d, this is %d", ErrNewer, version.Version, formatVersion)
		return r.newer
	}
	var in saved
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
		if e.state == stateConnected {
			r.publish(Change{Addr: e.addr})
		}
	}
	loaded.subs, loaded.closed = r.subs, r.closed
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
	e.info = Info{UserAgent: p.UserAgent, PVer: p.PVer, Services: p.Services}
	e.lastSeen = earliest(p.LastSeen, now)
	e.dial.avoid = earliest(p.AvoidUntil, now.Add(incompatibleTime))
	e.record = record{
		successes:   p.Successes,
		failures:    p.Failures,
		lastSuccess: earliest(p.LastSuccess, now),
		lastFailure: earliest(p.LastFailure, now),
		latency:     p.LatencyMS,
		malicious:   p.Malicious,
		relapses:    p.Relapses,
	}
	e.history.restore(p.History, now)
	return nil
}

func (r *Registry) restoreBan(b *savedBan, now time.Time) error {
	if b.Points < 0 || b.Points >= 2*banThreshold || len(b.Reasons) > maxHistory || r.conducts[b.Key] != nil {
		return fmt.Errorf("%w: ban of %q", ErrCorrupt, b.Key)
	}
	if key, err := banKey(b.Key); err != nil || key != b.Key {
		return nil
	}
	c := &conduct{
		points:  b.Points,
		asOf:    earliest(b.AsOf, now),
		until:   earliest(b.Until, now.Add(banTime)),
		reasons: b.Reasons,
	}
	if c.settle(now); !c.idle() {
		r.conducts[b.Key] = c
	}
	return nil
}

// earliest returns the first of two times.
func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

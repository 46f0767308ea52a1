package registry

import (
	"fmt"
	"time"
)

// Strike notes what a peer did wrong and, for the history, why that is said. It
// reports whether the peer is banned because of it now. All peers of the same IP
// address share the points. Strikes against a peer that is banned already change
// nothing.
func (r *Registry) Strike(addr string, reason Reason, why error, now time.Time) (newlyBanned bool) {
	key, err := r.keyOf(addr)
	if err != nil {
		return false
	}
	m := r.bans.open(key, now)
	if !m.until.IsZero() {
		return false
	}
	newlyBanned = m.strike(reason, now)
	if e := r.peers[addr]; e != nil && reason.points() >= banThreshold {
		e.service.condemn(now)
	}
	if newlyBanned {
		r.noteBan(key, m.until, fmt.Sprint(why), now)
	}
	return newlyBanned
}

// Ban bans a peer, or a host given without a port, for 24 hours from now. The
// error is ErrAddress.
func (r *Registry) Ban(addr string, now time.Time) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	m := r.bans.open(key, now)
	m.ban(now)
	r.noteBan(key, m.until, "by the operator", now)
	return nil
}

// noteBan notes the ban of a key at all addresses that it concerns: they are not
// dialed.
func (r *Registry) noteBan(key string, until time.Time, reason string, now time.Time) {
	for _, e := range r.order {
		if coversKey(key, e.key) {
			e.dial.setTried(true)
			e.history.note(Event{Kind: Ban, Time: now, Until: until, Reason: reason})
		}
	}
}

// Unban lifts the ban of a peer, forgets the points against it and takes its bans
// out of the history. Without a port it lifts every ban of that host. The error is
// ErrAddress; to lift a ban that is not there is none.
func (r *Registry) Unban(addr string) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	r.bans.lift(key)
	for _, e := range r.order {
		if keyHost(e.key) == keyHost(key) && r.bans[e.key] == nil {
			e.history.forget(Ban)
		}
	}
	return nil
}

// Banned tells whether a peer is banned now. It need not be known. What is no
// address is not banned.
func (r *Registry) Banned(addr string, now time.Time) bool {
	key, err := r.keyOf(addr)
	return err == nil && r.bans.banned(key, now)
}

// BanOf returns the ban of a peer that is banned now.
func (r *Registry) BanOf(addr string, now time.Time) (ban Event, ok bool) {
	e := r.peers[addr]
	if e == nil {
		return Event{}, false
	}
	last, until := e.history.ban(), toWall(r.bans.until(e.key, now), now)
	return Event{Kind: Ban, Time: last.Time, Until: until, Reason: last.Reason}, !until.IsZero()
}

// AllBanned returns, if all addresses that may be dialed at all are banned, the one
// whose ban ends first, and that ban.
func (r *Registry) AllBanned(now time.Time) (addr string, ban Event, ok bool) {
	for _, e := range r.order {
		if r.opts.OnlyPersistent && !e.persistent {
			continue
		}
		one, banned := r.BanOf(e.addr, now)
		if !banned {
			return "", Event{}, false
		}
		if !ok || one.Until.Before(ban.Until) {
			addr, ban, ok = e.addr, one, true
		}
	}
	return addr, ban, ok
}

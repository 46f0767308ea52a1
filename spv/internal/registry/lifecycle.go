package registry

import (
	"errors"
	"fmt"
	"time"
)

// state of a peer. Only dialing leads to connected, so there are never two
// connections to one address.
type state uint8

const (
	stateIdle state = iota
	stateDialing
	stateConnected
)

// Dialing notes that an address is being dialed. ErrState: it is not known, or
// dialed or connected already.
func (r *Registry) Dialing(addr string, now time.Time) error {
	e := r.peers[addr]
	if e == nil || e.state != stateIdle {
		return fmt.Errorf("%w: dialing %s", ErrState, addr)
	}
	if r.slots() == 0 && !e.persistent {
		r.nextProbe, r.stranger, r.again = now.Add(probePause), false, false
	}
	e.state = stateDialing
	return nil
}

// DialFailed notes that no connection came of a dial, whether in the dial or in
// the handshake. The next one waits 5 to 90 seconds (persistent: 1 to 18),
// longer each time; 24 hours, also over a restart, for a peer that is no use
// (ErrIncompatible), unless it is persistent or nobody else is left (Relent); 10
// minutes after ErrQuota. After ErrOurs it waits the shortest time and is not counted.
func (r *Registry) DialFailed(addr string, err error, now time.Time) {
	e := r.peers[addr]
	if e == nil || e.state != stateDialing {
		return
	}
	e.state = stateIdle
	e.dial.met = true
	e.dial.relented = false
	if errors.Is(err, ErrOurs) {
		e.dial.delay = 0
	} else {
		e.dial.failures++
	}
	r.lastErr = err
	r.back(e, now)
	switch {
	case errors.Is(err, ErrIncompatible):
		e.dial.avoid = now.Add(incompatibleTime)
		r.noteDisconnect(e, e.dial.avoid, err, now)
	case errors.Is(err, ErrQuota):
		e.dial.next = now.Add(quotaTime)
		r.noteDisconnect(e, e.dial.next, err, now)
	case errors.Is(err, ErrRefused):
		r.noteDisconnect(e, time.Time{}, err, now)
	}
}

// Connected notes that a dial and its handshake have succeeded. ErrState: the
// address was not being dialed. ErrBanned: it was banned meanwhile. ErrQuota: it
// can't send batches of filters, and the slots left are for those that can (see
// quota.go). After the last two the owner closes the connection and reports
// DialFailed.
func (r *Registry) Connected(addr string, info Info, now time.Time) error {
	e := r.peers[addr]
	if e == nil || e.state != stateDialing {
		return fmt.Errorf("%w: connected to %s", ErrState, addr)
	}
	if r.banned(e.key, now) {
		return fmt.Errorf("%w: %s", ErrBanned, addr)
	}
	if !e.persistent && !r.withinQuota(info) {
		return fmt.Errorf("%w: %s has protocol version %d", ErrQuota, addr, info.PVer)
	}
	e.state = stateConnected
	e.info = info
	e.since = now
	e.lastSeen = now
	e.sentHeader = false
	e.claim.connected(info.Height, !now.Before(r.doubts[e.key].until))
	e.dial = dialState{delay: e.dial.delay, met: true}
	r.lastErr = nil
	r.publish(Change{Addr: addr, Up: true})
	return nil
}

// Disconnected notes the end of a connection and why; nil is that we stop. It is
// dialed again after 5 seconds (persistent: 1); later if it had not stood for a
// minute, so that who hangs up each time is met ever less often.
func (r *Registry) Disconnected(addr string, reason error, now time.Time) {
	e := r.connected(addr)
	if e == nil {
		return
	}
	away := errors.Is(reason, ErrAway)
	if !e.claim.ends.IsZero() && !away {
		r.ClaimFailed(addr, now) // it was asked, and left without making it good
	}
	e.state = stateIdle
	e.lastSeen = now
	if r.leaving == e {
		r.leaving = nil
	}
	if reason != nil {
		r.lastErr = reason
	}
	if now.Sub(e.since) >= steady || away {
		e.dial.delay = 0
	}
	if !away {
		r.back(e, now)
	}
	if errors.Is(reason, ErrUseless) {
		e.dial.avoid = now.Add(uselessTime)
		r.noteDisconnect(e, e.dial.avoid, reason, now)
	} else if reason != nil {
		r.noteDisconnect(e, time.Time{}, reason, now)
	}
	r.publish(Change{Addr: addr})
}

// FirstRound tells whether every persistent peer has been given its chance in
// this run: it has answered a dial, failed or is banned. Without persistent
// peers it is true.
func (r *Registry) FirstRound() bool {
	for _, e := range r.order {
		if e.persistent && !e.dial.met {
			return false
		}
	}
	return true
}

// refuseDial notes that peers of a key will not be dialed because of a ban.
func (r *Registry) refuseDial(key string) {
	for _, e := range r.order {
		if e.goesBy(key) {
			e.dial.met = true
		}
	}
}

// LastError is why the last connection failed or ended, nil if one has
// succeeded since.
func (r *Registry) LastError() error { return r.lastErr }

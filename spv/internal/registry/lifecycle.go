package registry

import (
	"errors"
	"fmt"
	"time"
)

// Dialing notes that an address is being dialed. ErrState: the address is not
// known, or dialed or connected already.
func (r *Registry) Dialing(addr string, now time.Time) error {
	e := r.peers[addr]
	if e == nil || !e.conn.idle() {
		return fmt.Errorf("%w: dialing %s", ErrState, addr)
	}
	if r.slots() == 0 && !e.persistent {
		r.extra.used(now)
	}
	e.conn.dialing()
	return nil
}

// DialFailed notes that a dial or its handshake has failed. The next dial waits 5
// to 90 seconds (persistent: 1 to 18), longer each time; 24 hours, also over a
// restart, for a peer that can't be used (ErrIncompatible), unless it is persistent
// or nobody else is left (RetryAvoided); 10 minutes after ErrQuota. After ErrOurs it waits
// the shortest time and is not counted.
func (r *Registry) DialFailed(addr string, err error, now time.Time) {
	e := r.peers[addr]
	if e == nil || e.conn.state != stateDialing {
		return
	}
	e.conn.ended()
	e.dial.failed(errors.Is(err, ErrOurs))
	r.setLastError(err)
	r.scheduleRedial(e, now)
	switch {
	case errors.Is(err, ErrIncompatible):
		e.dial.avoidUntil(now.Add(incompatibleTime))
		r.noteDisconnect(e, e.dial.avoid, err, now)
	case errors.Is(err, ErrQuota):
		e.dial.waitUntil(now.Add(quotaTime))
		r.noteDisconnect(e, e.dial.next, err, now)
	case errors.Is(err, ErrRefused):
		r.noteDisconnect(e, time.Time{}, err, now)
	}
}

// DialCalledOff notes that a dial was called off. It says nothing about the peer, which
// may be dialed again at once.
func (r *Registry) DialCalledOff(addr string) {
	if e := r.peers[addr]; e != nil && e.conn.state == stateDialing {
		e.conn.ended()
	}
}

// Connected notes that a dial and its handshake have succeeded. ErrState: the
// address was not being dialed. ErrBanned: it was banned meanwhile. ErrQuota: it
// can't send batches of filters, and the slots left are for peers that can (see
// quota.go). After the last two the owner closes the connection and reports
// DialFailed.
func (r *Registry) Connected(addr string, info Info, now time.Time) error {
	e := r.peers[addr]
	if e == nil || e.conn.state != stateDialing {
		return fmt.Errorf("%w: connected to %s", ErrState, addr)
	}
	if r.bans.banned(e.key, now) {
		return fmt.Errorf("%w: %s", ErrBanned, addr)
	}
	if !e.persistent && !r.withinQuota(info) {
		return fmt.Errorf("%w: %s has protocol version %d", ErrQuota, addr, info.PVer)
	}
	e.conn.established(info, now)
	e.seen(now)
	e.claim.connected(info.Height, r.doubts.believed(e.key, now))
	e.dial.connected()
	r.setLastError(nil)
	r.subs.publish(Change{Addr: addr, Up: true})
	return nil
}

// Disconnected notes the end of a connection and why; nil is that we stop. The
// address is dialed again after 5 seconds (persistent: 1), or later if the connection
// had not stood for a minute, so that peers which keep hanging up are dialed less and
// less.
func (r *Registry) Disconnected(addr string, reason error, now time.Time) {
	e := r.connected(addr)
	if e == nil {
		return
	}
	away := errors.Is(reason, ErrAway)
	if e.claim.asked() && !away {
		r.ClaimFailed(addr, now) // it left before it has delivered what it claimed
	}
	e.conn.ended()
	e.seen(now)
	r.extra.left(e)
	if reason != nil {
		r.setLastError(reason)
	}
	if now.Sub(e.conn.since) >= steady || away {
		e.dial.startOver()
	}
	if !away {
		r.scheduleRedial(e, now)
	}
	if errors.Is(reason, ErrUnhelpful) {
		e.dial.avoidUntil(now.Add(unhelpfulTime))
		r.noteDisconnect(e, e.dial.avoid, reason, now)
	} else if reason != nil {
		r.noteDisconnect(e, time.Time{}, reason, now)
	}
	r.subs.publish(Change{Addr: addr})
}

// noteDisconnect adds the end of a connection to the history, and until when there
// is to be no other one. Persistent peers have no such time. The disconnect of a
// banned peer is part of its ban.
func (r *Registry) noteDisconnect(e *entry, until time.Time, reason error, now time.Time) {
	if r.bans.banned(e.key, now) {
		return
	}
	if e.persistent {
		until = time.Time{}
	}
	e.history.note(Event{Kind: Disconnect, Time: now, Until: until, Reason: reason.Error()})
}

// SentHeaders notes that sendheaders went to a connected peer, for List.
func (r *Registry) SentHeaders(addr string) {
	if e := r.connected(addr); e != nil {
		e.conn.noteSendHeaders()
	}
}

// FirstRound tells whether every persistent peer has been given its chance in
// this run: it has answered a dial, failed or is banned. Without persistent
// peers it is true.
func (r *Registry) FirstRound() bool {
	for _, e := range r.order {
		if e.persistent && !e.dial.tried {
			return false
		}
	}
	return true
}

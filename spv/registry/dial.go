package registry

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Waiting between dials of one address, as dcrwallet does it: from 5 s to 90 s,
// for persistent peers a fifth of that.
const (
	dialBase         = 5 * time.Second
	dialGrowth       = 0.95
	dialMax          = 90 * time.Second
	persistentFactor = 5
	dialJitter       = 200 * time.Millisecond // either way
	incompatibleTime = 24 * time.Hour
	lowScoreRetry    = time.Minute // to look again at a peer below the floor
)

// state of a peer. Only dialing leads to connected, so there are never two
// connections to one address.
type state uint8

const (
	stateIdle state = iota
	stateDialing
	stateConnected
)

// dialState is the reachability of an address.
type dialState struct {
	delay    time.Duration // that led to next, before the persistent fifth and jitter
	next     time.Time     // not before this
	failures int           // dials in a row
	met      bool          // has answered, failed or been refused once in this run
}

// back schedules the next dial, later each time.
func (r *Registry) back(e *entry, now time.Time) {
	d := &e.dial
	d.delay = min(dialBase+time.Duration(dialGrowth*float64(d.delay)), dialMax)
	wait := d.delay
	if e.persistent {
		wait /= persistentFactor
	}
	jitter := time.Duration(r.rng.Int64N(int64(2*dialJitter)+1)) - dialJitter
	d.next = now.Add(wait + jitter)
}

// NextDial returns the address to dial now: a persistent one before others,
// then the one with the fewest failed dials, then the one with the best score.
// There is none while MaxConnected connections stand or are being made. It
// changes nothing: the owner calls Dialing when it does dial.
func (r *Registry) NextDial(now time.Time) (addr string, ok bool) {
	if r.slots() == 0 {
		return "", false
	}
	var best *entry
	ties := 0
	for _, e := range r.order {
		if t, ok := r.dialTime(e, now); !ok || t.After(now) {
			continue
		}
		order := -1
		if best != nil {
			order = r.compareDial(e, best, now)
		}
		switch {
		case order < 0:
			best, ties = e, 1
		case order == 0:
			// Each of n equals wins with a chance of 1/n.
			if ties++; r.rng.IntN(ties) == 0 {
				best = e
			}
		}
	}
	if best == nil {
		return "", false
	}
	return best.addr, true
}

// compareDial is negative when a is to be dialed before b.
func (r *Registry) compareDial(a, b *entry, now time.Time) int {
	if a.persistent != b.persistent {
		if a.persistent {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.dial.failures, b.dial.failures),
		cmp.Compare(r.score(b, now), r.score(a, now)),
	)
}

// NextDialTime returns when to ask NextDial again, which is not after the time
// when it has an answer if nothing else happens. ok is false when only an event
// can change the answer: a slot becoming free or an address being added.
func (r *Registry) NextDialTime(now time.Time) (when time.Time, ok bool) {
	if r.slots() == 0 {
		return time.Time{}, false
	}
	for _, e := range r.order {
		t, possible := r.dialTime(e, now)
		if possible && (!ok || t.Before(when)) {
			when, ok = t, true
		}
	}
	return when, ok
}

// dialTime returns when a peer may be dialed, now at the earliest; ok is false
// if no passing of time alone allows it.
func (r *Registry) dialTime(e *entry, now time.Time) (when time.Time, ok bool) {
	if e.state != stateIdle || r.opts.OnlyPersistent && !e.persistent {
		return time.Time{}, false
	}
	when = e.dial.next
	if until := r.bannedUntil(e.key, now); until.After(when) {
		when = until
	}
	if when.Before(now) {
		when = now
	}
	if !e.persistent && r.score(e, when) < scoreFloor {
		again := e.record.recovery()
		if !again.After(when) {
			again = when.Add(lowScoreRetry)
		}
		when = again
	}
	return when, true
}

// slots is how many more connections may be begun.
func (r *Registry) slots() int {
	free := r.opts.MaxConnected
	for _, e := range r.order {
		if e.state != stateIdle {
			free--
		}
	}
	return max(free, 0)
}

// Dialing notes that an address is being dialed. ErrState: it is not known, or
// dialed or connected already.
func (r *Registry) Dialing(addr string, now time.Time) error {
	e := r.peers[addr]
	if e == nil || e.state != stateIdle {
		return fmt.Errorf("%w: dialing %s", ErrState, addr)
	}
	e.state = stateDialing
	return nil
}

// DialFailed notes that no connection came of a dial, whether in the dial or in
// the handshake. The next one waits 5 to 90 seconds (persistent: 1 to 18),
// longer each time; 24 hours for a peer that is no use (ErrIncompatible),
// unless it is persistent.
func (r *Registry) DialFailed(addr string, err error, now time.Time) {
	e := r.peers[addr]
	if e == nil || e.state != stateDialing {
		return
	}
	e.state = stateIdle
	e.dial.met = true
	e.dial.failures++
	r.lastErr = err
	r.back(e, now)
	if errors.Is(err, ErrIncompatible) && !e.persistent {
		e.dial.next = now.Add(incompatibleTime)
	}
}

// Connected notes that a dial and its handshake have succeeded. ErrState: the
// address was not being dialed. ErrBanned: it was banned meanwhile; the owner
// closes the connection and reports DialFailed.
func (r *Registry) Connected(addr string, info Info, now time.Time) error {
	e := r.peers[addr]
	if e == nil || e.state != stateDialing {
		return fmt.Errorf("%w: connected to %s", ErrState, addr)
	}
	if r.banned(e.key, now) {
		return fmt.Errorf("%w: %s", ErrBanned, addr)
	}
	e.state = stateConnected
	e.info = info
	e.lastSeen = now
	e.sentHeader = false
	e.claim.connected(info.Height, now)
	e.dial = dialState{met: true}
	r.lastErr = nil
	return nil
}

// Disconnected notes the end of a connection and why; nil is no reason. It is
// dialed again after 5 seconds (persistent: 1).
func (r *Registry) Disconnected(addr string, reason error, now time.Time) {
	e := r.connected(addr)
	if e == nil {
		return
	}
	e.state = stateIdle
	e.lastSeen = now
	if reason != nil {
		r.lastErr = reason
	}
	r.back(e, now)
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
		if e.key == key || keyHost(e.key) == key {
			e.dial.met = true
		}
	}
}

// LastError is why the last connection failed or ended, nil if one has
// succeeded since.
func (r *Registry) LastError() error { return r.lastErr }

package registry

import (
	"fmt"
	"slices"
	"time"
)

const (
	banThreshold = 100            // points
	banTime      = 24 * time.Hour // dcrd's default too
	pointDecay   = time.Minute    // in which one point fades
	maxHistory   = 20             // reasons kept for display
)

// Reason is what a peer did wrong.
type Reason uint8

// The reasons. 100 points are a ban at once: the peer has sent data that is
// proved to be false, and no honest node does.
const (
	BadHeaders   Reason = iota // 100: invalid header: work, difficulty, ticket price, anchor
	BadFilter                  // 100: filter that its header does not commit to
	BadBlock                   // 100: block that does not match its header
	Protocol                   // 20: answer that does not fit the question
	OrphanHeader               // 10: header whose parent can't be had
	numReasons
)

var reasons = [numReasons]struct {
	points int
	text   string
}{
	BadHeaders:   {100, "invalid headers"},
	BadFilter:    {100, "false filter"},
	BadBlock:     {100, "false block"},
	Protocol:     {20, "protocol violation"},
	OrphanHeader: {10, "orphan header"},
}

// Points is what the reason costs, from 1 to 100.
func (r Reason) Points() int { return reasons[r].points }

// String says the reason in words.
func (r Reason) String() string { return reasons[r].text }

// conduct is what is held against a machine. It exists apart from the peers, so
// that neither forgetting a peer nor reaching it under another port loses it.
type conduct struct {
	points  int
	asOf    time.Time // when points was right; moves in whole steps of decay
	until   time.Time // end of the ban; zero without one
	reasons []string  // latest last
}

// settle brings the points to now. One point fades a minute, and what remains
// of a minute is not lost when there is a strike in it. A ban that is over has
// wiped the slate.
func (c *conduct) settle(now time.Time) {
	if !c.until.IsZero() && !now.Before(c.until) {
		*c = conduct{asOf: now}
	}
	steps := max(now.Sub(c.asOf)/pointDecay, 0)
	if steps >= time.Duration(c.points) {
		c.points, c.asOf = 0, now
		return
	}
	c.points -= int(steps)
	c.asOf = c.asOf.Add(steps * pointDecay)
}

// idle tells, after settle, that there is nothing to remember.
func (c *conduct) idle() bool { return c.points == 0 && c.until.IsZero() }

// Strike notes what a peer did wrong and, for the history, why that is said; it
// reports whether that has banned it now. All peers of the same IP address share the points. Strikes against a
// peer that is banned already change nothing.
func (r *Registry) Strike(addr string, reason Reason, why error, now time.Time) (newlyBanned bool) {
	key, err := r.keyOf(addr)
	if err != nil {
		return false
	}
	c := r.conduct(key, now)
	if !c.until.IsZero() {
		return false
	}
	c.points += reason.Points()
	c.reasons = append(c.reasons, reason.String())
	if n := len(c.reasons); n > maxHistory {
		c.reasons = slices.Delete(c.reasons, 0, n-maxHistory)
	}
	if e := r.peers[addr]; e != nil && reason.Points() >= banThreshold {
		e.record.condemn(now)
	}
	if c.points < banThreshold {
		return false
	}
	c.until = now.Add(banTime)
	r.refuseDial(key)
	r.noteBan(key, c.until, fmt.Sprint(why), now)
	return true
}

// Ban bans a peer, or a host given without a port, for 24 hours from now. The
// error is ErrAddress.
func (r *Registry) Ban(addr string, now time.Time) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	c := r.conduct(key, now)
	c.until = now.Add(banTime)
	r.refuseDial(key)
	r.noteBan(key, c.until, "by the operator", now)
	return nil
}

// Unban lifts the ban of a peer, forgets the points against it and takes its bans
// out of the history. Without a port it lifts every ban of that host. The error is
// ErrAddress; to lift a ban that is not there is none.
func (r *Registry) Unban(addr string) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	for k := range r.conducts {
		if k == key || keyHost(k) == key {
			delete(r.conducts, k)
		}
	}
	delete(r.conducts, keyHost(key))
	for _, e := range r.order {
		if keyHost(e.key) == keyHost(key) && r.conducts[e.key] == nil {
			e.history.forget(Ban)
		}
	}
	return nil
}

// Banned tells whether a peer is banned now. It need not be known. What is no
// address is not banned.
func (r *Registry) Banned(addr string, now time.Time) bool {
	key, err := r.keyOf(addr)
	return err == nil && r.banned(key, now)
}

// BanOf returns the ban of a peer that is banned now.
func (r *Registry) BanOf(addr string, now time.Time) (ban Event, ok bool) {
	e := r.peers[addr]
	if e == nil {
		return Event{}, false
	}
	ban = e.history.ban()
	ban.Until = toWall(r.bannedUntil(e.key, now), now)
	return ban, !ban.Until.IsZero()
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

// bannedUntil returns when the ban of a key ends, or the zero time. A ban of
// the bare host counts for all its ports.
func (r *Registry) bannedUntil(key string, now time.Time) time.Time {
	var until time.Time
	for _, k := range []string{key, keyHost(key)} {
		if c := r.conducts[k]; c != nil && now.Before(c.until) && c.until.After(until) {
			until = c.until
		}
	}
	return until
}

func (r *Registry) banned(key string, now time.Time) bool {
	return !r.bannedUntil(key, now).IsZero()
}

// held returns a copy of what is held against a key now. It changes nothing.
func (r *Registry) held(key string, now time.Time) conduct {
	c := r.conducts[key]
	if c == nil {
		return conduct{}
	}
	settled := *c
	settled.settle(now)
	return settled
}

// conduct returns what is held against a key, settled, to be changed. What no
// longer matters of all others is forgotten on the way.
func (r *Registry) conduct(key string, now time.Time) *conduct {
	for k, c := range r.conducts {
		if c.settle(now); c.idle() {
			delete(r.conducts, k)
		}
	}
	c := r.conducts[key]
	if c == nil {
		c = &conduct{asOf: now}
		r.conducts[key] = c
	}
	return c
}

// keyOf is banKey, without the work for a peer that is known.
func (r *Registry) keyOf(addr string) (string, error) {
	if e := r.peers[addr]; e != nil {
		return e.key, nil
	}
	return banKey(addr)
}

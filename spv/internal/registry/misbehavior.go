package registry

import (
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
	BadHeaders   Reason = iota // 100: invalid header: work, difficulty, ticket price, checkpoint
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

// points is what the reason costs, from 1 to 100.
func (r Reason) points() int { return reasons[r].points }

// String says the reason in words.
func (r Reason) String() string { return reasons[r].text }

// misbehavior is what is held against a machine. It exists apart from the peers, so
// that neither forgetting a peer nor reaching it under another port loses it.
type misbehavior struct {
	points  int
	asOf    time.Time // when points was right; moves in whole steps of decay
	until   time.Time // end of the ban; zero without one
	reasons []string  // latest last
}

// settle brings the points to now. One point fades a minute, and what remains
// of a minute is not lost when there is a strike in it. A ban that is over has
// wiped the slate.
func (m *misbehavior) settle(now time.Time) {
	if !m.until.IsZero() && !now.Before(m.until) {
		*m = misbehavior{asOf: now}
	}
	steps := max(now.Sub(m.asOf)/pointDecay, 0)
	if steps >= time.Duration(m.points) {
		m.points, m.asOf = 0, now
		return
	}
	m.points -= int(steps)
	m.asOf = m.asOf.Add(steps * pointDecay)
}

// strike adds the points of a reason, and reports whether that begins a ban.
func (m *misbehavior) strike(reason Reason, now time.Time) (newlyBanned bool) {
	m.points += reason.points()
	m.reasons = append(m.reasons, reason.String())
	if n := len(m.reasons); n > maxHistory {
		m.reasons = slices.Delete(m.reasons, 0, n-maxHistory)
	}
	if m.points < banThreshold {
		return false
	}
	m.ban(now)
	return true
}

// ban begins a ban, or a new one in place of it.
func (m *misbehavior) ban(now time.Time) { m.until = now.Add(banTime) }

// idle tells, after settle, that there is nothing to remember.
func (m *misbehavior) idle() bool { return m.points == 0 && m.until.IsZero() }

// bans is what is held against machines, by ban key.
type bans map[string]*misbehavior

// until returns when the ban of a key ends, or the zero time. A ban of the bare host
// counts for all its ports.
func (b bans) until(key string, now time.Time) time.Time {
	var until time.Time
	for _, k := range []string{key, keyHost(key)} {
		if m := b[k]; m != nil && now.Before(m.until) && m.until.After(until) {
			until = m.until
		}
	}
	return until
}

func (b bans) banned(key string, now time.Time) bool { return !b.until(key, now).IsZero() }

// of returns a copy of what is held against a key now. It changes nothing.
func (b bans) of(key string, now time.Time) misbehavior {
	m := b[key]
	if m == nil {
		return misbehavior{}
	}
	settled := *m
	settled.settle(now)
	return settled
}

// open returns what is held against a key, settled, to be changed. What no longer
// matters of all others is forgotten on the way.
func (b bans) open(key string, now time.Time) *misbehavior {
	for k, m := range b {
		if m.settle(now); m.idle() {
			delete(b, k)
		}
	}
	m := b[key]
	if m == nil {
		m = &misbehavior{asOf: now}
		b[key] = m
	}
	return m
}

// lift forgets what is held against a key, and its host; against all keys of a host if
// the key is one.
func (b bans) lift(key string) {
	for k := range b {
		if k == key || keyHost(k) == key {
			delete(b, k)
		}
	}
	delete(b, keyHost(key))
}

// restore enters what was saved, unless it is over.
func (b bans) restore(key string, m misbehavior, now time.Time) {
	if m.settle(now); !m.idle() {
		b[key] = &m
	}
}

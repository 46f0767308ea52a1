package registry

import "time"

// Times are compared by the steady clock that a time.Time of this process has besides
// the one on the wall, so that setting the latter ends no ban or pause and makes none
// longer. A file has the wall's alone.

// setBy is by how much the clock on the wall and the steady one have to differ for the
// former to have been set. They are not read at the same instant.
const setBy = time.Second

// fromWall returns a time that was saved as one of this process.
func fromWall(t, now time.Time) time.Time {
	return now.Add(t.Round(0).Sub(now.Round(0)))
}

// toWall returns a time as the clock on the wall has it now that may have been set since.
func toWall(t, now time.Time) time.Time {
	if set := now.Round(0).Sub(t.Round(0)) - now.Sub(t); !t.IsZero() && set.Abs() >= setBy {
		return t.Round(0).Add(set.Round(time.Second)) // the same each time
	}
	return t
}

// read makes all times of a file those of this process. One that seems to be older than
// anybody is remembered was put away for so long, or the clock is ahead by as much. That
// is not to forget everybody and end all bans: it is taken as saved just now.
func (s *saved) read(now time.Time) {
	var newest time.Time
	var times []*time.Time
	for i := range s.Peers {
		p := &s.Peers[i]
		newest = latest(newest, p.LastSeen)
		times = append(times, &p.LastSeen, &p.LastSuccess, &p.LastFailure, &p.AvoidUntil)
	}
	for i := range s.Bans {
		b := &s.Bans[i]
		newest = latest(newest, b.AsOf)
		times = append(times, &b.AsOf, &b.Until)
	}
	age := now.Sub(newest)
	if newest.IsZero() || age <= forgetAfter {
		age = 0
	}
	for _, t := range times {
		if !t.IsZero() {
			*t = fromWall(t.Add(age), now)
		}
	}
}

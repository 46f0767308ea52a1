package registry

import "time"

// A time.Time of this process has two clocks: the one on the wall, and a steady one.
// Times are compared by the steady clock, so that setting the clock on the wall ends no
// ban or pause and makes none longer. A file has the time on the wall alone.

// setBy is by how much the two clocks have to differ for the clock on the wall to have
// been set. They are not read at the same instant.
const setBy = time.Second

// fromWall returns a time that was saved as one of this process.
func fromWall(t, now time.Time) time.Time {
	return now.Add(t.Round(0).Sub(now.Round(0)))
}

// toWall returns a time by the clock on the wall as it is set now.
func toWall(t, now time.Time) time.Time {
	if set := now.Round(0).Sub(t.Round(0)) - now.Sub(t); !t.IsZero() && set.Abs() >= setBy {
		return t.Round(0).Add(set.Round(time.Second)) // the same each time
	}
	return t
}

// read makes all times of a file times of this process. If all of them seem to be older
// than anybody is remembered, the file was put away for so long, or the clock is ahead
// by as much. Neither is a reason to forget everybody and to end all bans: the file is
// taken as saved just now.
func (s *document) read(now time.Time) {
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

// latest returns the last of some times.
func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// earliest returns the first of two times.
func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

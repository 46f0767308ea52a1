package spv

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"dcrspv/spv/internal/registry"
)

// sameTime is how far two clocks may be apart that are both right.
const sameTime = 10 * time.Minute

// peersClock is what the peers' clocks say of ours, for people, who may see from it which
// one is wrong. It decides nothing: whoever connects can say what he likes. Of each
// network group one counts, so that many of one hand are one.
func (e *engine) peersClock() string {
	offsets := make(map[string]time.Duration)
	for _, addr := range slices.Sorted(maps.Keys(e.sessions)) {
		s := e.sessions[addr]
		group := registry.Group(addr)
		if host, _, err := net.SplitHostPort(addr); err == nil && group == "" {
			group = host
		}
		if _, counted := offsets[group]; !counted {
			// What it said when it connected, and what has passed since.
			theirs := s.since.Round(0).Add(s.peer.Info().TimeOffset).Add(e.now.Sub(s.since))
			offsets[group] = theirs.Sub(e.now.Round(0))
		}
	}
	return sayOffsets(slices.Collect(maps.Values(offsets)))
}

// sayOffsets says by how much most of some clocks are ahead of ours.
func sayOffsets(offsets []time.Duration) string {
	if len(offsets) == 0 {
		return ""
	}
	slices.Sort(offsets)
	middle := offsets[len(offsets)/2]
	where := fmt.Sprintf("%s ahead of it", roughly(middle))
	switch {
	case middle.Abs() < sameTime:
		middle, where = 0, "like it"
	case middle < 0:
		where = fmt.Sprintf("%s behind it", roughly(-middle))
	}
	n := 0
	for _, offset := range offsets {
		if (offset - middle).Abs() < sameTime {
			n++
		}
	}
	return fmt.Sprintf(" (the clocks of %d of %d peers are %s)", n, len(offsets), where)
}

// roughly is a time in words, as exact as it matters.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.Round(time.Second).String()
}

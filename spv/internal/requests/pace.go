package requests

import (
	"time"

	"dcrspv/spv/internal/registry"
)

// Kind is a kind of data. Each has a pace of its own.
type Kind = registry.Kind

const numKinds = registry.Blocks + 1

const (
	// Bounds of what counts as late where a peer is asked that has proved
	// nothing: a request that is merely slow is not repeated.
	lateFactor  = 8
	lateFloor   = 2 * time.Second
	lateCeiling = 15 * time.Second

	// The same for a peer that has proved itself and has room. A second copy of
	// the answer may save all the time until the first is late.
	takeoverFactor = 2
	takeoverFloor  = 50 * time.Millisecond

	// headerFloor is takeoverFloor for headers, of which an answer has 360 kB.
	headerFloor = 150 * time.Millisecond

	// lateUnknown is for when no other peer was measured, and nobody's dial took
	// more than a quarter of it. Where all take longer there is an end to that too: with
	// 63 others it takes six times as long until everybody was asked.
	lateUnknown     = 500 * time.Millisecond
	lateUnknownMost = 1200 * time.Millisecond
	dialFactor      = 4
)

// pace is how long a peer takes for an answer of one kind: a moving average, 0
// before it was measured.
type pace time.Duration

func (p *pace) learn(took time.Duration) {
	if *p == 0 {
		*p = pace(max(took, 1))
		return
	}
	*p = max((4**p+pace(took))/5, 1)
}

// atLeast notes that an answer has not come for so long.
func (p *pace) atLeast(d time.Duration) { *p = max(*p, pace(d)) }

// ranking is the two fastest connected peers of a kind, by the time that they take
// for an answer; 0 if there is none that was measured.
type ranking struct {
	addrs [2]string
	takes [2]time.Duration
}

func (t *Table[W]) rank(kind Kind) (best ranking) {
	for addr, p := range t.peers {
		switch d := time.Duration(p.paces[kind]); {
		case d == 0:
		case best.takes[0] == 0 || d < best.takes[0]:
			best.addrs[1], best.takes[1] = best.addrs[0], best.takes[0]
			best.addrs[0], best.takes[0] = addr, d
		case best.takes[1] == 0 || d < best.takes[1]:
			best.addrs[1], best.takes[1] = addr, d
		}
	}
	return best
}

// besides is the time that the fastest peer takes other than the one named; 0 if
// none was measured.
func (best *ranking) besides(addr string) time.Duration {
	if best.addrs[0] == addr {
		return best.takes[1]
	}
	return best.takes[0]
}

// lateAfter is how long a peer may take for an answer before somebody is asked
// who has proved nothing. It is measured by the others.
func (t *Table[W]) lateAfter(best *ranking, addr string) time.Duration {
	takes := best.besides(addr)
	if takes == 0 {
		return t.unknown()
	}
	return min(max(lateFactor*takes, lateFloor), lateCeiling)
}

// unknown is lateAfter when no other peer was measured. The quickest dial tells
// about the line that all of them share.
func (t *Table[W]) unknown() time.Duration {
	quickest := lateUnknownMost / dialFactor
	for _, p := range t.peers {
		quickest = min(quickest, p.dialed)
	}
	return max(dialFactor*quickest, lateUnknown)
}

// fast reports whether a peer is known to answer before others would be tried.
func (t *Table[W]) fast(p *peer[W], kind Kind) bool {
	takes := time.Duration(p.paces[kind])
	return takes > 0 && takeoverAfter(kind, takes) <= t.unknown()
}

// takeoverAfter is how old a request must be before a peer that takes this long
// for an answer is asked for it too.
func takeoverAfter(kind Kind, takes time.Duration) time.Duration {
	floor := takeoverFloor
	if kind == registry.Headers {
		floor = headerFloor
	}
	return min(max(takeoverFactor*takes+takeoverFloor, floor), lateCeiling)
}

package registry

import (
	"fmt"
	"time"
)

// Who sends filters or blocks more slowly than this for this long of the time
// that it was asked for them, is left alone for a while. Tendermint's block sync
// drops peers by the same kind of rule.
const (
	rateMin  = 4 << 10 // bytes a second
	rateSpan = 30 * time.Second

	// What comes within this time is latency and no lack of bandwidth, however
	// small it is: 100 of the first filters of the chain are 2 KB.
	rateFree = 2 * time.Second
)

// errSlow is the reason of a pause.
var errSlow = fmt.Errorf("sends less than %d bytes a second", rateMin)

// rate measures how fast bodies come from one peer.
type rate struct {
	from, until time.Time // the time measured, without the pauses between requests
	bytes       float64
	slow        int // verdicts in a row
}

// add notes n bytes that took d until now. Requests may overlap. When enough
// time is measured, it reports whether that was too slow, and begins anew.
func (m *rate) add(n int, d time.Duration, now time.Time) (slow bool) {
	if d < rateFree {
		*m = rate{}
		return false
	}
	start := now.Add(-d)
	switch {
	case m.until.IsZero() || start.Before(m.from):
		m.from = start
	case start.After(m.until):
		m.from = m.from.Add(start.Sub(m.until))
	}
	m.until = now
	m.bytes += float64(n)
	span := m.until.Sub(m.from)
	if span < rateSpan {
		return false
	}
	if m.bytes >= rateMin*span.Seconds() {
		*m = rate{}
		return false
	}
	*m = rate{slow: m.slow + 1}
	return true
}

// Delivered is Success for filters and blocks, of so many bytes in all. A peer
// that sends less than 4 KiB a second over 30 seconds of requests is not asked
// for this kind for 30 seconds, twice as long each time in a row, up to 5
// minutes, or until an answer takes less than 2 seconds; unless nobody else can be
// asked. It costs no score but what its
// latency does, and headers are not measured: they are too few.
func (r *Registry) Delivered(addr string, kind Kind, bytes int, took time.Duration, now time.Time) {
	r.Success(addr, kind, took, now)
	e := r.peers[addr]
	if e == nil || kind == Headers {
		return
	}
	if took < rateFree {
		e.cool[kind].hurries()
		e.history.pauseEnds(kind, e.cool[kind].end(), now)
	}
	m := &e.rates[kind]
	if m.add(bytes, took, now) && r.replaceable(e, kind, now) {
		e.cool[kind].crawls(m.slow, now)
		e.notePause(kind, errSlow, now)
	}
}

// replaceable tells whether somebody else can be asked for this kind.
func (r *Registry) replaceable(e *entry, kind Kind, now time.Time) bool {
	for _, other := range r.order {
		if other != e && other.state == stateConnected && other.cool[kind].over(now) && r.usable(other, now) {
			return true
		}
	}
	return false
}

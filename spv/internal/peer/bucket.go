package peer

import "time"

// A rate is how much may come at once, and how much of it comes back in a minute.
type rate struct {
	burst, perMinute float64

	// first is what a new connection may send at once, if that is less. The rest of
	// the burst is earned with time, so that connecting again does not renew it.
	first float64
}

// bucket holds what was taken of a rate and has not come back. The zero value is full.
type bucket struct {
	taken float64
	at    time.Time // when taken was right
}

// take takes n unless that is more than there is.
func (b *bucket) take(n float64, r rate, now time.Time) bool {
	taken := max(b.taken-max(now.Sub(b.at), 0).Minutes()*r.perMinute, 0)
	if taken+n > r.burst {
		return false
	}
	b.taken, b.at = taken+n, now
	return true
}

// giveBack takes back some of what was taken.
func (b *bucket) giveBack(n float64) { b.taken = max(b.taken-n, 0) }

// begin is the bucket of a new connection.
func (r rate) begin(now time.Time) (b bucket) {
	if r.first > 0 {
		b = bucket{taken: r.burst - r.first, at: now}
	}
	return b
}

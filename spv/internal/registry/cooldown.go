package registry

import "time"

// Kind is a kind of data that is asked of peers.
type Kind uint8

// The kinds.
const (
	Headers Kind = iota
	Filters
	Blocks
	numKinds
)

// String returns the name of the kind.
func (k Kind) String() string {
	return [numKinds]string{"headers", "filters", "blocks"}[k]
}

const (
	cooldownMin    = 30 * time.Second
	cooldownMax    = 5 * time.Minute
	incompleteTime = 24 * time.Hour
)

// cooldown is a pause in asking one peer for one kind of data.
type cooldown struct {
	failures   int       // in a row
	lowest     uint32    // block that they were about; 0 if they were not about blocks
	until      time.Time // end of the pause after the last failure
	incomplete time.Time // end of the pause because it lacks the data
	slow       time.Time // end of the pause because it sends too slowly
}

// failed pauses for 30 s after the first failure, twice as long after each
// further one, at most 5 minutes. height is the last block that was asked for.
func (c *cooldown) failed(height uint32, now time.Time) {
	if c.failures++; c.failures == 1 || height < c.lowest {
		c.lowest = height
	}
	c.until = now.Add(doubling(cooldownMin, c.failures, cooldownMax))
}

// succeeded ends the pause of failures. That of missing data goes on: some
// other part of it was there.
func (c *cooldown) succeeded() {
	c.failures = 0
	c.until = time.Time{}
}

// reorganized ends the pause of failures that were all about blocks above a fork:
// those are not asked for any more.
func (c *cooldown) reorganized(fork uint32) {
	if c.lowest > fork {
		c.succeeded()
	}
}

// lacks pauses for 24 hours.
func (c *cooldown) lacks(now time.Time) {
	c.incomplete = now.Add(incompleteTime)
}

// crawls pauses for 30 s after the first verdict, as after a failure. A success
// does not end it, everything that a slow peer sends is one, but a quick one does.
func (c *cooldown) crawls(n int, now time.Time) {
	c.slow = now.Add(doubling(cooldownMin, n, cooldownMax))
}

// hurries ends the pause of a slow peer.
func (c *cooldown) hurries() { c.slow = time.Time{} }

// end is when the peer may be asked.
func (c *cooldown) end() time.Time { return latest(c.until, c.incomplete, c.slow) }

// over tells whether the peer may be asked.
func (c *cooldown) over(now time.Time) bool { return !now.Before(c.end()) }

// doubling returns first for n = 1, twice that for n = 2 and so on, at most
// limit, however large n is.
func doubling(first time.Duration, n int, limit time.Duration) time.Duration {
	for ; n > 1; n-- {
		if first > limit/2 {
			return limit
		}
		first *= 2
	}
	return min(first, limit)
}

package registry

import (
	"time"
)

// maxLag is how many blocks a peer may be behind our tip before it is of no
// use (dcrwallet cuts off at the same number).
const maxLag = 6

// claim is the height of a connected peer, in three readings. What a peer says
// costs it nothing, so it is kept apart from what it has proved.
type claim struct {
	advertised uint32    // what it has said since it connected, or proved
	validated  uint32    // the highest block it has delivered a valid header of
	credit     uint32    // of advertised, what is still believed
	ends       time.Time // of the credit; zero before it was asked for it
	brought    bool      // it has delivered headers that were new
}

// connected starts over with the height in a version message, which is believed
// or not.
func (c *claim) connected(height uint32, believed bool) {
	*c = claim{advertised: height}
	if believed {
		c.credit = height
	}
}

// asked notes that the peer was asked for what it claims, and when that ends. It
// reports whether it was not asked before.
func (c *claim) asked(ends time.Time) (first bool) {
	if first = c.ends.IsZero(); first {
		c.ends = ends
	}
	return first
}

// validate notes what a peer has proved, and reports whether it has made good on
// what it said.
func (c *claim) validate(height uint32) (good bool) {
	if height >= c.advertised {
		c.advertised = height
		good = true
	}
	c.validated = max(c.validated, height)
	return good
}

// open reports whether more is believed of the peer than it has proved.
func (c *claim) open(now time.Time) bool { return c.credible(now) > c.validated }

// reorganize takes back what was proved above a fork: those blocks have left the
// best chain. What was not proved yet is still claimed, and what the peer says
// it has it still says.
func (c *claim) reorganize(fork uint32) {
	if c.credit <= c.validated {
		c.credit = 0
	}
	c.validated = min(c.validated, fork)
}

// credible is the height at which the peer is believed to be.
func (c *claim) credible(now time.Time) uint32 {
	if !c.ends.IsZero() && !now.Before(c.ends) {
		return c.validated
	}
	return max(c.credit, c.validated)
}

// stated is the height that the peer says it is at.
func (c *claim) stated() uint32 { return max(c.advertised, c.validated) }

// doubt is what failed claims leave behind. It belongs to the machine: neither a
// new connection nor a new port gets rid of it.
type doubt struct {
	failures int       // claims in a row that were not made good
	until    time.Time // until then nothing that it says is believed
}

const (
	doubtMin = 30 * time.Second
	doubtMax = 24 * time.Hour

	// maxDoubts bounds the machines remembered.
	maxDoubts = 1000
)

// doubted adds a failure to those of a machine. If there are too many of them the
// one is forgotten that is believed again first.
func (r *Registry) doubted(key string, now time.Time) {
	d := r.doubts[key]
	d.failures++
	d.until = now.Add(doubling(doubtMin, d.failures, doubtMax))
	r.doubts[key] = d
	if len(r.doubts) <= maxDoubts {
		return
	}
	soonest := key
	for k, other := range r.doubts {
		if other.until.Before(r.doubts[soonest].until) {
			soonest = k
		}
	}
	delete(r.doubts, soonest)
}

// Asked notes that a connected peer was asked for the blocks that it claims. It
// has until the time given to deliver something new and valid (Brought), each time
// anew; then it is credited no more than it has delivered. It reports whether this
// began that time.
func (r *Registry) Asked(addr string, until time.Time) (first bool) {
	e := r.connected(addr)
	return e != nil && e.claim.asked(until)
}

// Coming has the claim of a connected peer that was asked for it count until the time
// given at least: what it was first asked for is coming in.
func (r *Registry) Coming(addr string, until time.Time) {
	if e := r.connected(addr); e != nil && !e.claim.ends.IsZero() {
		e.claim.ends = latest(e.claim.ends, until)
	}
}

// Away notes that we stood still for so long: nobody's time has passed.
func (r *Registry) Away(d time.Duration) {
	for _, e := range r.order {
		if !e.claim.ends.IsZero() {
			e.claim.ends = e.claim.ends.Add(d)
		}
	}
}

// Brought notes that a connected peer has delivered valid headers that are new:
// its claim counts until it is asked on and fails then. It ends the peer's cooldown
// for headers; an answer, which makes the score, is a Success besides.
func (r *Registry) Brought(addr string, now time.Time) {
	if e := r.connected(addr); e != nil {
		e.claim.ends, e.claim.brought = time.Time{}, true
		e.cool[Headers].succeeded()
		e.history.pauseEnds(Headers, e.cool[Headers].end(), now)
	}
}

// Announced notes that a connected peer says it has the block at this height of
// the best chain: what it said when it connected is out of date.
func (r *Registry) Announced(addr string, height uint32) {
	if e := r.connected(addr); e != nil {
		e.claim.advertised = max(e.claim.advertised, height)
	}
}

// Validated notes that a connected peer has delivered the valid header of a
// block at this height. If some of what it delivered was new and it has reached
// what it claims, it is doubted no more: headers that everybody has make nothing
// good.
func (r *Registry) Validated(addr string, height uint32, now time.Time) {
	if e := r.connected(addr); e != nil {
		if e.claim.validate(height) && e.claim.brought {
			delete(r.doubts, e.key)
		}
		e.lastSeen = now
	}
}

// Reorganized notes that the blocks above a height have left the best chain:
// having delivered them is no reason any more to be asked for what follows, and not
// having delivered them none to pause.
func (r *Registry) Reorganized(fork uint32, now time.Time) {
	for _, e := range r.order {
		e.claim.reorganize(fork)
		for kind := range numKinds {
			e.cool[kind].reorganized(fork)
			e.history.pauseEnds(kind, e.cool[kind].end(), now)
		}
	}
}

// ClaimFailed notes that a peer was asked for the blocks it claims and did not
// have them. It is credited no more than it has delivered, and what it says
// when it connects again, under whatever port, is doubted for 30 seconds, twice
// as long each further time, up to a day. It says nothing about a peer that
// claimed no more than it has delivered.
func (r *Registry) ClaimFailed(addr string, now time.Time) {
	if e := r.connected(addr); e != nil && e.claim.credit > e.claim.validated {
		e.claim.credit = 0
		r.doubted(e.key, now)
	}
}

// Claim returns the height at which a peer is believed to be: what it claims,
// until that has failed, and at least what it has delivered. It is 0 for an
// unknown peer. For a peer that has left it is the last belief.
func (r *Registry) Claim(addr string, now time.Time) uint32 {
	if e := r.peers[addr]; e != nil {
		return e.claim.credible(now)
	}
	return 0
}

// Height returns the height that a peer says it is at, believed or not.
func (r *Registry) Height(addr string) uint32 {
	if e := r.peers[addr]; e != nil {
		return e.claim.stated()
	}
	return 0
}

// Target returns the highest height at which a connected peer is believed to
// be. Peers that would not be asked because of their conduct or score don't
// count. It is 0 without peers.
func (r *Registry) Target(now time.Time) uint32 {
	var target uint32
	for _, e := range r.order {
		if e.state == stateConnected && r.usable(e, now) {
			target = max(target, e.claim.credible(now))
		}
	}
	return target
}

// ClaimTime is when the next claim ends that was not made good; the zero time if
// none is open.
func (r *Registry) ClaimTime(now time.Time) (next time.Time) {
	for _, e := range r.order {
		if e.state != stateConnected || e.claim.ends.IsZero() || !e.claim.open(now) {
			continue
		}
		if next.IsZero() || e.claim.ends.Before(next) {
			next = e.claim.ends
		}
	}
	return next
}

// Lagging returns the connected peers that, even by their own word, are more
// than 6 blocks behind tip.
func (r *Registry) Lagging(tip uint32) []string {
	var addrs []string
	for _, e := range r.order {
		if e.state == stateConnected && uint64(e.claim.stated())+maxLag < uint64(tip) {
			addrs = append(addrs, e.addr)
		}
	}
	return addrs
}

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
	advertised uint32    // what it has said when it connected, or proved since
	validated  uint32    // the highest block it has delivered a valid header of
	credit     uint32    // of advertised, what is still believed
	failures   int       // claims in a row that it did not make good on
	doubt      time.Time // until then nothing it says is believed
}

// connected starts over with the height in a version message. Doubts stay: a
// liar doesn't get rid of them by connecting again.
func (c *claim) connected(height uint32, now time.Time) {
	*c = claim{advertised: height, failures: c.failures, doubt: c.doubt}
	if !now.Before(c.doubt) {
		c.credit = height
	}
}

// validate notes what a peer has proved.
func (c *claim) validate(height uint32) {
	if height >= c.advertised { // it has made good on what it said
		c.advertised = height
		c.failures = 0
		c.doubt = time.Time{}
	}
	c.validated = max(c.validated, height)
}

// failed takes back the credit: the peer was asked for what it claims and did
// not deliver. It says nothing about a peer that claimed no more than it has
// delivered.
func (c *claim) failed(now time.Time) {
	if c.credit <= c.validated {
		return
	}
	c.credit = 0
	c.failures++
	c.doubt = now.Add(doubling(cooldownMin, c.failures, cooldownMax))
}

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
func (c *claim) credible() uint32 { return max(c.credit, c.validated) }

// stated is the height that the peer says it is at.
func (c *claim) stated() uint32 { return max(c.advertised, c.validated) }

// Validated notes that a connected peer has delivered the valid header of a
// block at this height, or is otherwise known to have that block.
func (r *Registry) Validated(addr string, height uint32, now time.Time) {
	if e := r.connected(addr); e != nil {
		e.claim.validate(height)
		e.lastSeen = now
	}
}

// Reorganized notes that the blocks above a height have left the best chain:
// having delivered them is no reason any more to be asked for what follows.
func (r *Registry) Reorganized(fork uint32) {
	for _, e := range r.order {
		e.claim.reorganize(fork)
	}
}

// ClaimFailed notes that a peer was asked for the blocks it claims and did not
// have them. It is credited no more than it has delivered, and what it says
// when it connects again is doubted for 30 seconds, twice as long each further
// time, up to 5 minutes.
func (r *Registry) ClaimFailed(addr string, now time.Time) {
	if e := r.connected(addr); e != nil {
		e.claim.failed(now)
	}
}

// Claim returns the height at which a peer is believed to be: what it claims,
// until that has failed, and at least what it has delivered. It is 0 for an
// unknown peer. For a peer that has left it is the last belief.
func (r *Registry) Claim(addr string) uint32 {
	if e := r.peers[addr]; e != nil {
		return e.claim.credible()
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
			target = max(target, e.claim.credible())
		}
	}
	return target
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

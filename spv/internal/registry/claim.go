package registry

import "time"

// MaxLag is how many blocks a peer may be behind our tip. One that is further behind
// can't help us (dcrwallet spv/sync.go, disconnectStragglers, has the same 6).
const MaxLag = 6

// claim is the height of a connected peer, in three readings. Claims cost a peer
// nothing, so they are kept apart from what it has proved.
type claim struct {
	advertised uint32    // the height it has said since it connected, or proved
	validated  uint32    // the highest block it has delivered a valid header of
	credit     uint32    // how much of advertised is still believed
	ends       time.Time // of the credit; zero before the peer was asked
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

// ask notes that the peer was asked for what it claims, and when the credit ends. It
// reports whether it was not asked before.
func (c *claim) ask(ends time.Time) (first bool) {
	if first = !c.asked(); first {
		c.ends = ends
	}
	return first
}

// asked tells whether the peer was asked and has not delivered anything new since.
func (c *claim) asked() bool { return !c.ends.IsZero() }

// validate notes what a peer has proved, and reports whether that is all that it said.
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
// best chain. A claim that was not proved yet stays, and so does what the peer says.
func (c *claim) reorganize(fork uint32) {
	if c.credit <= c.validated {
		c.credit = 0
	}
	c.validated = min(c.validated, fork)
}

// credible is the height at which the peer is believed to be.
func (c *claim) credible(now time.Time) uint32 {
	if c.asked() && !now.Before(c.ends) {
		return c.validated
	}
	return max(c.credit, c.validated)
}

// stated is the height that the peer says it is at.
func (c *claim) stated() uint32 { return max(c.advertised, c.validated) }

// Asked notes that a connected peer was asked for the blocks that it claims. The peer
// has until the given time to deliver something new and valid (Brought), each time
// anew; then it is credited no more than it has delivered. Asked reports whether this
// began that time.
func (r *Registry) Asked(addr string, until time.Time) (first bool) {
	e := r.connected(addr)
	return e != nil && e.claim.ask(until)
}

// Coming extends the claim of a connected peer that was asked for it until the given
// time at least: the first answer is coming in.
func (r *Registry) Coming(addr string, until time.Time) {
	if e := r.connected(addr); e != nil && e.claim.asked() {
		e.claim.ends = latest(e.claim.ends, until)
	}
}

// Away notes that this process stood still for so long: nobody's time has passed.
func (r *Registry) Away(d time.Duration) {
	for _, e := range r.order {
		if e.claim.asked() {
			e.claim.ends = e.claim.ends.Add(d)
		}
	}
}

// Brought notes that a connected peer has delivered valid headers that are new: its
// claim counts until it is asked again and fails. It ends the peer's cooldown for
// headers. The score changes only with Success, which an answer is too.
func (r *Registry) Brought(addr string, now time.Time) {
	if e := r.connected(addr); e != nil {
		e.claim.ends, e.claim.brought = time.Time{}, true
		e.cool[Headers].succeeded()
		e.history.pauseEnds(Headers, e.cool[Headers].end(), now)
	}
}

// Announced notes that a connected peer says it has the block at this height of
// the best chain: the height that it said when it connected is out of date.
func (r *Registry) Announced(addr string, height uint32) {
	if e := r.connected(addr); e != nil {
		e.claim.advertised = max(e.claim.advertised, height)
	}
}

// Validated notes that a connected peer has delivered the valid header of a
// block at this height. If it has reached its claim, and some of its headers were new,
// there is no doubt about it any more. Headers that everybody has prove nothing.
func (r *Registry) Validated(addr string, height uint32, now time.Time) {
	if e := r.connected(addr); e != nil {
		if e.claim.validate(height) && e.claim.brought {
			r.doubts.forget(e.key)
		}
		e.seen(now)
	}
}

// Reorganized notes that the blocks above a height have left the best chain. Peers
// that have delivered them have proved nothing by it any more, and failures to deliver
// them are no reason for a pause any more.
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
// have them. It is credited no more than it has delivered, and after it connects
// again, on any port, its claims are doubted for 30 seconds, twice as long each further
// time, up to a day. Nothing changes for a peer that claimed no more than it has
// delivered.
func (r *Registry) ClaimFailed(addr string, now time.Time) {
	if e := r.connected(addr); e != nil && e.claim.credit > e.claim.validated {
		e.claim.credit = 0
		r.doubts.add(e.key, now)
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

// Proved returns the highest block of the best chain that a peer has shown to
// have.
func (r *Registry) Proved(addr string) uint32 {
	if e := r.peers[addr]; e != nil {
		return e.claim.validated
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

// ClaimTime is when the next unproved claim ends; the zero time if none is open.
func (r *Registry) ClaimTime(now time.Time) (next time.Time) {
	for _, e := range r.order {
		if !e.conn.up() || !e.claim.asked() || !e.claim.open(now) {
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
		if e.conn.up() && uint64(e.claim.stated())+MaxLag < uint64(tip) {
			addrs = append(addrs, e.addr)
		}
	}
	return addrs
}

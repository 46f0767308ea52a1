package registry

import "time"

// state of a peer. Only dialing leads to connected, so there are never two
// connections to one address.
type state uint8

const (
	stateIdle state = iota
	stateDialing
	stateConnected
)

// connection is the state of the one connection that an address can have.
type connection struct {
	state      state
	info       Info      // of the last handshake, also after the connection has ended
	since      time.Time // of the last connection
	sentHeader bool      // sendheaders was sent in it
}

func (c *connection) idle() bool { return c.state == stateIdle }

func (c *connection) up() bool { return c.state == stateConnected }

func (c *connection) dialing() { c.state = stateDialing }

func (c *connection) established(info Info, now time.Time) {
	*c = connection{state: stateConnected, info: info, since: now}
}

func (c *connection) ended() { c.state = stateIdle }

func (c *connection) noteSendHeaders() { c.sentHeader = true }

// restore sets what was saved of the last handshake.
func (c *connection) restore(info Info) { c.info = info }

// connected returns the peer if it is connected, else nil.
func (r *Registry) connected(addr string) *entry {
	if e := r.peers[addr]; e != nil && e.conn.up() {
		return e
	}
	return nil
}

// busy counts the connections that stand and those that are being made.
func (r *Registry) busy() (connected, dialing int) {
	for _, e := range r.order {
		switch e.conn.state {
		case stateConnected:
			connected++
		case stateDialing:
			dialing++
		}
	}
	return connected, dialing
}

// slots is how many more connections may be begun.
func (r *Registry) slots() int {
	connected, dialing := r.busy()
	return max(r.opts.MaxConnected-connected-dialing, 0)
}

// Alone tells that nobody is connected or being dialed.
func (r *Registry) Alone() bool {
	connected, dialing := r.busy()
	return connected+dialing == 0
}

package registry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/decred/dcrd/wire"
)

// Options are fixed when a Registry is made.
type Options struct {
	// MaxConnected is how many connections, standing or being made, there may
	// be at a time; 0 is 8. One more may stand for a while to try out a better
	// peer, never with OnlyPersistent.
	MaxConnected int

	// MaxPeers is how many addresses are remembered; 0 is 1000. Connected,
	// banned and persistent peers are never forgotten for lack of room.
	MaxPeers int

	// OnlyPersistent keeps NextDial from naming any other peer.
	OnlyPersistent bool
}

// Registry is all that is known about peers. It is not safe for concurrent use;
// only a Subscription is. Everything it returns is a copy.
//
// Methods that report an event of an address that is not known, or not in the
// state that the event needs, change nothing: it is a late message about a
// peer that is gone.
type Registry struct {
	opts     Options
	rng      *rand.Rand
	peers    map[string]*entry
	order    []*entry            // the same, oldest first: maps have no order of their own
	conducts map[string]*conduct // by ban key
	doubts   map[string]doubt    // likewise
	lastErr  error
	newer    error // why Marshal must not overwrite what was saved

	nextProbe time.Time // not before this, one more connection than MaxConnected
	stranger  bool      // and that at once, though all who are connected are new
	again     bool      // and though the one that it is for was met
	leaving   *entry    // named by NextEviction
	subs      []*Subscription
	closed    bool
}

// entry is a peer.
type entry struct {
	addr       string
	key        string // of its bans
	group      string // "" is none
	persistent bool
	state      state
	info       Info
	lastSeen   time.Time // heard from, or heard of if never connected
	sentHeader bool      // sendheaders was sent in this connection
	since      time.Time // of the connection
	dial       dialState
	claim      claim
	record     record
	cool       [numKinds]cooldown
	rates      [numKinds]rate
	history    history
}

// Info is what a peer told about itself in the handshake.
type Info struct {
	UserAgent string // printable
	PVer      uint32
	Services  wire.ServiceFlag
	Height    uint32
}

// New makes an empty registry. rng is used for jitter and to choose among
// equals; the registry is its only user from now on.
func New(opts Options, rng *rand.Rand) *Registry {
	if opts.MaxConnected == 0 {
		opts.MaxConnected = 8
	}
	if opts.MaxPeers == 0 {
		opts.MaxPeers = 1000
	}
	return &Registry{
		opts:     opts,
		rng:      rng,
		peers:    make(map[string]*entry),
		conducts: make(map[string]*conduct),
		doubts:   make(map[string]doubt),
	}
}

// Add enters an address, which must have a port. A persistent peer is dialed
// before others, at shorter intervals, and never forgotten; a known peer may
// become persistent. Errors are ErrAddress and ErrFull.
func (r *Registry) Add(addr string, persistent bool, now time.Time) error {
	addr, err := NormalizeAddr(addr, "")
	if err != nil {
		return err
	}
	e := r.peers[addr]
	if e == nil {
		if len(r.order) >= r.opts.MaxPeers && !r.forgetWorst(now) && !persistent {
			return fmt.Errorf("%w: no room for %s", ErrFull, addr)
		}
		if e, err = r.insert(addr); err != nil {
			return err
		}
		e.lastSeen = now
	}
	if persistent && !e.persistent {
		e.persistent = true
		e.dial.met = e.state == stateConnected || r.banned(e.key, now)
	}
	return nil
}

// goesBy tells whether a ban of a key, or of a host, is one of this address.
func (e *entry) goesBy(key string) bool { return e.key == key || keyHost(e.key) == key }

// insert enters an address in its normal form. The error is ErrAddress.
func (r *Registry) insert(addr string) (*entry, error) {
	key, err := banKey(addr)
	if err != nil {
		return nil, err
	}
	e := &entry{addr: addr, key: key, group: Group(addr)}
	r.peers[addr] = e
	r.order = append(r.order, e)
	return e, nil
}

// forgetWorst makes room: of the idle peers the one that could least often be
// reached, has the lowest score and was seen last the longest ago.
func (r *Registry) forgetWorst(now time.Time) bool {
	var idle []*entry
	for _, e := range r.order {
		if e.state == stateIdle && !e.persistent && !r.banned(e.key, now) {
			idle = append(idle, e)
		}
	}
	if len(idle) == 0 {
		return false
	}
	r.rng.Shuffle(len(idle), func(i, j int) { idle[i], idle[j] = idle[j], idle[i] })
	worst := slices.MaxFunc(idle, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(a.dial.failures, b.dial.failures),
			cmp.Compare(r.score(b, now), r.score(a, now)),
			b.lastSeen.Compare(a.lastSeen),
		)
	})
	delete(r.peers, worst.addr)
	r.order = slices.DeleteFunc(r.order, func(e *entry) bool { return e == worst })
	return true
}

// connected returns the peer if it is connected, else nil.
func (r *Registry) connected(addr string) *entry {
	if e := r.peers[addr]; e != nil && e.state == stateConnected {
		return e
	}
	return nil
}

// Len is the number of addresses known.
func (r *Registry) Len() int { return len(r.order) }

// SentHeaders notes that sendheaders went to a connected peer, for List.
func (r *Registry) SentHeaders(addr string) {
	if e := r.connected(addr); e != nil {
		e.sentHeader = true
	}
}

// Reset forgets how well a peer has served and what it claimed, good and bad, and
// takes its disconnects and pauses out of the history. Without a port it does so
// for all peers of that host. Bans and points stay.
// The error is ErrAddress; to reset a peer that is not known is none.
func (r *Registry) Reset(addr string) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	for _, e := range r.order {
		if e.goesBy(key) {
			e.record = record{}
			e.cool = [numKinds]cooldown{}
			e.rates = [numKinds]rate{}
			delete(r.doubts, e.key)
			e.dial = dialState{met: e.dial.met}
			e.history.forget(Disconnect, Pause)
		}
	}
	return nil
}

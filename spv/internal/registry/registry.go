package registry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/decred/dcrd/wire"
)

// Options are what a Registry is made with. Choose changes the first and the last.
type Options struct {
	// MaxConnected is how many connections, standing or being made, there may
	// be at a time; 0 is 8. One more is possible for a while, to try out a better
	// peer, but not with OnlyPersistent.
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
// Methods that report an event change nothing if the address is not known, or not in
// the state that the event needs: it is a late message about a peer that is gone.
type Registry struct {
	opts    Options
	rng     *rand.Rand
	peers   map[string]*entry
	order   []*entry // the same peers, oldest first
	bans    bans
	doubts  doubts
	extra   extraSlot
	subs    subscribers
	saved   savedVersion
	lastErr error
}

// entry is a peer.
type entry struct {
	addr       string
	key        string // of its bans
	group      string // "" is none
	persistent bool
	lastSeen   time.Time // heard from, or heard of if never connected
	conn       connection
	dial       dialState
	claim      claim
	service    serviceStats
	cool       [numKinds]cooldown
	rates      [numKinds]rate
	history    history
}

// seen notes that a peer was heard from.
func (e *entry) seen(now time.Time) { e.lastSeen = now }

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
		opts:   opts,
		rng:    rng,
		peers:  make(map[string]*entry),
		bans:   make(bans),
		doubts: make(doubts),
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
		e.seen(now)
	}
	if persistent && !e.persistent {
		e.persistent = true
		e.dial.chosen(e.conn.up() || r.bans.banned(e.key, now))
	}
	return nil
}

// Choose makes some addresses the only persistent ones, and the only ones to dial; with
// none of them all may be dialed. Up to most may be connected from now on. The owner
// disconnects who is not wanted any more. The error is ErrAddress.
func (r *Registry) Choose(addrs []string, most int, now time.Time) error {
	keep := make(map[string]bool)
	for _, addr := range addrs {
		normal, err := NormalizeAddr(addr, "")
		if err == nil {
			err = r.Add(normal, true, now)
		}
		if err != nil {
			return err
		}
		keep[normal] = true
	}
	for _, e := range r.order {
		e.persistent = keep[e.addr]
	}
	r.opts.OnlyPersistent, r.opts.MaxConnected = len(addrs) > 0, most
	r.lastErr = nil
	return nil
}

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
		if e.conn.idle() && !e.persistent && !r.bans.banned(e.key, now) {
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

// Len is the number of addresses known.
func (r *Registry) Len() int { return len(r.order) }

// LastError is why the last connection failed or ended, nil if one has
// succeeded since.
func (r *Registry) LastError() error { return r.lastErr }

func (r *Registry) setLastError(err error) { r.lastErr = err }

// Reset forgets how well a peer has served and what it claimed, good and bad, and
// takes its disconnects and pauses out of the history. Without a port it does so
// for all peers of that host. Bans and points stay. The error is ErrAddress; an unknown
// peer is no error.
func (r *Registry) Reset(addr string) error {
	key, err := r.keyOf(addr)
	if err != nil {
		return err
	}
	for _, e := range r.order {
		if coversKey(key, e.key) {
			e.service = serviceStats{}
			e.cool = [numKinds]cooldown{}
			e.rates = [numKinds]rate{}
			r.doubts.forget(e.key)
			e.dial.forget()
			e.history.forget(Disconnect, Pause)
		}
	}
	return nil
}

package requests

import (
	"slices"
	"time"

	"dcrspv/spv/internal/registry"
)

// Table is who is asked for what, among the connected peers. It is not safe for
// concurrent use.
type Table[W any] struct {
	peers  map[string]*peer[W]
	proven int // peers that have delivered
	line   line
}

// peer is what is known of a connected peer's service.
type peer[W any] struct {
	dialed    time.Duration // how long it took to connect
	attempts  []*Attempt[W]
	paces     [numKinds]pace
	delivered [numKinds]time.Time // when it last did
	proven    bool                // it has delivered filters or blocks: headers anybody has
	misses    [numKinds]int       // requests in a row that somebody else was asked for and did
	window    window
	rate      float64 // bytes a second of its fastest answer
}

// NewTable makes a table without peers.
func NewTable[W any]() *Table[W] {
	return &Table[W]{peers: make(map[string]*peer[W])}
}

// Join enters a peer that has connected; dialed is how long that took.
func (t *Table[W]) Join(addr string, dialed time.Duration) {
	t.peers[addr] = &peer[W]{dialed: dialed, window: window{size: firstWindow}}
}

// Leave takes back what a lost peer was at. Whoever fails by leaving may do
// better when it is back.
func (t *Table[W]) Leave(addr string) {
	if p := t.peers[addr]; p != nil {
		for _, a := range slices.Clone(p.attempts) {
			t.remove(a)
		}
		if p.proven {
			t.proven--
		}
		delete(t.peers, addr)
	}
}

// learnRate notes how fast an answer came.
func (p *peer[W]) learnRate(bytes int, took time.Duration) {
	if took > 0 {
		p.rate = max(p.rate, float64(bytes)/took.Seconds())
	}
}

// Measured reports how long a peer takes for an answer of a kind, by those that
// were verified; 0 if there were none.
func (t *Table[W]) Measured(addr string, kind Kind) time.Duration {
	if p := t.peers[addr]; p != nil {
		return time.Duration(p.paces[kind])
	}
	return 0
}

// OthersTake is how long the fastest of the other peers takes for an answer of a
// kind; 0 if none was measured.
func (t *Table[W]) OthersTake(addr string, kind Kind) time.Duration {
	best := t.rank(kind)
	return best.besides(addr)
}

// Learn notes a verified answer that is no Attempt: header requests depend on
// whom they are for, so their stage keeps them itself.
func (t *Table[W]) Learn(addr string, kind Kind, bytes int, took time.Duration) {
	if p := t.peers[addr]; p != nil {
		p.learnRate(bytes, took)
		p.paces[kind].learn(took)
		p.misses[kind] = 0
	}
}

// maxMisses is how many misses count.
const maxMisses = 8

// Overdue notes that a peer has not answered for so long, and that somebody else
// was asked.
func (t *Table[W]) Overdue(addr string, kind Kind, waited time.Duration) {
	p := t.peers[addr]
	if p == nil {
		return
	}
	p.misses[kind]++
	if p.paces[kind] > 0 {
		p.paces[kind].atLeast(waited)
	}
}

// LateAfter is how long a peer may take for an answer until somebody else is
// asked: one that has proved to be fast or, for want of one, anybody. A peer that
// has proved nothing, or to be fast, gets no more time because the others are slow.
func (t *Table[W]) LateAfter(addr string, kind Kind) time.Duration {
	takes := t.OthersTake(addr, kind)
	if takes == 0 {
		return t.unknown()
	}
	after := takeoverAfter(kind, takes)
	if p := t.peers[addr]; p == nil || p.paces[kind] == 0 || t.fast(p, kind) {
		after = min(after, t.unknown())
	}
	return after
}

// room is how many requests more a peer may have. Where others have proved
// themselves, one that has not gets one, and one that is late one beyond those.
func (t *Table[W]) room(p *peer[W]) int {
	size, late := p.window.size, 0
	for _, a := range p.attempts {
		if a.late {
			late++
		}
	}
	switch {
	case !p.proven && t.proven > 0:
		size = 1
	case late > 0 && t.proven > 1:
		size = min(late+1, MaxWindow)
	}
	return max(size-len(p.attempts), 0)
}

// late reports whether the peer is late with anything.
func (p *peer[W]) late() bool {
	return slices.ContainsFunc(p.attempts, func(a *Attempt[W]) bool { return a.late })
}

// moves reports whether answers of the peer come in.
func (p *peer[W]) moves() bool {
	return slices.ContainsFunc(p.attempts, func(a *Attempt[W]) bool { return a.Moves != nil && a.Moves() })
}

// free reports whether any peer may have one more request.
func (t *Table[W]) free() bool {
	for _, p := range t.peers {
		if t.room(p) > 0 {
			return true
		}
	}
	return false
}

// expected is how long a peer is expected to take for one request more. Of one
// that was not measured nothing good is expected, and less with each request that
// somebody else had to do in its place.
func (t *Table[W]) expected(p *peer[W], kind Kind, fastest time.Duration) time.Duration {
	takes := time.Duration(p.paces[kind])
	if takes == 0 {
		takes = takeoverAfter(kind, fastest) << min(p.misses[kind], maxMisses)
	}
	return takes * time.Duration(len(p.attempts)+1)
}

// choose returns who is asked next for a request: of those able, best first, the
// one that is expected to be done first. hope tells that there is one, although
// it may have no room now.
func (t *Table[W]) choose(r *Request[W], able []string, fits func(p *peer[W]) bool) (best string, hope bool) {
	fastest := t.rank(r.Kind).takes[0]
	var soonest time.Duration
	for _, addr := range able {
		p := t.peers[addr]
		if p == nil || r.Failed(addr) || r.At(addr) {
			continue
		}
		hope = true
		if t.room(p) == 0 || !fits(p) {
			continue
		}
		if d := t.expected(p, r.Kind, fastest); best == "" || d < soonest {
			best, soonest = addr, d
		}
	}
	return best, hope
}

func anybody[W any](*peer[W]) bool { return true }

func (t *Table[W]) start(r *Request[W], addr string, now time.Time) *Attempt[W] {
	a := r.begin(addr, now)
	p := t.peers[addr]
	p.attempts = append(p.attempts, a)
	return a
}

func (t *Table[W]) remove(a *Attempt[W]) {
	a.end()
	if p := t.peers[a.Peer]; p != nil {
		p.attempts = slices.DeleteFunc(p.attempts, func(other *Attempt[W]) bool { return other == a })
	}
}

// Away notes that we stood still for so long: nobody is late for that.
func (t *Table[W]) Away(d time.Duration) {
	for _, p := range t.peers {
		for _, a := range p.attempts {
			a.wait(d)
		}
	}
}

// Succeeded notes that an attempt has brought what was asked for, verified. It
// reports whether the attempt still counted: that of a lost peer does not. Who is
// late with the same request is expected to be slower from now on.
func (t *Table[W]) Succeeded(a *Attempt[W], bytes int, took time.Duration, now time.Time) bool {
	if a.over {
		return false
	}
	p, r := t.peers[a.Peer], a.Request
	took = min(took, now.Sub(a.Since)) // without the time that we were away
	if r.Kind != registry.Blocks {     // blocks differ too much in size
		p.window.learn(took, len(p.attempts))
	}
	p.learnRate(bytes, took)
	p.paces[r.Kind].learn(took)
	p.misses[r.Kind], p.delivered[r.Kind] = 0, now
	if !p.proven {
		p.proven = true
		t.proven++
	}
	t.remove(a)
	for _, other := range r.attempts {
		if other.late {
			t.Overdue(other.Peer, r.Kind, now.Sub(other.Since))
		}
	}
	return true
}

// Failed notes that a peer could not do it. Until everybody else could not either
// it is not asked for it again.
func (t *Table[W]) Failed(a *Attempt[W], now time.Time) bool {
	if a.over {
		return false
	}
	a.Request.fail(a.Peer, now)
	t.remove(a)
	return true
}

// Dropped notes the end of an attempt that says nothing about the peer.
func (t *Table[W]) Dropped(a *Attempt[W]) bool {
	if a.over {
		return false
	}
	t.remove(a)
	return true
}

// Finish ends a request that is done or not needed any more, and calls off whoever
// is still at it; the owner reports the end of those as Dropped.
func (t *Table[W]) Finish(r *Request[W]) {
	r.finish()
	for _, a := range r.attempts {
		a.Cancel()
	}
}

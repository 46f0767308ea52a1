package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const maxConnected, maxPeers = 3, 12

// Whatever happens in whatever order: a banned peer is never named, a ban lasts
// until its end over saving and loading, no more than MaxConnected connections
// and one are begun, the list is what a naive model says, and a subscriber sees
// connections begin and end by turns.
// Rule 14.
func TestAnySequenceKeepsTheRules(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t, rng.IntN)
		for range 400 {
			w.step()
			w.check()
			if t.Failed() {
				t.Fatalf("seed %d, after %s", seed, w.last)
			}
		}
	}
}

// FuzzAnySequence takes every byte as a choice.
func FuzzAnySequence(f *testing.F) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 9))
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 1500)]
		w := newWorld(t, func(n int) int {
			choice := 0
			for bound := 1; bound < n && len(data) > 0; bound *= 256 {
				choice = choice*256 + int(data[0])
				data = data[1:]
			}
			return choice % n
		})
		for len(data) > 0 && !t.Failed() {
			w.step()
			w.check()
		}
		if t.Failed() {
			t.Fatalf("after %s", w.last)
		}
	})
}

// world is a registry, the model of it and a clock.
type world struct {
	t     *testing.T
	pick  func(n int) int // from 0 to n-1
	now   time.Time
	reg   *Registry
	model *model
	sub   *Subscription
	up    map[string]bool // what the subscriber knows
	last  string
}

func newWorld(t *testing.T, pick func(n int) int) *world {
	w := &world{
		t: t, pick: pick, now: t0, model: newModel(), up: make(map[string]bool),
		reg: New(Options{MaxConnected: maxConnected, MaxPeers: maxPeers}, rand.New(rand.NewPCG(1, 2))),
	}
	w.sub = w.reg.Subscribe()
	return w
}

// addr chooses among few enough that they meet again: two to a group, two ports
// of one machine, loopback.
func (w *world) addr() string {
	i := w.pick(20)
	switch {
	case i < 4:
		return fmt.Sprintf("127.0.0.1:%d", 1+i)
	case i < 6:
		return fmt.Sprintf("198.10.0.1:%d", i)
	}
	return fmt.Sprintf("198.%d.0.%d:9108", i/2, 1+i%2)
}

func (w *world) step() {
	steps := []struct {
		name string
		do   func(addr string)
	}{
		{"add", func(addr string) { w.add(addr, false) }},
		{"add", func(addr string) { w.add(addr, false) }},
		{"add persistent", func(addr string) { w.add(addr, w.pick(4) == 0) }},
		{"dial", w.dial}, {"dial", w.dial},
		{"connect", w.connect}, {"connect", w.connect},
		{"disconnect", w.disconnect},
		{"evict", func(string) {
			if addr, ok := w.reg.NextEviction(w.now); ok {
				w.disconnect(addr)
			}
		}},
		{"serve", w.serve}, {"serve", w.serve}, {"serve", w.serve},
		{"heights", w.heights},
		{"strike", w.strike}, {"strike", w.strike},
		{"judge", w.judge},
		{"wait long", func(string) { w.now = w.now.Add(time.Duration(w.pick(180)) * time.Minute) }},
		{"wait", func(string) { w.now = w.now.Add(time.Duration(w.pick(20_000)) * time.Millisecond) }},
		{"restart", func(string) { w.restart() }},
		{"read", func(string) { w.read() }},
	}
	s, addr := steps[w.pick(len(steps))], w.addr()
	w.last = s.name + " " + addr
	s.do(addr)
}

func (w *world) add(addr string, persistent bool) {
	err := w.reg.Add(addr, persistent, w.now)
	p, full := w.model.peers[addr], len(w.model.peers) >= maxPeers
	if p == nil && full {
		w.forgotten(err, persistent)
	}
	if err != nil {
		if !errors.Is(err, ErrFull) || p != nil || persistent || !full {
			w.t.Errorf("adding %s: %v", addr, err)
		}
		return
	}
	if p == nil {
		p = new(modelPeer)
		w.model.peers[addr] = p
	}
	p.persistent = p.persistent || persistent
}

// forgotten takes out of the model the one who had to go. Nobody goes who may
// not, and if nobody may, nobody does.
func (w *world) forgotten(err error, persistent bool) {
	free := 0
	for addr, p := range w.model.peers {
		expendable := p.state == stateIdle && !p.persistent && !w.model.banned(addr, w.now)
		if expendable {
			free++
		}
		if w.reg.peers[addr] == nil {
			if !expendable {
				w.t.Errorf("%s was forgotten: %+v", addr, *p)
			}
			delete(w.model.peers, addr)
		}
	}
	if (free == 0 && !persistent) != (err != nil) {
		w.t.Errorf("%v, although %d could be forgotten", err, free)
	}
}

func (w *world) dial(string) {
	addr, ok := w.reg.NextDial(w.now)
	if !ok {
		return
	}
	p, group := w.model.peers[addr], Group(addr)
	for other, o := range w.model.peers {
		if o.state != stateIdle && group != "" && Group(other) == group && !p.persistent {
			w.t.Errorf("%s is dialed, in the group of %s", addr, other)
		}
	}
	if err := w.reg.Dialing(addr, w.now); err != nil {
		w.t.Errorf("named but not to be dialed: %v", err)
	}
	p.state = stateDialing
}

func (w *world) connect(addr string) {
	p, height := w.model.peers[addr], uint32(w.pick(1000))
	pver := uint32(10 + w.pick(3))
	err := w.reg.Connected(addr, Info{Height: height, PVer: pver}, w.now)
	switch {
	case p == nil || p.state != stateDialing:
		if !errors.Is(err, ErrState) {
			w.t.Errorf("connected to %s: %v", addr, err)
		}
		return
	case w.model.banned(addr, w.now) != errors.Is(err, ErrBanned):
		w.t.Errorf("connected to %s: %v", addr, err)
	case err != nil && !errors.Is(err, ErrBanned) && (pver >= 11 || p.persistent || !errors.Is(err, ErrQuota)):
		w.t.Errorf("refused %s, version %d: %v", addr, pver, err)
	}
	if err != nil {
		w.reg.DialFailed(addr, err, w.now)
		p.state = stateIdle
		return
	}
	p.state, p.said, p.proved = stateConnected, height, 0
}

func (w *world) disconnect(addr string) {
	if w.pick(5) == 0 {
		w.reg.DialFailed(addr, errors.New("refused"), w.now)
		if p := w.model.peers[addr]; p != nil && p.state == stateDialing {
			p.state = stateIdle
		}
		return
	}
	w.reg.Disconnected(addr, nil, w.now)
	if p := w.model.peers[addr]; p != nil && p.state == stateConnected {
		p.state = stateIdle
	}
}

func (w *world) serve(addr string) {
	kind, took := Kind(w.pick(int(numKinds))), time.Duration(w.pick(40_000))*time.Millisecond
	switch w.pick(4) {
	case 0:
		w.reg.Success(addr, kind, took, w.now)
	case 1:
		w.reg.Delivered(addr, kind, w.pick(1<<20), took, w.now)
	case 2:
		w.reg.Failure(addr, kind, uint32(w.pick(1000)), errFault, w.now)
		took = -1
	case 3:
		w.reg.Incomplete(addr, kind, errFault, w.now)
		return
	}
	if p := w.model.peers[addr]; p != nil {
		p.service = append(p.service, modelService{at: w.now, took: took})
	}
}

func (w *world) heights(addr string) {
	height := uint32(w.pick(1000))
	switch w.pick(3) {
	case 0:
		w.reg.Validated(addr, height, w.now)
		if p := w.model.peers[addr]; p != nil && p.state == stateConnected {
			p.said, p.proved = max(p.said, height), max(p.proved, height)
		}
	case 1:
		w.reg.ClaimFailed(addr, w.now)
	case 2:
		w.reg.Reorganized(height, w.now)
		for _, p := range w.model.peers {
			p.proved = min(p.proved, height)
		}
	}
}

func (w *world) strike(addr string) {
	reason := Reason(w.pick(int(numReasons)))
	if got, want := w.reg.Strike(addr, reason, errFault, w.now), w.model.strike(addr, reason.Points(), w.now); got != want {
		w.t.Errorf("a strike for %v bans: %v, want %v", reason, got, want)
	}
}

// judge is what the user may do.
func (w *world) judge(addr string) {
	if w.pick(4) == 0 {
		addr = modelHost(addr)
	}
	switch w.pick(4) {
	case 0:
		w.reg.Ban(addr, w.now)
		w.model.ban(addr, w.now)
	case 1:
		w.reg.Unban(addr)
		w.model.unban(addr)
	default:
		w.reg.Reset(addr)
		for known, p := range w.model.peers {
			if modelKey(known) == modelKey(addr) || modelHost(known) == modelKey(addr) {
				p.service = nil
			}
		}
	}
}

func (w *world) restart() {
	if w.pick(4) > 0 {
		return
	}
	data, err := w.reg.Marshal(t0)
	if err == nil && w.pick(2) == 0 {
		w.reg, w.up = New(w.reg.opts, rand.New(rand.NewPCG(3, 4))), make(map[string]bool)
		w.sub = w.reg.Subscribe()
	}
	if err == nil {
		err = w.reg.Unmarshal(data, w.now)
	}
	if err != nil {
		w.t.Errorf("%v in %s", err, data)
	}
	for addr := range w.model.peers {
		if w.reg.peers[addr] == nil && len(w.model.peers) > maxPeers { // persistent ones went beyond
			delete(w.model.peers, addr)
		}
	}
	w.model.restart()
}

// read is a subscriber that looks now and then.
func (w *world) read() {
	for _, c := range w.sub.Take() {
		if w.up[c.Addr] == c.Up {
			w.t.Errorf("told twice in a row: %+v", c)
		}
		w.up[c.Addr] = c.Up
	}
	for addr, up := range w.up {
		if up != (w.reg.connected(addr) != nil) {
			w.t.Errorf("told that %s is connected: %v", addr, up)
		}
	}
}

func (w *world) check() {
	r, now := w.reg, w.now
	list := r.List(now)
	w.model.compare(w.t, list, now)
	for _, p := range list {
		ordered := slices.IsSortedFunc(p.History, func(a, b Event) int { return a.Time.Compare(b.Time) })
		if last := len(p.History) - 1; last >= 0 && (last >= 5 || !ordered || p.History[last].Time.After(now)) {
			w.t.Errorf("the history of %s: %+v", p.Addr, p.History)
		}
	}
	asked := slices.Concat(r.Ahead(0, now), r.Serving(Headers, 0, now), r.Serving(Filters, 0, now),
		r.Serving(Blocks, 0, now))
	for _, addr := range asked {
		p := w.model.peers[addr]
		if w.model.banned(addr, now) || p.state != stateConnected || !p.persistent && w.model.score(addr, now) < 20 {
			w.t.Errorf("%s is asked: %+v", addr, *p)
		}
	}
	for kind := range numKinds {
		serving := r.Serving(kind, 0, now)
		for _, addr := range r.Resting(kind, 0, now) {
			if w.model.banned(addr, now) || w.model.peers[addr].state != stateConnected || slices.Contains(serving, addr) {
				w.t.Errorf("%s rests with %v: %+v", addr, kind, *w.model.peers[addr])
			}
		}
	}
	if addr, ok := r.NextDial(now); ok {
		p := w.model.peers[addr]
		if w.model.banned(addr, now) || p.state != stateIdle || !p.persistent && w.model.score(addr, now) < 20 {
			w.t.Errorf("%s is to be dialed: %+v", addr, *p)
		}
		if when, ok := r.NextDialTime(now); !ok || !when.Equal(now) {
			w.t.Errorf("%s may be dialed now, but the time is %v", addr, when)
		}
	}
	if addr, ok := r.NextEviction(now); ok && (w.model.peers[addr].state != stateConnected || w.model.peers[addr].persistent) {
		w.t.Errorf("%s is to be evicted: %+v", addr, *w.model.peers[addr])
	}
	busy := 0
	for addr, p := range w.model.peers {
		if r.Banned(addr, now) != w.model.banned(addr, now) {
			w.t.Errorf("%s banned: %v", addr, r.Banned(addr, now))
		}
		if p.state != stateIdle {
			busy++
		}
	}
	if busy > maxConnected+1 || len(w.sub.pending) > 4*(maxConnected+1) {
		w.t.Errorf("%d connections, %d changes unread", busy, len(w.sub.pending))
	}
}

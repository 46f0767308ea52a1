package requests

import (
	"slices"
	"time"
)

// Able tells who may be asked for a request, best first. Those who rest after a
// failure are asked when nobody else is left.
type Able[W any] func(r *Request[W], resting bool) []string

// retryPause is after how long those are asked again who could not do it, when
// nobody else is left.
const retryPause = 3 * time.Second

// maxRetries is how often one tries again before that, because it has delivered others.
const maxRetries = 2

// round is one call of Assign: what does not change for one request after the
// other is computed once.
type round[W any] struct {
	*Table[W]
	able    Able[W]
	now     time.Time
	best    [numKinds]ranking
	full    bool // nobody has room
	slow    bool // the line is full
	started []*Attempt[W]
}

// Assign returns what to ask of whom now, for the open requests in the order of
// their importance. The owner sends each attempt and reports its end with
// Succeeded, Failed or Dropped.
func (t *Table[W]) Assign(open []*Request[W], able Able[W], now time.Time) []*Attempt[W] {
	d := round[W]{Table: t, able: able, now: now, slow: t.lineFull()}
	for kind := range numKinds {
		d.best[kind] = t.rank(kind)
	}
	for _, r := range open {
		d.markLate(r)
		d.readmit(r)
	}
	d.full = !t.free()
	d.each(open, d.first)
	for _, r := range open {
		d.look(r) // also without room: whether anybody is left does not depend on it
	}
	d.each(open, d.takeOver)
	d.each(open, d.explore)
	return d.started
}

// each takes a step for each open request as long as somebody has room.
func (d *round[W]) each(open []*Request[W], step func(*Request[W])) {
	for _, r := range open {
		if d.full {
			return
		}
		if !r.done {
			step(r)
		}
	}
}

func (d *round[W]) markLate(r *Request[W]) {
	for _, a := range r.attempts {
		if d.now.Sub(a.Since) >= d.lateAfter(&d.best[r.Kind], a.Peer) && !d.forgives(a) {
			a.delay()
		}
	}
}

// readmit lets those try again who could not do it and have delivered others of the kind
// since: whatever was in their way, it is not any more. They may twice, until everybody
// has failed: a few that are fast, and serve all else, would take turns at it without end.
func (d *round[W]) readmit(r *Request[W]) {
	for addr := range r.failed {
		if at := d.tryAgain(r, addr); !at.IsZero() && !at.After(d.now) {
			r.forgive(addr)
		}
	}
}

// tryAgain is when a peer that could not do it may try again; zero if it has not delivered
// anything since, or has tried again twice.
func (t *Table[W]) tryAgain(r *Request[W], addr string) time.Time {
	at := r.failed[addr]
	if p := t.peers[addr]; p == nil || r.forgiven[addr] == maxRetries || !p.delivered[r.Kind].After(at) {
		return time.Time{}
	}
	return at.Add(retryPause)
}

// forgives reports whether somebody is not late because it is the line that is slow.
func (d *round[W]) forgives(a *Attempt[W]) bool {
	kind := a.Request.Kind
	return d.slow && d.excused(&d.best[kind], a.Peer, kind, d.now.Sub(a.Since), d.peers[a.Peer].moves())
}

func (d *round[W]) send(r *Request[W], addr string) {
	d.started = append(d.started, d.start(r, addr, d.now))
	d.full = !d.free()
}

// first asks somebody for what nobody is at.
func (d *round[W]) first(r *Request[W]) {
	if len(r.attempts) > 0 {
		r.taken()
		return
	}
	addr, hope, rests := d.chooseAny(r)
	if !hope && len(r.failed) > 0 && d.now.Sub(r.failedAt) >= retryPause {
		r.forgiveAll() // whoever is able has had its rest
		addr, hope, rests = d.chooseAny(r)
	}
	r.served(hope, !hope || rests)
	if addr != "" {
		d.send(r, addr)
	}
}

// look notes whether anybody is left to ask if all who are at a request are late.
func (d *round[W]) look(r *Request[W]) {
	if !r.done && len(r.attempts) > 0 && r.allLate() {
		_, hope, _ := d.chooseAny(r)
		r.alone(!hope)
	}
}

// chooseAny chooses among all who are able, and those who rest if there is none.
func (d *round[W]) chooseAny(r *Request[W]) (addr string, hope, rests bool) {
	if addr, hope = d.choose(r, d.able(r, false), anybody); hope {
		return addr, true, false
	}
	addr, hope = d.choose(r, d.able(r, true), anybody)
	return addr, hope, hope
}

// takeOver asks a peer that has proved itself for what others hold for longer
// than twice the time that it takes.
func (d *round[W]) takeOver(r *Request[W]) {
	if len(r.attempts) == 0 || d.now.Before(d.takeoverTime(r, &d.best[r.Kind])) {
		return
	}
	if slices.ContainsFunc(r.attempts, d.forgives) {
		return
	}
	held := d.now.Sub(r.newest())
	addr, _ := d.choose(r, d.able(r, false), func(p *peer[W]) bool {
		takes := time.Duration(p.paces[r.Kind])
		return takes > 0 && held >= takeoverAfter(r.Kind, takes)
	})
	if addr == "" {
		return
	}
	for _, a := range r.attempts {
		a.delay()
	}
	d.send(r, addr)
}

// explore asks peers of which no pace is known, beside those that are at a request
// for long, or in place of those that could not do it, while nobody who may take
// it over is known to be fast, and not late: as many as were asked before. Who is slow can't
// keep us from meeting who is not, then, and neither can many of them. But who is
// delivering something else shows with that how fast it is. If all who are at it are
// late it may be anybody else.
func (d *round[W]) explore(r *Request[W]) {
	more := len(r.attempts)
	if d.now.Sub(r.newest()) < d.unknown() {
		more = len(r.failed) - len(r.attempts)
	}
	if more <= 0 {
		return
	}
	able := d.able(r, false)
	for _, addr := range able {
		if p := d.peers[addr]; p != nil && !r.Failed(addr) && !r.At(addr) && d.fast(p, r.Kind) && !p.late() {
			return
		}
	}
	for range more {
		addr, _ := d.choose(r, able, func(p *peer[W]) bool { return p.paces[r.Kind] == 0 && !p.moves() })
		if addr == "" && r.allLate() {
			addr, _, _ = d.chooseAny(r)
		}
		if addr == "" {
			return
		}
		d.send(r, addr)
	}
}

// takeoverTime is when the fastest peer that is not at a request may take it over.
func (t *Table[W]) takeoverTime(r *Request[W], best *ranking) time.Time {
	takes := best.takes[0]
	if r.At(best.addrs[0]) {
		takes = best.takes[1]
	}
	if takes == 0 {
		return r.newest().Add(lateCeiling)
	}
	return r.newest().Add(takeoverAfter(r.Kind, takes))
}

// Deadline is the next time at which Assign may have something to do although
// nothing has happened; the zero time if there is none.
func (t *Table[W]) Deadline(open []*Request[W], now time.Time) (next time.Time) {
	sooner := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	var best [numKinds]ranking
	for kind := range numKinds {
		best[kind] = t.rank(kind)
	}
	for _, r := range open {
		if r.done {
			continue
		}
		for addr := range r.failed {
			sooner(t.tryAgain(r, addr))
		}
		if len(r.attempts) == 0 {
			if len(r.failed) > 0 {
				sooner(r.failedAt.Add(retryPause))
			}
			continue
		}
		sooner(t.takeoverTime(r, &best[r.Kind]))
		sooner(r.newest().Add(t.unknown()))
		for _, a := range r.attempts {
			if !a.late {
				sooner(a.Since.Add(t.lateAfter(&best[r.Kind], a.Peer)))
			}
		}
	}
	return next
}

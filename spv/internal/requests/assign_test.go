package requests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dcrspv/spv/internal/registry"
)

var t0 = time.Unix(1_700_000_000, 0)

const ms = time.Millisecond

// desk is a Table with peers that take a fixed time for each answer, or never
// answer, and a clock of its own.
type desk struct {
	*Table[int]
	now   time.Time
	takes map[string]time.Duration // 0: never answers; negative: fails after that
	open  []*Request[int]
	due   map[*Attempt[int]]time.Time
	sent  int
}

func newDesk(takes map[string]time.Duration, n int) *desk {
	d := &desk{Table: NewTable[int](), now: t0, takes: takes, due: make(map[*Attempt[int]]time.Time)}
	for addr := range takes {
		d.Join(addr, 0)
	}
	d.open = d.requests(n)
	return d
}

func (d *desk) able(*Request[int], bool) (addrs []string) {
	for addr := range d.takes {
		addrs = append(addrs, addr)
	}
	slices.Sort(addrs)
	return addrs
}

// assign sends what is due now.
func (d *desk) assign() []*Attempt[int] {
	started := d.Assign(d.open, d.able, d.now)
	for _, a := range started {
		a.Cancel = func() {}
		d.sent++
		if takes := d.takes[a.Peer]; takes != 0 {
			d.due[a] = d.now.Add(takes.Abs())
		}
	}
	return started
}

// run lets time pass until everything is done, and returns how much that took.
func (d *desk) run(t *testing.T) time.Duration {
	t.Helper()
	for range 100_000 {
		d.assign()
		next := d.Deadline(d.open, d.now)
		var first *Attempt[int]
		for a, at := range d.due {
			if next.IsZero() || !at.After(next) {
				first, next = a, at
			}
		}
		if next.IsZero() {
			break
		}
		d.now = next
		if first != nil {
			d.answer(first)
		}
		d.open = slices.DeleteFunc(d.open, func(r *Request[int]) bool { return r.Done() })
		if len(d.open) == 0 {
			return d.now.Sub(t0)
		}
	}
	t.Fatalf("after %v %d requests are not done", d.now.Sub(t0), len(d.open))
	return 0
}

func (d *desk) answer(a *Attempt[int]) {
	delete(d.due, a)
	if d.takes[a.Peer] < 0 {
		d.Failed(a, d.now)
		return
	}
	if !d.Succeeded(a, 1000, d.now.Sub(a.Since), d.now) || a.Request.Done() {
		return
	}
	d.Finish(a.Request)
	for _, other := range slices.Clone(a.Request.attempts) {
		delete(d.due, other)
		d.Dropped(other)
	}
}

// requests makes n of them.
func (d *desk) requests(n int) (open []*Request[int]) {
	for i := range n {
		open = append(open, &Request[int]{Kind: registry.Filters, Work: i})
	}
	return open
}

// join enters peers beside those that are there.
func (d *desk) join(n int, name string, takes time.Duration) {
	for i := range n {
		addr := fmt.Sprint(name, i)
		d.takes[addr] = takes
		d.Join(addr, 0)
	}
}

// A single request, which those known to deliver take long for, is done soon by
// a peer that nobody knows yet, however many others nobody knows.
// Rule 22.
func TestStrangersAreTriedTogether(t *testing.T) {
	for name, takes := range map[string]time.Duration{"silent": 0, "slow": 14 * time.Second, "unable": -400 * ms} {
		d := newDesk(map[string]time.Duration{"known": 14 * time.Second, "known too": 14 * time.Second}, 4)
		d.run(t)
		d.join(62, name, takes)
		d.join(1, "honest", 50*ms)
		began := d.now
		d.open = []*Request[int]{{Kind: registry.Filters}}
		d.run(t)
		if took := d.now.Sub(began); took > 4*time.Second {
			t.Errorf("62 peers that are %s: %v", name, took)
		}
	}
}

// Those that were fast, and have become silent with all the requests that they may have, do
// not keep us from asking a stranger.
// Rule 22.
func TestFadedPeersHoldUpNobody(t *testing.T) {
	for _, n := range []int{1, 7, 62} {
		d := newDesk(nil, 0)
		d.takes = make(map[string]time.Duration)
		d.join(n, "faded", 20*ms)
		d.open = d.requests(20 * n)
		d.run(t)
		for addr := range d.takes {
			d.takes[addr] = 0
		}
		d.join(1, "honest", 50*ms)
		d.open = d.requests(100)
		began := d.now
		d.run(t)
		if took := d.now.Sub(began); took > 8*time.Second {
			t.Errorf("%d faded: %v", n, took)
		}
	}
}

// As long as nobody is late each request is at one peer.
// Rule 1.
func TestEachRequestIsAtOnePeer(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 50 * ms, "b": 60 * ms, "c": 90 * ms}, 200)
	d.run(t)
	if d.sent > 204 {
		t.Errorf("%d requests were sent for 200", d.sent)
	}
}

// However many are silent, what the one that answers can do is done in about
// the time that it takes alone.
// Rule 22.
func TestSilentPeersHoldUpNobody(t *testing.T) {
	alone := newDesk(map[string]time.Duration{"honest": 50 * ms}, 200).run(t)
	for _, n := range []int{1, 7, 30, 63} {
		takes := map[string]time.Duration{"honest": 50 * ms}
		for i := range n {
			takes[fmt.Sprint("silent", i)] = 0
		}
		d := newDesk(takes, 200)
		if took := d.run(t); took > 2*alone+5*time.Second {
			t.Errorf("%d silent peers: %v, alone %v", n, took, alone)
		}
		if d.sent > 200+4*n {
			t.Errorf("%d silent peers: %d requests were sent for 200", n, d.sent)
		}
	}
}

// The same with peers that answer, each at a speed of its own.
// Rule 22.
func TestSlowPeersHoldUpNobody(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		fast := time.Duration(10+rng.IntN(200)) * ms
		alone := newDesk(map[string]time.Duration{"honest": fast}, 100).run(t)
		takes := map[string]time.Duration{"honest": fast}
		for i := range 1 + rng.IntN(40) {
			takes[fmt.Sprint(i)] = time.Duration(rng.IntN(20_000)) * ms
		}
		d := newDesk(takes, 100)
		if took := d.run(t); took > 2*alone+10*time.Second {
			t.Errorf("seed %d, %d peers: %v, alone %v", seed, len(takes), took, alone)
		}
	}
}

// When all who hold a request are late, as many again are asked.
// Rule 1.
func TestLateRequestsGoToTwiceAsMany(t *testing.T) {
	takes := make(map[string]time.Duration)
	for i := range 20 {
		takes[fmt.Sprintf("%02d", i)] = 0
	}
	d := newDesk(takes, 1)
	for _, want := range []int{1, 1, 2, 4, 8, 4} {
		if got := len(d.assign()); got != want {
			t.Errorf("%v after the start %d more are asked, want %d", d.now.Sub(t0), got, want)
		}
		d.now = d.now.Add(lateUnknown)
	}
	r := d.open[0]
	d.assign()
	if !r.Overdue() || r.Unserved() {
		t.Error("everybody is late, and that is not said")
	}
}

// Who rests after a failure is asked beside the only one who does not, when that one
// is late.
// Rule 23.
func TestWhoRestsIsAskedBesideTheLate(t *testing.T) {
	d := newDesk(map[string]time.Duration{"silent": 0, "rests": 0}, 1)
	assign := func() []*Attempt[int] {
		return d.Assign(d.open, func(_ *Request[int], resting bool) []string {
			if resting {
				return []string{"rests"}
			}
			return []string{"silent"}
		}, d.now)
	}
	if got := assign(); len(got) != 1 || got[0].Peer != "silent" {
		t.Fatalf("asked first: %v", got)
	}
	d.now = d.now.Add(lateUnknown - 1)
	if got := assign(); len(got) != 0 {
		t.Errorf("asked before the other is late: %v", got)
	}
	d.now = d.now.Add(1)
	if got := assign(); len(got) != 1 || got[0].Peer != "rests" {
		t.Errorf("asked when the other is late: %v", got)
	}
}

// That nobody is left to ask is said although nobody has room either.
func TestNobodyElseIsSaidWithoutRoom(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 0}, firstWindow+1)
	d.assign()
	d.now = d.now.Add(lateUnknown)
	if d.assign(); d.free() || !d.open[0].Overdue() {
		t.Errorf("room %v, overdue %v", d.free(), d.open[0].Overdue())
	}
}

// A peer that has proved itself takes over what another has held for more than
// twice its time, no sooner, and only when it has nothing else to do.
// Rule 1.
func TestProvenPeerTakesOver(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a-silent": 0, "b": 100 * ms}, 2)
	d.assign() // one each
	d.now = t0.Add(100 * ms)
	for a := range d.due {
		d.answer(a)
	}
	at := t0.Add(2*100*ms + takeoverFloor)
	if d.now = at.Add(-1); len(d.assign()) != 0 {
		t.Error("taken over too soon")
	}
	if got := d.Deadline(d.open, d.now); !got.Equal(at) {
		t.Errorf("the deadline is %v after the start, want %v", got.Sub(t0), at.Sub(t0))
	}
	d.now = at
	if started := d.assign(); len(started) != 1 || started[0].Peer != "b" {
		t.Errorf("not taken over: %v", started)
	}
}

// Nobody is given time because of its own answers: however slow the only measured peer
// has been, it is late when others would be. One that was fast has no more because the
// others are slow.
// Rule 22.
func TestOwnAnswersAreNoMeasure(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 0, "b": 0}, 0)
	d.Learn("a", registry.Headers, 1000, 14*time.Second)
	if got := d.LateAfter("a", registry.Headers); got != lateUnknown {
		t.Errorf("late after %v", got)
	}
	d.Learn("b", registry.Headers, 1000, 20*ms)
	if got := d.LateAfter("a", registry.Headers); got != headerFloor {
		t.Errorf("late after %v beside a fast peer", got)
	}
	if got := d.LateAfter("b", registry.Headers); got != lateUnknown {
		t.Errorf("the fast peer is late after %v", got)
	}

	late := func(addr string) time.Duration {
		best := d.rank(registry.Filters)
		return d.lateAfter(&best, addr)
	}
	d.Learn("a", registry.Filters, 1000, 14*time.Second)
	if got := late("a"); got != lateUnknown {
		t.Errorf("filters are late after %v", got)
	}
	d.Learn("b", registry.Filters, 1000, 20*ms)
	if a, b := late("a"), late("b"); a != lateFloor || b != lateCeiling {
		t.Errorf("filters of the slow peer are late after %v, of the fast one after %v", a, b)
	}
}

// Where others have proved themselves, a peer that has not gets one request, and
// one that is late one beyond those.
// Rule 1.
func TestRoom(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 50 * ms, "b": 50 * ms, "c": 0}, 40)
	d.assign()
	if n := len(d.peers["c"].attempts); n != firstWindow {
		t.Errorf("while nobody has proved itself: %d requests, want %d", n, firstWindow)
	}
	d.Leave("c")
	d.Join("c", 0)
	d.now = t0.Add(50 * ms)
	for a := range d.due {
		d.answer(a)
	}
	d.assign()
	if n := len(d.peers["c"].attempts); n != 1 {
		t.Errorf("unproven: %d requests, want 1", n)
	}
	for _, a := range d.peers["a"].attempts {
		a.late = true
	}
	if n := d.room(d.peers["a"]); n != 1 {
		t.Errorf("late: room for %d, want 1", n)
	}
}

// Who could not do it is asked again when nobody else is left, after a pause.
// Rule 23.
func TestFailedPeersAreAskedAgain(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 0, "b": 0}, 1)
	first := d.assign()[0]
	d.Failed(first, d.now)
	second := d.assign()[0]
	if second.Peer == first.Peer {
		t.Error("the same peer again")
	}
	d.Failed(second, d.now)
	if d.assign() != nil || !d.open[0].Unserved() {
		t.Error("asked without a pause, or not said to be unserved")
	}
	if got := d.Deadline(d.open, d.now); got != d.now.Add(retryPause) {
		t.Errorf("the deadline is %v", got.Sub(t0))
	}
	d.now = d.now.Add(retryPause)
	if len(d.assign()) != 1 {
		t.Error("not asked again")
	}
}

// What a lost peer was at is taken back, and its answer does not count.
// Rule 1.
func TestLostPeersRequestsAreGivenOn(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 0, "b": 0}, 1)
	a := d.assign()[0]
	d.Leave(a.Peer)
	if d.Succeeded(a, 1000, ms, d.now) || d.Failed(a, d.now) || d.Dropped(a) {
		t.Error("the answer of a lost peer counts")
	}
	if again := d.assign(); len(again) != 1 || again[0].Peer == a.Peer {
		t.Errorf("not given on: %v", again)
	}
}

// A line that all share is known by the quickest dial, up to a point: who is slow to
// connect may be slow on purpose.
func TestSlowLineIsGivenTime(t *testing.T) {
	d := NewTable[int]()
	for _, c := range []struct{ dial, want time.Duration }{
		{2 * time.Second, lateUnknownMost}, {time.Second, lateUnknownMost}, {200 * ms, dialFactor * 200 * ms}, {100 * ms, lateUnknown},
	} {
		d.Join(c.dial.String(), c.dial)
		if got := d.LateAfter("2s", registry.Filters); got != c.want {
			t.Errorf("the quickest dial took %v: late after %v, want %v", c.dial, got, c.want)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	takes := make(map[string]time.Duration)
	for i := range 8 {
		takes[fmt.Sprint(i)] = 50 * ms
	}
	d := newDesk(takes, 160)
	for range 100 {
		d.assign()
		for a := range d.due {
			d.answer(a)
			break
		}
	}
	for b.Loop() {
		d.Assign(d.open, d.able, d.now)
		d.Deadline(d.open, d.now)
	}
}

// That we stood still makes nobody late, and teaches nothing about anybody's pace.
func TestAwayCountsForNobody(t *testing.T) {
	d := newDesk(map[string]time.Duration{"a": 100 * ms, "b": 100 * ms}, 2)
	d.assign()
	if d.sent != 2 {
		t.Fatalf("%d requests", d.sent)
	}
	d.Away(time.Hour)
	d.now = d.now.Add(time.Hour + 100*ms)
	if d.assign(); d.sent != 2 {
		t.Errorf("%d requests after standing still, want no more than 2", d.sent)
	}
	for a := range d.due {
		d.Succeeded(a, 1000, time.Hour+100*ms, d.now)
		if pace := d.Measured(a.Peer, registry.Filters); pace != 100*ms {
			t.Errorf("%s takes %v, want 100ms", a.Peer, pace)
		}
	}
}

// A request that only those are left for who rest is known as such, whether one of
// them is at it or none.
// Rule 23.
func TestLastResort(t *testing.T) {
	d := newDesk(map[string]time.Duration{"rests": 0, "able": 0}, 1)
	able := map[bool][]string{false: {"able"}, true: {"rests"}}
	assign := func() []*Attempt[int] {
		return d.Assign(d.open, func(_ *Request[int], resting bool) []string { return able[resting] }, d.now)
	}
	r := d.open[0]
	started := assign()
	if len(started) != 1 || started[0].Peer != "able" || r.LastResort() {
		t.Fatalf("%+v, the last resort: %v", started, r.LastResort())
	}
	d.Failed(started[0], d.now)
	started = assign()
	if len(started) != 1 || started[0].Peer != "rests" || !r.LastResort() || r.Unserved() {
		t.Fatalf("%+v, the last resort: %v, nobody: %v", started, r.LastResort(), r.Unserved())
	}
	d.Failed(started[0], d.now)
	if assign() != nil || !r.LastResort() || !r.Unserved() {
		t.Error("somebody is left")
	}
	d.now = d.now.Add(retryPause)
	if started = assign(); len(started) != 1 || started[0].Peer != "able" || r.LastResort() {
		t.Errorf("%+v after the pause, the last resort: %v", started, r.LastResort())
	}
	started[0].Cancel = func() {}
	d.Finish(r)
	if r.LastResort() {
		t.Error("it is done")
	}
}

// Who could not do a request may try again once it has delivered another one, and not at
// once: although somebody else, who is silent, is at it.
//
// Rule 23.
func TestWhoDeliversTriesAgain(t *testing.T) {
	d := newDesk(map[string]time.Duration{"able": 1, "silent": 0}, 2)
	first, second := d.open[0], d.open[1]
	d.open = d.open[:1]
	at := func(r *Request[int], addr string) *Attempt[int] {
		for _, a := range r.attempts {
			if a.Peer == addr {
				return a
			}
		}
		t.Fatalf("%s is not asked", addr)
		return nil
	}
	d.assign() // somebody, and after a while the other one too
	d.now = d.now.Add(time.Second)
	d.assign()
	d.Failed(at(first, "able"), d.now)
	at(first, "silent")

	d.now = d.now.Add(2 * retryPause)
	if d.assign(); first.At("able") {
		t.Fatal("who has delivered nothing is asked again")
	}
	d.open = append(d.open, second)
	d.assign()
	d.Succeeded(at(second, "able"), 1000, ms, d.now)
	d.Finish(second)
	if d.assign(); !first.At("able") {
		t.Fatal("who delivers is not asked again")
	}

	// One that has failed just now has its pause first.
	failed := d.now
	d.Failed(at(first, "able"), failed)
	third := d.requests(3)[2]
	d.open = append(d.open, third)
	d.now = d.now.Add(ms)
	d.assign()
	d.Succeeded(at(third, "able"), 1000, ms, d.now)
	d.Finish(third)
	if d.assign(); first.At("able") {
		t.Fatal("it has no pause")
	}
	if next := d.Deadline(d.open, d.now); next.After(failed.Add(retryPause)) {
		t.Errorf("the next look is after %v", next.Sub(failed))
	}
	d.now = failed.Add(retryPause)
	if d.assign(); !first.At("able") {
		t.Error("it is not asked after its pause")
	}
}

// Some who serve all else and fail with one request, each in its turn, hold that up no longer
// because they may try again.
// Rules 22 and 23.
func TestWhoDeliversHoldsUpNothing(t *testing.T) {
	d := newDesk(map[string]time.Duration{"honest": 2 * time.Second, "liar1": time.Second, "liar2": time.Second, "liar3": time.Second}, 0)
	var kept *Request[int]
	for d.now.Sub(t0) < 3*time.Minute {
		if kept == nil && d.now.Sub(t0) >= 20*time.Second { // they are known by now
			kept = d.requests(1)[0]
			d.open = append([]*Request[int]{kept}, d.open...)
		}
		d.open = append(d.open, d.requests(max(40-len(d.open), 0))...)
		for _, a := range d.assign() {
			if a.Request == kept && a.Peer != "honest" {
				d.due[a] = d.now.Add(1500 * ms)
			}
		}
		d.now = d.now.Add(10 * ms)
		for a, at := range d.due {
			switch {
			case at.After(d.now):
			case a.Request == kept && a.Peer != "honest":
				delete(d.due, a)
				d.Failed(a, d.now)
			default:
				d.answer(a)
			}
		}
		d.open = slices.DeleteFunc(d.open, func(r *Request[int]) bool { return r.Done() })
		if kept != nil && kept.Done() {
			return
		}
	}
	t.Error("nobody else was asked")
}

package chain

import (
	"testing"
)

// TestReorgAndBack follows the work from A to B and back to A, which loses no
// header on the way.
// Rule 8.
func TestReorgAndBack(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(100, 1, 0)
	b := a.fork(80)
	a.mineN(5, 1, 1)
	b.mineN(26, 1, 2)
	c := newChain(a.r, nil)
	mustAdd(t, c, a.batch(1, 105))

	u := mustAdd(t, c, b.batch(81, 100))
	if want := (Update{Added: 20, Last: b.id(100)}); u != want {
		t.Fatalf("side branch: %+v, want %+v", u, want)
	}
	wantTip(t, c, a.id(105))
	u = mustAdd(t, c, b.batch(101, 106))
	if want := (Update{Added: 6, Last: b.id(106), Best: true, Fork: a.id(80), Reorged: 25}); u != want {
		t.Fatalf("reorg: %+v, want %+v", u, want)
	}
	wantTip(t, c, b.id(106))
	for height := 81; height <= 105; height++ {
		if !c.Known(a.headers[height].Hash(), uint32(height)) || c.Contains(a.id(height)) {
			t.Fatalf("block %d of A", height)
		}
	}
	a.mineN(5, 1, 1)
	u = mustAdd(t, c, a.batch(106, 110)) // only what is new
	if want := (Update{Added: 5, Last: a.id(110), Best: true, Fork: a.id(80), Reorged: 26}); u != want {
		t.Fatalf("back: %+v, want %+v", u, want)
	}
	wantTip(t, c, a.id(110))
	if got, want := c.Work(), chainWork(a); !got.Eq(&want) {
		t.Errorf("work %v, want %v", got, want)
	}
}

// Of two chains with equal work the one seen first stays.
func TestEqualWorkStays(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(10, 1, 0)
	b := a.fork(5)
	b.mineN(5, 1, 1)
	c := newChain(a.r, nil)
	mustAdd(t, c, b.batch(1, 10))
	u := mustAdd(t, c, a.batch(6, 10))
	if u.Best {
		t.Errorf("update %+v", u)
	}
	wantTip(t, c, b.id(10))
}

// TestWorkNotLength: fewer but harder blocks win.
func TestWorkNotLength(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(10, 1, 0)
	b := a.fork(10)
	a.mineN(20, 3, 1) // behind schedule: easy
	b.mineFast(18, 2) // ahead of schedule: hard
	c := newChain(a.r, nil)
	mustAdd(t, c, a.batch(1, 30))
	u := mustAdd(t, c, b.batch(11, 28))
	if !u.Best || u.Reorged != 20 {
		t.Errorf("update %+v", u)
	}
	wantTip(t, c, b.id(28))
}

// Branches off branches, at every place, stay attached through a reorg.
func TestBranchesOfBranches(t *testing.T) {
	trunk := newMiner(t, simnet())
	trunk.mineN(40, 1, 0)
	c := newChain(trunk.r, nil)
	mustAdd(t, c, trunk.batch(1, 40))

	low := trunk.fork(10)  // off the trunk, below everything else
	side := trunk.fork(20) // will become best
	high := trunk.fork(30) // off a part of the trunk that leaves
	twig := (*miner)(nil)  // off side
	twig2 := (*miner)(nil) // off high
	low.mineN(3, 1, 1)
	side.mineN(15, 1, 2)
	high.mineN(3, 1, 3)
	twig = side.fork(25)
	twig.mineN(4, 1, 4)
	twig2 = high.fork(32)
	twig2.mineN(2, 1, 5)
	mustAdd(t, c, low.batch(11, 13))
	mustAdd(t, c, side.batch(21, 35))
	mustAdd(t, c, high.batch(31, 33))
	mustAdd(t, c, twig.batch(26, 29))
	mustAdd(t, c, twig2.batch(33, 34))
	wantTip(t, c, trunk.id(40))

	side.mineN(10, 1, 2)
	u := mustAdd(t, c, side.batch(36, 45))
	if !u.Best || u.Fork != trunk.id(20) || u.Reorged != 20 {
		t.Fatalf("update %+v", u)
	}
	for name, m := range map[string]*miner{"trunk": trunk, "low": low, "side": side, "high": high, "twig": twig, "twig2": twig2} {
		for height := range m.headers {
			if !c.Known(m.headers[height].Hash(), uint32(height)) {
				t.Fatalf("%s lost block %d", name, height)
			}
		}
	}
	for _, b := range c.branches {
		parent := b.headers.at(0).PrevBlock()
		if hash, ok := c.Hash(b.fork()); !ok || hash != parent {
			t.Errorf("branch of %d headers does not hang off the best chain at %d", b.len(), b.fork())
		}
	}
	// Each of them can still win, and forks where it really does.
	best := side
	for _, next := range []struct {
		m    *miner
		fork int
	}{{twig, 25}, {twig2, 20}, {low, 10}, {trunk, 10}, {high, 30}} {
		m := next.m
		oldTip := c.Tip()
		var last Update
		for from := len(m.headers); c.Tip() != m.tip().ID(); from = len(m.headers) {
			m.mineN(20, 1, 9)
			last = mustAdd(t, c, m.batch(from, len(m.headers)-1))
		}
		if last.Fork != best.id(next.fork) || last.Reorged != int(oldTip.Height)-next.fork {
			t.Fatalf("update %+v, want fork at %d", last, next.fork)
		}
		if got, want := c.Work(), chainWork(m); !got.Eq(&want) {
			t.Fatalf("work %v, want %v", got, want)
		}
		best = m
	}
}

// Side branches are bounded; the least work goes first.
// Rule 20.
func TestSideBranchesAreBounded(t *testing.T) {
	trunk := newMiner(t, simnet())
	trunk.mineN(100, 1, 0)
	c := newChain(trunk.r, nil)
	c.maxSide = 50
	mustAdd(t, c, trunk.batch(1, 100))
	old, young := trunk.fork(10), trunk.fork(80)
	old.mineN(30, 1, 1)
	young.mineN(15, 1, 2)
	mustAdd(t, c, old.batch(11, 40))
	mustAdd(t, c, young.batch(81, 95))
	if len(c.branches) != 2 {
		t.Fatalf("%d branches", len(c.branches))
	}
	middle := trunk.fork(50)
	middle.mineN(20, 1, 3)
	mustAdd(t, c, middle.batch(51, 70))
	if c.Known(old.headers[40].Hash(), 40) || !c.Known(middle.headers[70].Hash(), 70) || !c.Known(young.headers[95].Hash(), 95) {
		t.Error("the wrong branch was dropped")
	}
	// One that has the least work itself is not taken.
	u, err := c.Add(old.batch(11, 40), testNow)
	wantErr(t, err, ErrLowWork)
	if u.Added != 0 || u.Last != trunk.id(10) {
		t.Errorf("update %+v", u)
	}
	// A long branch that overtakes within its batch is no side branch.
	winner := trunk.fork(10)
	winner.mineN(100, 1, 4)
	u = mustAdd(t, c, winner.batch(11, 110))
	if !u.Best || u.Reorged != 90 {
		t.Errorf("update %+v", u)
	}
	n := 0
	for _, b := range c.branches {
		n += b.len()
	}
	if n > 50 {
		t.Errorf("%d side headers", n)
	}
}

// A reorg that forks far below what is in memory: the old branch is read back
// from the store, so that it can win again.
// Rule 8.
func TestDeepReorgBelowMemory(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(300, 1, 0)
	b := a.fork(50)
	b.mineN(260, 1, 1)
	for _, tt := range []struct {
		name    string
		maxSide int
		kept    bool
	}{{"kept", 1000, true}, {"too long to be kept", 100, false}} {
		t.Run(tt.name, func(t *testing.T) {
			store := &memStore{headers: append([]Header(nil), a.headers[1:]...)}
			c := New(a.r, store, a.id(300), chainWork(a))
			c.keep, c.maxSide = 16, tt.maxSide
			u := mustAdd(t, c, b.batch(51, 310))
			if want := (Update{Added: 260, Last: b.id(310), Best: true, Fork: a.id(50), Reorged: 250}); u != want {
				t.Fatalf("update %+v, want %+v", u, want)
			}
			if got, want := c.Work(), chainWork(b); !got.Eq(&want) {
				t.Fatalf("work %v, want %v", got, want)
			}
			if got := c.Known(a.headers[200].Hash(), 200); got != tt.kept {
				t.Fatalf("old branch known: %v", got)
			}
			above, headers, work, ok := c.Unstored(1000)
			if want := c.Work(); !ok || above != 50 || len(headers) != 260 || !work.Eq(&want) {
				t.Fatalf("unstored: above %d, %d headers, %v", above, len(headers), ok)
			}
			c.Stored(store.replace(above, headers))
			if !tt.kept {
				return
			}
			longer := a.fork(300)
			longer.mineN(20, 1, 0)
			u = mustAdd(t, c, longer.batch(301, 320))
			if !u.Best || u.Fork != a.id(50) || u.Reorged != 260 {
				t.Fatalf("back: %+v", u)
			}
			if got, want := c.Work(), chainWork(longer); !got.Eq(&want) {
				t.Fatalf("work %v, want %v", got, want)
			}
		})
	}
}

// TestDeepReorgSourceFails lets the disk fail at every read in turn during a
// deep reorg. Nothing breaks, and with the disk back the reorg happens.
// Rule 7.
func TestDeepReorgSourceFails(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(60, 1, 0)
	b := a.fork(30)
	b.mineN(31, 1, 1)
	for after := 0; ; after++ {
		store := &memStore{headers: append([]Header(nil), a.headers[1:]...)}
		c := New(a.r, store, a.id(60), chainWork(a))
		store.fail, store.after = errDisk, after
		u, err := c.Add(b.batch(31, 61), testNow)
		if err == nil {
			if after < 60 {
				t.Errorf("only %d reads", after)
			}
			return
		}
		wantErr(t, err, ErrSource)
		if u.Best {
			t.Fatalf("after %d reads: update %+v", after, u)
		}
		wantTip(t, c, a.id(60))
		store.fail = nil
		u = mustAdd(t, c, b.batch(31, 61))
		if u.Last != b.id(61) || !u.Best || u.Fork != a.id(30) || u.Reorged != 30 {
			t.Fatalf("after %d reads: update %+v", after, u)
		}
		if !c.Known(a.headers[60].Hash(), 60) {
			t.Fatalf("after %d reads: the old branch is lost", after)
		}
	}
}

// What hung off a part of the old chain that is too long to be kept is lost
// with it; other branches are not.
func TestDeepReorgDropsBranches(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(300, 1, 0)
	b, low, high := a.fork(50), a.fork(40), a.fork(299)
	b.mineN(260, 1, 1)
	low.mineN(2, 1, 2)
	high.mineN(1, 1, 3)
	store := &memStore{headers: append([]Header(nil), a.headers[1:]...)}
	c := New(a.r, store, a.id(300), chainWork(a))
	c.maxSide = 100
	mustAdd(t, c, low.batch(41, 42))
	mustAdd(t, c, high.batch(300, 300))
	mustAdd(t, c, b.batch(51, 310))
	wantTip(t, c, b.id(310))
	if !c.Known(low.headers[42].Hash(), 42) || c.Known(high.headers[300].Hash(), 300) {
		t.Error("the wrong branches were kept")
	}
}

// With a network's known work ahead, and no anchor to tell, a low-work chain is
// not kept without bounds.
// Rules 12 and 20.
func TestUnprovenChainIsBounded(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(120, 1, 0)
	r := simnet()
	r.minWork = chainWork(m.fork(110))
	c := newChain(r, nil)
	c.maxSide = 100
	u, err := c.Add(m.batch(1, 120), testNow)
	wantErr(t, err, ErrLowWork)
	if u.Added != 100 || c.Proven() {
		t.Errorf("update %+v, proven %v", u, c.Proven())
	}
	if _, _, _, ok := c.Unstored(1000); ok {
		t.Error("unproven headers offered to the store")
	}
	// An anchor ahead bounds it by itself; the work proves it at the last.
	r.anchors = []anchor{{115, m.headers[115].Hash()}}
	mustAdd(t, c, m.batch(100, 109))
	if c.Proven() {
		t.Error("proven too early")
	}
	mustAdd(t, c, m.batch(110, 120))
	if !c.Proven() {
		t.Error("not proven")
	}
}

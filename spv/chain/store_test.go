package chain

import (
	"slices"
	"testing"
)

// storeAll stores what there is in steps of at most n.
func storeAll(t *testing.T, c *Chain, s *memStore, n int) {
	t.Helper()
	for {
		above, headers, work, ok := c.Unstored(n)
		if !ok {
			return
		}
		if len(headers) == 0 || len(headers) > n {
			t.Fatalf("%d headers offered, at most %d asked for", len(headers), n)
		}
		c.Stored(s.replace(above, headers))
		_ = work
	}
}

func TestUnstoredInSteps(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(100, 1, 0)
	store := &memStore{}
	c := newChain(m.r, store)
	if _, _, _, ok := c.Unstored(10); ok {
		t.Fatal("something to store at the start")
	}
	mustAdd(t, c, m.batch(1, 100))
	for from := 0; from < 100; from += 30 {
		above, headers, work, ok := c.Unstored(30)
		to := min(from+30, 100)
		want := chainWork(m.fork(to))
		if !ok || int(above) != from || !slices.Equal(headers, m.headers[from+1:to+1]) || !work.Eq(&want) {
			t.Fatalf("step from %d: above %d, %d headers, work %v", from, above, len(headers), work)
		}
		c.Stored(store.replace(above, headers))
	}
	if _, _, _, ok := c.Unstored(30); ok {
		t.Fatal("something left to store")
	}
	if _, _, _, ok := c.Unstored(0); ok {
		t.Fatal("none asked for, some given")
	}
	// A new Chain over the store is the same chain.
	again := New(m.r, store, m.id(100), chainWork(m))
	wantTip(t, again, m.id(100))
	if a, b := again.Work(), c.Work(); !a.Eq(&b) {
		t.Errorf("work %v, want %v", a, b)
	}
}

// A write that failed is offered again.
func TestUnstoredAfterFailedWrite(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(50, 1, 0)
	store := &memStore{}
	c := newChain(m.r, store)
	mustAdd(t, c, m.batch(1, 50))
	above, headers, _, _ := c.Unstored(20)
	c.Stored(store.replace(above, headers))
	c.Unstored(20)
	c.Stored(m.id(20))
	above, headers, _, ok := c.Unstored(100)
	if !ok || above != 20 || len(headers) != 30 {
		t.Errorf("above %d, %d headers, %v", above, len(headers), ok)
	}
}

// The chain moves to another branch while a write is under way.
func TestReorgDuringWrite(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(100, 1, 0)
	b := a.fork(80)
	b.mineN(25, 1, 1)
	store := &memStore{}
	c := newChain(a.r, store)
	mustAdd(t, c, a.batch(1, 100))

	above, headers, _, _ := c.Unstored(90) // up to 90 of A
	lent := slices.Clone(headers)
	mustAdd(t, c, b.batch(81, 105))
	if !slices.Equal(headers, lent) {
		t.Fatal("lent headers changed")
	}
	c.Stored(store.replace(above, headers))
	above, headers, _, ok := c.Unstored(1000)
	if !ok || above != 80 || !slices.Equal(headers, b.headers[81:]) {
		t.Fatalf("after the reorg: above %d, %d headers", above, len(headers))
	}
	// And back to A while B is written.
	a.mineN(10, 1, 0)
	mustAdd(t, c, a.batch(101, 110))
	c.Stored(store.replace(above, headers))
	above, headers, _, ok = c.Unstored(1000)
	if !ok || above != 80 || !slices.Equal(headers, a.headers[81:]) {
		t.Fatalf("back on A: above %d, %d headers", above, len(headers))
	}
	c.Stored(store.replace(above, headers))
	if !slices.Equal(store.headers, a.headers[1:]) {
		t.Error("the store is not A")
	}
}

// A reorg and its reversal between two writes leave nothing to write: the
// filters in the store need not be fetched again.
func TestReorgAndBackBetweenWrites(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(100, 1, 0)
	b := a.fork(90)
	b.mineN(11, 1, 1)
	store := &memStore{}
	c := newChain(a.r, store)
	mustAdd(t, c, a.batch(1, 100))
	storeAll(t, c, store, 1000)
	mustAdd(t, c, b.batch(91, 101))
	a.mineN(2, 1, 0)
	mustAdd(t, c, a.batch(101, 102))
	wantTip(t, c, a.id(102))
	above, headers, _, ok := c.Unstored(1000)
	if !ok || above != 100 || len(headers) != 2 {
		t.Errorf("above %d, %d headers, %v", above, len(headers), ok)
	}
}

// Up to an anchor headers are stored although the chain is not proven yet.
// Rule 12.
func TestUnstoredUpToAnchor(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(100, 1, 0)
	r := anchored(m, 20, 50)
	r.minWork = chainWork(m.fork(80))
	store := &memStore{}
	c := newChain(r, store)
	for _, tt := range []struct{ add, stored int }{{19, 0}, {20, 20}, {49, 20}, {60, 50}, {79, 50}, {80, 80}, {100, 100}} {
		mustAdd(t, c, m.batch(1, tt.add))
		storeAll(t, c, store, 1000)
		if len(store.headers) != tt.stored {
			t.Errorf("at %d: %d stored, want %d", tt.add, len(store.headers), tt.stored)
		}
		if c.Proven() != (tt.add >= 80) {
			t.Errorf("at %d: proven %v", tt.add, c.Proven())
		}
	}
}

// Memory holds the newest headers and no more, however long the chain is; the
// others come from the store.
// Rule 20.
func TestTrim(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(1000, 1, 0)
	store := &memStore{}
	c := newChain(m.r, store)
	c.keep = 50
	most := 0
	for from := 1; from <= 1000; from += 20 {
		mustAdd(t, c, m.batch(from, min(from+19, 1000)))
		storeAll(t, c, store, 7)
		most = max(most, c.best.len())
	}
	if most > 50+20 {
		t.Errorf("%d headers in memory", most)
	}
	for height := range m.headers {
		h, ok := c.Header(uint32(height))
		hash, ok2 := c.Hash(uint32(height))
		if !ok || !ok2 || h != m.headers[height] || hash != h.Hash() || !c.Contains(m.id(height)) {
			t.Fatalf("block %d: %v, %v", height, ok, ok2)
		}
	}
	if _, ok := c.Header(1001); ok {
		t.Error("header above the tip")
	}
	if _, ok := c.Hash(1001); ok {
		t.Error("hash above the tip")
	}
}

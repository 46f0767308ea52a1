package chain

import "testing"

// A locator that follows another one reads what is new in it, and nothing that has left
// the best chain.
func TestLandmarks(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(600, 1, 0)
	b := a.fork(200)
	b.mineN(500, 1, 1)
	store := &memStore{}
	c := newChain(a.r, store)
	c.keep = 20
	grow := func(m *miner, from, to int) {
		mustAdd(t, c, m.batch(from, to))
		storeAll(t, c, store, 1000)
	}
	check := func(m *miner, mayRead int) {
		t.Helper()
		store.fail, store.after = errDisk, mayRead
		got := c.Locator(c.Tip())
		if store.fail = nil; c.Failed() != nil {
			t.Fatalf("it takes more than %d reads", mayRead)
		}
		for i, hash := range got[:len(got)-1] {
			height := -1
			for h := range m.headers {
				if m.headers[h].Hash() == hash {
					height = h
				}
			}
			if height < 0 {
				t.Errorf("hash %d of %d is not of the best chain", i, len(got))
			}
		}
	}
	grow(a, 1, 500)
	check(a, 10)
	check(a, 0)
	grow(a, 501, 510)
	check(a, 2)
	grow(b, 201, 700)
	check(b, 10)
	check(b, 0)
}

// Blocks above the fork of a reorganization are forgotten, at each step of a locator.
func TestLandmarksAreCut(t *testing.T) {
	var l landmarks
	for i := range uint32(10) {
		step := uint32(1) << i
		l.put(step, BlockID{Height: 100 * (i + 1), Hash: [32]byte{1: byte(i)}})
	}
	l.cut(500)
	for i := range uint32(10) {
		height := 100 * (i + 1)
		if hash, ok := l.get(1<<i, height); ok != (height <= 500) || ok && hash != [32]byte{1: byte(i)} {
			t.Errorf("block %d: %v, %v", height, hash, ok)
		}
	}
}

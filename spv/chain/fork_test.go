package chain

import "testing"

// Fork tells where the chain of a block parts from the best one, and is at the
// block itself on the best chain.
func TestFork(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(50, 1, 0)
	b := a.fork(40)
	b.mineN(5, 2, 0)
	c := newChain(a.r, &memStore{})
	mustAdd(t, c, a.batch(1, 50))
	mustAdd(t, c, b.batch(41, 45))
	for _, tt := range []struct {
		id   BlockID
		want uint32
		ok   bool
	}{
		{a.id(50), 50, true}, {a.id(41), 41, true}, {a.id(40), 40, true}, {a.id(0), 0, true},
		{b.id(45), 40, true}, {b.id(41), 40, true},
		{BlockID{Height: 45, Hash: a.id(3).Hash}, 0, false}, {BlockID{}, 0, false},
	} {
		if got, ok := c.Fork(tt.id); got != tt.want || ok != tt.ok {
			t.Errorf("%v: %d, %v, want %d, %v", tt.id, got, ok, tt.want, tt.ok)
		}
	}
}

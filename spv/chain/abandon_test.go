package chain

import "testing"

// What follows an abandoned block is forgotten, and side branches are: the store is told to
// drop what it has of that. All may come again.
func TestAbandon(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(100, 1, 0)
	b := a.fork(80)
	b.mineN(10, 1, 1)
	a.mineN(5, 1, 2)
	store := &memStore{}
	c := newChain(a.r, store)
	mustAdd(t, c, a.batch(1, 105))
	mustAdd(t, c, b.batch(81, 90))
	c.Stored(store.replace(0, a.headers[1:]))

	u, err := c.Abandon(a.id(71))
	if want := (Update{Best: true, Fork: a.id(70), Reorged: 35}); u != want || err != nil {
		t.Fatalf("%+v, %v; want %+v", u, err, want)
	}
	wantTip(t, c, a.id(70))
	if c.Known(a.id(71).Hash, 71) || c.Known(b.id(90).Hash, 90) {
		t.Error("what follows is known")
	}
	above, headers, work, ok := c.Unstored(1000)
	if below := c.Work(); above != 70 || len(headers) > 0 || !work.Eq(&below) || !ok {
		t.Fatalf("to be stored: %d headers above %d, %v", len(headers), above, ok)
	}
	c.Stored(store.replace(above, headers))
	if _, _, _, ok := c.Unstored(1000); ok {
		t.Error("more to be stored")
	}
	mustAdd(t, c, a.batch(71, 105))
	wantTip(t, c, a.id(105))
}

// Nothing changes if what is left can't be read, and for blocks that are not there.
func TestAbandonChangesNothing(t *testing.T) {
	a := newMiner(t, simnet())
	a.mineN(100, 1, 0)
	store := &memStore{}
	c := newChain(a.r, store)
	c.keep = 10
	mustAdd(t, c, a.batch(1, 100))
	c.Stored(store.replace(0, a.headers[1:]))
	other := a.fork(50)
	other.mineN(1, 1, 3)
	for _, id := range []BlockID{a.id(0), other.id(51)} {
		if u, err := c.Abandon(id); u != (Update{}) || err != nil {
			t.Errorf("%v: %+v, %v", id, u, err)
		}
	}
	last := a.id(60)
	store.fail, store.after = errDisk, 1 // it is found, and no more is read
	u, err := c.Abandon(last)
	wantErr(t, err, ErrSource)
	if u != (Update{}) {
		t.Errorf("%+v", u)
	}
	wantTip(t, c, a.id(100))
}

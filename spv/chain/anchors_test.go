package chain

import (
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/chaincfg/v3"
)

func TestAnchorData(t *testing.T) {
	want := map[string]int{"mainnet": 41, "testnet3": 33}
	for _, p := range networks() {
		r := NewRules(p)
		if len(r.anchors) != want[p.Name] {
			t.Errorf("%s: %d anchors, want %d", p.Name, len(r.anchors), want[p.Name])
		}
		assumeValid := p.AssumeValid == (chainhash.Hash{})
		for i, a := range r.anchors {
			if i > 0 && a.height <= r.anchors[i-1].height {
				t.Errorf("%s: %d after %d", p.Name, a.height, r.anchors[i-1].height)
			}
			assumeValid = assumeValid || a.hash == p.AssumeValid
			// In the blake256 era the block hash is the work hash.
			if !r.Blake3At(a.height) && !leadingZeros(a.hash, 3) {
				t.Errorf("%s %d: %v has no work", p.Name, a.height, a.hash)
			}
		}
		if !assumeValid {
			t.Errorf("%s: the block that chaincfg assumes valid is no anchor", p.Name)
		}
	}
}

func leadingZeros(h chainhash.Hash, n int) bool {
	for _, b := range h[len(h)-n:] {
		if b != 0 {
			return false
		}
	}
	return true
}

func TestAnchorLookup(t *testing.T) {
	a, b := chainhash.Hash{1}, chainhash.Hash{2}
	r := &Rules{anchors: []anchor{{10, a}, {20, b}}}
	for _, tt := range []struct {
		height, last uint32
		above        bool
	}{{0, 0, true}, {9, 0, true}, {10, 10, true}, {19, 10, true}, {20, 20, false}, {21, 20, false}} {
		if got := r.lastAnchor(tt.height); got != tt.last {
			t.Errorf("last at %d: %d, want %d", tt.height, got, tt.last)
		}
		if got := r.anchorAbove(tt.height); got != tt.above {
			t.Errorf("above %d: %v", tt.height, got)
		}
	}
	for _, tt := range []struct {
		id   BlockID
		want bool
	}{{BlockID{9, b}, false}, {BlockID{10, a}, false}, {BlockID{10, b}, true}, {BlockID{11, b}, false}, {BlockID{20, a}, true}} {
		if got := r.contradictsAnchor(tt.id); got != tt.want {
			t.Errorf("%v: %v", tt.id, got)
		}
	}
	if none := (&Rules{}); none.lastAnchor(5) != 0 || none.anchorAbove(0) || none.contradictsAnchor(BlockID{}) {
		t.Error("anchors from nowhere")
	}
}

// anchored are simnet rules with anchors at some heights of m's chain.
func anchored(m *miner, heights ...int) *Rules {
	r := simnet()
	for _, h := range heights {
		r.anchors = append(r.anchors, anchor{uint32(h), m.headers[h].Hash()})
	}
	return r
}

// Two chains that differ from height 6 on; good has the anchors, bad the work.
func goodAndBad(t *testing.T) (good, bad *miner) {
	good = newMiner(t, simnet())
	good.mineN(5, 1, 0)
	bad = good.fork(5)
	good.mineN(30, 3, 1)
	bad.mineN(35, 1, 2)
	if g, b := chainWork(good), chainWork(bad); !b.Gt(&g) {
		t.Fatal("the bad chain should have more work")
	}
	return good, bad
}

// Rules 10 and 12.
func TestAnchorRefusesOtherBlock(t *testing.T) {
	good, bad := goodAndBad(t)
	c := newChain(anchored(good, 20), nil)
	u, err := c.Add(bad.batch(1, 30), testNow)
	wantErr(t, err, ErrAnchor)
	if u.Added != 19 || u.Last != bad.id(19) {
		t.Errorf("update %+v", u)
	}
	wantTip(t, c, bad.id(19))
	// Refused again, at the same place.
	u, err = c.Add(bad.batch(15, 30), testNow)
	wantErr(t, err, ErrAnchor)
	if u.Added != 0 || u.Best || u.Last != bad.id(19) {
		t.Errorf("update %+v", u)
	}
}

// The branch with the anchor is best once it reaches it, whatever work another
// has gathered, and the other is forgotten.
// Rule 12.
func TestAnchorBeatsWork(t *testing.T) {
	good, bad := goodAndBad(t)
	c := newChain(anchored(good, 20), nil)
	c.Add(bad.batch(1, 19), testNow)
	u := mustAdd(t, c, good.batch(1, 18))
	if u.Best {
		t.Fatalf("update %+v", u)
	}
	u = mustAdd(t, c, good.batch(19, 20))
	if want := (Update{Added: 2, Last: good.id(20), Best: true, Fork: good.id(5), Reorged: 14}); u != want {
		t.Fatalf("update %+v, want %+v", u, want)
	}
	wantTip(t, c, good.id(20))
	if c.Known(bad.id(19).Hash, 19) || len(c.branches) != 0 {
		t.Error("the refuted branch is still there")
	}
	_, err := c.Add(bad.batch(6, 7), testNow)
	wantErr(t, err, ErrAnchor)
	mustAdd(t, c, good.batch(21, 35))
	wantTip(t, c, good.id(35))
}

// Once the best chain has an anchor, nothing forks off below it, even where no
// anchor is contradicted yet. At the anchor itself a fork is allowed.
// Rule 12.
func TestNoForkBelowAnchor(t *testing.T) {
	good, bad := goodAndBad(t)
	c := newChain(anchored(good, 20), nil)
	mustAdd(t, c, good.batch(1, 10))
	mustAdd(t, c, bad.batch(6, 8)) // not refuted yet
	if len(c.branches) != 1 {
		t.Fatalf("%d branches", len(c.branches))
	}
	mustAdd(t, c, good.batch(11, 30))
	if len(c.branches) != 0 {
		t.Fatal("branch below the anchor kept")
	}
	_, err := c.Add(bad.batch(6, 8), testNow)
	wantErr(t, err, ErrAnchor)

	late := good.fork(20)
	late.mineN(20, 1, 3)
	mustAdd(t, c, late.batch(21, 40))
	wantTip(t, c, late.id(40))
	late = good.fork(19)
	late.mineN(1, 1, 4)
	_, err = c.Add(late.batch(20, 20), testNow)
	wantErr(t, err, ErrAnchor)
}

// A stored chain that an anchor has overtaken is replaced from the start.
// Rule 12.
func TestStoredChainThatContradictsAnchor(t *testing.T) {
	good, bad := goodAndBad(t)
	store := &memStore{headers: bad.headers[1:]}
	tip := bad.id(40)
	c := New(anchored(good, 10, 20), store, tip, chainWork(bad))
	wantTip(t, c, good.id(0))
	mustAdd(t, c, good.batch(1, 35))
	above, headers, _, ok := c.Unstored(100)
	if !ok || above != 0 || len(headers) != 35 {
		t.Fatalf("unstored: above %d, %d headers, %v", above, len(headers), ok)
	}
	c.Stored(store.replace(above, headers))
	if _, _, _, ok := c.Unstored(100); ok {
		t.Error("still something to store")
	}

	// And one that does not contradict is used.
	c = New(anchored(good, 10, 20), store, good.id(35), chainWork(good))
	wantTip(t, c, good.id(35))
}

// Rule 10.
func TestKnownBlocks(t *testing.T) {
	good, bad := goodAndBad(t)
	r := NewRules(chaincfg.SimNetParams(), KnownBlocks(good.id(20), good.id(10)))
	for height, want := range map[uint32]int{9: 0, 10: 1, 19: 1, 20: 2, 1000: 2} {
		if got := r.Anchors(height); got != want {
			t.Errorf("%d anchors up to %d, want %d", got, height, want)
		}
	}
	c := newChain(r, nil)
	mustAdd(t, c, good.batch(1, 12))
	_, err := c.Add(bad.batch(6, 12), testNow)
	wantErr(t, err, ErrAnchor)
	if main := NewRules(chaincfg.MainNetParams()); main.Anchors(1<<31) != 41 || main.Anchors(439) != 0 {
		t.Error("mainnet's own anchors are not counted")
	}
}

// A chain is suspect when no anchor ahead can vouch for it, and too little work.
// Rule 12.
func TestSuspect(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(30, 1, 0)
	p := chaincfg.SimNetParams()
	full := chainWork(m)
	p.MinKnownChainWork = full.ToBig()
	for _, tt := range []struct {
		anchors []BlockID
		upTo    int
		want    bool
	}{
		{nil, 0, false}, {nil, 1, true}, {nil, 29, true}, {nil, 30, false},
		{[]BlockID{m.id(20)}, 19, false}, {[]BlockID{m.id(20)}, 20, false}, {[]BlockID{m.id(20)}, 21, true},
	} {
		c := newChain(NewRules(p, KnownBlocks(tt.anchors...)), nil)
		mustAdd(t, c, m.batch(1, 30).upTo(tt.upTo))
		if got := c.Suspect(); got != tt.want {
			t.Errorf("anchors %v, %d blocks: %v", tt.anchors, tt.upTo, got)
		}
	}
}

// upTo is the first n headers of a batch.
func (b Batch) upTo(n int) Batch { return Batch{b.Headers[:n], b.Hashes[:n]} }

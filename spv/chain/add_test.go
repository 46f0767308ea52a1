package chain

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
)

func TestAddGrowsChain(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(400, 1, 0)
	c := newChain(m.r, nil)
	wantTip(t, c, m.id(0))
	u := mustAdd(t, c, m.batch(1, 200))
	if want := (Update{Added: 200, Last: m.id(200), Best: true, Fork: m.id(0)}); u != want {
		t.Fatalf("update %+v, want %+v", u, want)
	}
	// Half of the next batch is known.
	u = mustAdd(t, c, m.batch(101, 300))
	if want := (Update{Added: 100, Last: m.id(300), Best: true, Fork: m.id(200)}); u != want {
		t.Fatalf("update %+v, want %+v", u, want)
	}
	// All of it.
	u = mustAdd(t, c, m.batch(50, 299))
	if want := (Update{Last: m.id(299)}); u != want {
		t.Fatalf("update %+v, want %+v", u, want)
	}
	if u := mustAdd(t, c, Batch{}); u != (Update{}) {
		t.Fatalf("update %+v of nothing", u)
	}
	wantTip(t, c, m.id(300))
	if got, want := c.Work(), chainWork(m.fork(300)); !got.Eq(&want) {
		t.Errorf("work %v, want %v", got, want)
	}
}

func TestAddOrphan(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(20, 1, 0)
	c := newChain(m.r, nil)
	mustAdd(t, c, m.batch(1, 5))
	u, err := c.Add(m.batch(7, 20), testNow)
	wantErr(t, err, ErrOrphan)
	if u != (Update{}) {
		t.Errorf("update %+v", u)
	}
	// A parent of the right height on another branch is another parent.
	other := m.fork(4)
	other.mineN(2, 1, 1)
	_, err = c.Add(other.batch(6, 6), testNow)
	wantErr(t, err, ErrOrphan)
	// Another genesis block.
	m = &miner{t: t, r: m.r, headers: []Header{counting()}}
	setHeight(&m.headers[0], 0)
	m.mineN(1, 1, 0)
	_, err = c.Add(m.batch(1, 1), testNow)
	wantErr(t, err, ErrOrphan)
}

// Every contextual rule: a batch of nine whose sixth header breaks it, with
// valid work.
// Rule 10.
func TestAddRejects(t *testing.T) {
	for _, tt := range []struct {
		name  string
		want  ErrorKind
		spoil func(m *miner, h *Header)
	}{
		{"time of the median", ErrMedianTime, func(m *miner, h *Header) {
			median, _ := medianTime(m.tip(), m.anc)
			setTime(h, median)
		}},
		{"target too easy", ErrBits, func(m *miner, h *Header) { setBits(h, 0x207fffff) }},
		{"target too hard", ErrBits, func(m *miner, h *Header) { setBits(h, 0x200fffff) }},
		{"price too low", ErrStakeDiff, func(m *miner, h *Header) {
			binary.LittleEndian.PutUint64(h[offSBits:], uint64(h.SBits()-1))
		}},
		{"price too high", ErrStakeDiff, func(m *miner, h *Header) {
			binary.LittleEndian.PutUint64(h[offSBits:], uint64(h.SBits()+1))
		}},
		{"outdated version", ErrVersion, func(m *miner, h *Header) { setVersion(h, 11) }},
		{"stake version too early", ErrStakeVersion, func(m *miner, h *Header) { setStakeVersion(h, 1) }},
		{"far in the future", ErrFuture, func(m *miner, h *Header) { setTime(h, uint32(testNow.Unix())+7201) }},
		{"in the future and wrong", ErrBits, func(m *miner, h *Header) {
			setTime(h, uint32(testNow.Unix())+7201)
			setBits(h, 0x207fffff)
		}},
	} {
		for _, side := range []bool{false, true} {
			m := newMiner(t, simnet())
			m.mineN(100, 1, 0)
			c := newChain(m.r, nil)
			mustAdd(t, c, m.batch(1, 100))
			if side { // the same on a side branch
				rival := m.fork(95)
				rival.mineN(20, 1, 1)
				mustAdd(t, c, rival.batch(96, 115))
			}
			m.mineFast(5, 0)
			h := m.template(1)
			tt.spoil(m, &h)
			m.solve(&h)
			m.headers = append(m.headers, h)
			m.headers = append(m.headers, h) // children do not matter
			b, err := m.r.Check(m.headers[101:107])
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			u, err := c.Add(b, testNow)
			wantErr(t, err, tt.want)
			if u.Added != 5 || u.Last != m.id(105) || u.Best == side {
				t.Errorf("%s: update %+v", tt.name, u)
			}
			if !c.Known(m.headers[105].Hash(), 105) || c.Known(h.Hash(), 106) {
				t.Errorf("%s: wrong headers kept", tt.name)
			}
		}
	}
}

// The minute's distance of testnet3, on a network where it can be mined.
// Rule 10.
func TestAddChecksSpacing(t *testing.T) {
	r := simnet()
	r.capBits, r.capHeight = 0x207fffff, 5
	m := newMiner(t, r)
	m.mineN(10, 1, 0)
	c := newChain(r, nil)
	u, err := c.Add(m.batch(1, 10), testNow)
	wantErr(t, err, ErrSpacing)
	if u.Added != 4 {
		t.Errorf("update %+v", u)
	}
}

// The old simnet chain, through all rules of its time.
// Rule 10.
func TestAddRealBlocks(t *testing.T) {
	blocks := oldSimnetBlocks(t)
	p := chaincfg.SimNetParams()
	p.GenesisBlock, p.GenesisHash = blocks[0], blocks[0].BlockHash()
	r := NewRules(p)
	r.blake3, r.commitments, r.stakeDiffV2 = never, never, never
	headers := make([]Header, len(blocks))
	for i, b := range blocks {
		headers[i] = HeaderFromWire(&b.Header)
	}
	b, err := r.Check(headers[1:])
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(r, nil)
	u := mustAdd(t, c, b)
	if u.Added != 168 || c.Tip() != headers[168].ID() {
		t.Errorf("update %+v", u)
	}
}

// A header that is ahead of the clock is accepted once the clock has caught up.
// Rules 10 and 24.
func TestAddFutureLater(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(10, 1, 0)
	m.mine(100_000, 0)
	c := newChain(m.r, nil)
	tip := m.tip().Time()
	_, err := c.Add(m.batch(1, 11), tip.Add(-2*time.Hour-time.Second))
	wantErr(t, err, ErrFuture)
	wantTip(t, c, m.id(10))
	if _, err := c.Add(m.batch(11, 11), tip.Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantTip(t, c, m.id(11))
}

// The batch belongs to the caller.
func TestAddCopies(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(10, 1, 0)
	c := newChain(m.r, nil)
	b := m.batch(1, 10)
	mustAdd(t, c, b)
	for i := range b.Headers {
		b.Headers[i], b.Hashes[i] = Header{}, [32]byte{}
	}
	for height := range 11 {
		if h, ok := c.Header(uint32(height)); !ok || h != m.headers[height] {
			t.Fatalf("header %d changed", height)
		}
	}
}

// A failing disk is told apart from a bad header, and leaves nothing behind.
// Rule 7.
func TestAddSourceFails(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(60, 1, 0)
	store := &memStore{headers: m.headers[1:51]}
	c := New(m.r, store, m.id(50), chainWork(m.fork(50)))
	store.fail = errDisk
	u, err := c.Add(m.batch(51, 60), testNow)
	wantErr(t, err, ErrSource)
	if !errors.Is(err, errDisk) || u.Added != 0 {
		t.Errorf("update %+v, error %v", u, err)
	}
	if _, ok := c.Header(10); ok {
		t.Error("header from a failing disk")
	}
	if c.Known(m.headers[10].Hash(), 10) {
		t.Error("known without a disk")
	}
	store.fail = nil
	mustAdd(t, c, m.batch(51, 60))
	wantTip(t, c, m.id(60))
}

// If not even the stored tip can be read there is nothing to build on.
func TestNewWithoutReadableTip(t *testing.T) {
	m := newMiner(t, simnet())
	m.mineN(20, 1, 0)
	work := chainWork(m)
	c := New(m.r, &memStore{fail: errDisk}, m.id(20), work)
	_, err := c.Add(m.batch(1, 20), testNow)
	wantErr(t, err, ErrSource)
	c = New(m.r, &memStore{headers: m.headers[1:]}, BlockID{20, m.headers[19].Hash()}, work)
	_, err = c.Add(m.batch(1, 20), testNow)
	wantErr(t, err, ErrSource)
	if _, _, _, ok := c.Unstored(10); ok {
		t.Error("something to store")
	}
}

func BenchmarkAdd(b *testing.B) {
	m := newMiner(b, simnet())
	m.mineN(6000, 1, 0)
	first, err := m.r.Check(m.headers[1:4001])
	if err != nil {
		b.Fatal(err)
	}
	second, err := m.r.Check(m.headers[4001:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := newChain(m.r, nil)
		mustAdd(b, c, first)
		b.StartTimer()
		mustAdd(b, c, second)
	}
	b.ReportMetric(float64(b.N)*2000/b.Elapsed().Seconds(), "headers/s")
}

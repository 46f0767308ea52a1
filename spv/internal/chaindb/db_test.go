package chaindb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// TestReorganize replaces blocks around the borders of segments: filters above
// the fork go with their headers, and those below stay.
func TestReorganize(t *testing.T) {
	const border = segmentBlocks
	rules := simnetRules()
	for _, above := range []uint32{0, 1, border - 2, border - 1, border, border + 1, 2*border - 1, 2 * border} {
		for _, n := range []int{0, 1, border - 1, border, border + 1} {
			rng := rand.New(rand.NewPCG(uint64(above), uint64(n)))
			db := openTest(t, testPath(t), rules)
			m := newModel(rules)
			m.chain.extend(rules, rng, 2*border+border/2, 30, false)
			m.chain.store(t, db, 0)
			for h := range m.chain.tip() + 1 {
				m.held[h] = true
			}
			if _, err := m.replace(rules, rng, db, above, n); err != nil {
				t.Fatal(err)
			}
			if err := m.differs(db); err != nil {
				t.Fatalf("%d blocks above %d: %v", n, above, err)
			}
			db.Close()
		}
	}
}

// TestFiltersAtTheBordersOfSegments drops filters and puts them again: those
// beside the range stay, and a segment that holds nothing is not kept.
func TestFiltersAtTheBordersOfSegments(t *testing.T) {
	const border = segmentBlocks
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 1)), 3*border, 30, false)
	m.chain.store(t, db, 0)
	for h := range m.chain.tip() + 1 {
		m.held[h] = true
	}
	kept := func(segment uint32) (yes bool) {
		if err := db.file.View(func(tx *bbolt.Tx) error {
			yes = tx.Bucket(filtersBucket).Get(segmentKey(segment)) != nil
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	for _, from := range []uint32{border - 1, border, border + 1} {
		for _, to := range []uint32{2*border - 2, 2*border - 1, 2 * border} {
			r := chain.Range{From: from, To: to}
			if err := db.DropFilters(r); err != nil {
				t.Fatal(err)
			}
			for h := from; h <= to; h++ {
				delete(m.held, h)
			}
			if err := m.differs(db); err != nil {
				t.Errorf("%v dropped: %v", r, err)
			}
			if empty := from <= border && to >= 2*border-1; kept(1) == empty {
				t.Errorf("%v dropped: the segment is kept: %v", r, !empty)
			}
			if err := db.PutFilters(from, m.chain.filters[from:to+1]); err != nil {
				t.Fatal(err)
			}
			for h := from; h <= to; h++ {
				m.held[h] = true
			}
			if err := m.differs(db); err != nil {
				t.Errorf("%v put: %v", r, err)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	const border = segmentBlocks
	rules := simnetRules()
	for _, tip := range []uint32{2*border - 1, 2 * border, 2*border + 20} { // the last segment full or not
		db := openTest(t, testPath(t), rules)
		c := genesisChain(rules)
		c.extend(rules, rand.New(rand.NewPCG(1, 1)), int(tip), 30, false)
		c.store(t, db, 0)
		for _, r := range []chain.Range{
			{From: 0, To: tip}, {From: 0, To: 0}, {From: tip, To: tip}, {From: border - 1, To: border},
			{From: border, To: 2*border - 1}, {From: border + 1, To: tip},
		} {
			if got, err := db.Headers(r); err != nil || !slices.Equal(got, c.headers[r.From:r.To+1]) {
				t.Errorf("tip %d: %d headers of %v, %v", tip, len(got), r, err)
			}
		}
		for _, r := range []chain.Range{{From: 0, To: tip + 1}, {From: tip + 1, To: tip + 1}, {From: tip + 1000, To: tip + 1001}} {
			if _, err := db.Headers(r); !errors.Is(err, ErrNotFound) {
				t.Errorf("tip %d: %v: %v", tip, r, err)
			}
		}
	}
}

func TestGaps(t *testing.T) {
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 1)), 20, 30, false)
	all := m.chain
	m.chain = all.fork(10)
	if err := db.ReplaceHeaders(0, m.chain.headers[1:], m.chain.work[10]); err != nil {
		t.Fatal(err)
	}
	other := all.fork(9)
	other.extend(rules, rand.New(rand.NewPCG(1, 2)), 2, 30, false)
	tests := map[string]error{
		"of another branch": db.ReplaceHeaders(10, other.headers[11:], other.work[11]),
		"above the tip":     db.ReplaceHeaders(11, all.headers[12:], all.work[20]),
		"not linked":        db.ReplaceHeaders(10, all.headers[12:], all.work[20]),
		"a hole":            db.ReplaceHeaders(10, append(all.fork(12).headers[11:], all.headers[14]), all.work[14]),
		"filters above":     db.PutFilters(11, all.filters[11:12]),
		"filters up to":     db.PutFilters(9, all.filters[9:12]),
		"filters, overflow": db.PutFilters(1<<32-1, all.filters[9:12]),
	}
	for name, err := range tests {
		if !errors.Is(err, ErrGap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.differs(db); err != nil {
		t.Fatal(err)
	}
}

func TestBlocks(t *testing.T) {
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 1)), 600, 30, false)
	c.filters[7], c.filters[8] = nil, []byte{} // both are empty, and held
	c.store(t, db, 0)
	if err := db.DropFilters(chain.Range{From: 500, To: 500}); err != nil {
		t.Fatal(err)
	}

	called := 0
	count := func(uint32, *chain.Header, []byte) bool { called++; return true }
	for _, r := range []chain.Range{{From: 0, To: 500}, {From: 500, To: 510}, {From: 590, To: 601}, {From: 700, To: 700}} {
		if err := db.Blocks(r, count); !errors.Is(err, ErrNotFound) || called != 0 {
			t.Errorf("%v: %v, %d calls", r, err, called)
		}
	}
	if err := db.Blocks(chain.Range{From: 240, To: 260}, count); err != nil || called != 21 {
		t.Errorf("%v, %d calls, want 21", err, called)
	}
	called = 0
	err := db.Blocks(chain.Range{From: 0, To: 499}, func(h uint32, _ *chain.Header, filter []byte) bool {
		if (h == 7 || h == 8) && (filter == nil || len(filter) != 0) {
			t.Errorf("filter %d is %v, should be empty", h, filter)
		}
		called++
		return h < 300
	})
	if err != nil || called != 301 {
		t.Errorf("stopped at 300: %v, %d calls", err, called)
	}
}

// TestBlocksMissing: what the file says it holds and does not is damage, and no
// block is handed out in its place.
// Rule 25.
func TestBlocksMissing(t *testing.T) {
	const last = segmentBlocks + 10
	for name, test := range map[string]struct {
		says string
		edit func(*bbolt.Tx) error
	}{
		"a filter": {"filter 260 is missing", func(tx *bbolt.Tx) error {
			var r records
			r[9] = []byte{1}
			return put(tx, filtersBucket, segmentKey(1), r.append(nil))
		}},
		"a header": {"10 headers from 250 on, not 11", func(tx *bbolt.Tx) error {
			segment := tx.Bucket(headersBucket).Get(segmentKey(1))
			return put(tx, headersBucket, segmentKey(1), bytes.Clone(segment[:10*chain.HeaderSize]))
		}},
		"a bit": {"the checksum is wrong", flip(filtersBucket, segmentKey(1), 20)},
	} {
		rules := simnetRules()
		db := openTest(t, testPath(t), rules)
		c := genesisChain(rules)
		c.extend(rules, rand.New(rand.NewPCG(1, 1)), last, 30, false)
		c.store(t, db, 0)
		if err := db.file.Update(test.edit); err != nil {
			t.Fatal(err)
		}
		err := db.Blocks(chain.Range{From: last, To: last}, func(uint32, *chain.Header, []byte) bool {
			t.Errorf("%s is missing, and a block is handed out", name)
			return true
		})
		var d *Damage
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &d) || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBlocksSnapshot: what is written during a scan does not disturb it, nor it
// the writer.
// Rule 18.
func TestBlocksSnapshot(t *testing.T) {
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	rng := rand.New(rand.NewPCG(1, 1))
	// The mapping is made large enough for all that follows: a write that outgrows
	// it waits for the scan, and not every system begins with a gigabyte of it.
	large := genesisChain(rules)
	large.extend(rules, rng, 900, 10000, false)
	large.store(t, db, 0)
	c := genesisChain(rules)
	c.extend(rules, rng, 600, 30, false)
	c.store(t, db, 0)
	other := c.fork(2)
	other.extend(rules, rng, 900, 3000, false)

	err := db.Blocks(chain.Range{From: 0, To: 600}, func(h uint32, header *chain.Header, filter []byte) bool {
		if h == 1 {
			done := make(chan struct{})
			go func() { // a goroutine of its own, as fn itself must not write
				defer close(done)
				other.store(t, db, 2)
			}()
			<-done
		}
		return *header == c.headers[h] && bytes.Equal(filter, c.filters[h]) || t.Failed()
	})
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := db.Tip(); id != other.headers[902].ID() {
		t.Fatalf("tip is %v", id)
	}
}

// TestCallbackPanic: a panic of the caller's is an error that is not mistaken for
// damage, and after which Close returns.
func TestCallbackPanic(t *testing.T) {
	path := testPath(t)
	db := openTest(t, path, simnetRules())
	err := db.Blocks(chain.Range{}, func(uint32, *chain.Header, []byte) bool { panic("mine") })
	if !errors.Is(err, dbfile.ErrBug) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "mine in ") {
		t.Errorf("%v", err)
	}
	if err := db.PutBlob("a", []byte{1}); !errors.Is(err, dbfile.ErrBug) {
		t.Errorf("used again: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, simnetRules())
}

func TestBlob(t *testing.T) {
	path := testPath(t)
	db := openTest(t, path, simnetRules())
	if b, err := db.Blob("peers"); b != nil || err != nil {
		t.Fatalf("absent: %v, %v", b, err)
	}
	big := noise(200000)
	if err := errors.Join(db.PutBlob("peers", big), db.PutBlob("empty", []byte{}), db.PutBlob("x", nil)); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db = openTest(t, path, simnetRules())
	if b, err := db.Blob("peers"); !bytes.Equal(b, big) || err != nil {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if b, err := db.Blob("empty"); b == nil || len(b) != 0 || err != nil {
		t.Fatalf("empty: %v, %v", b, err)
	}
	if err := db.PutBlob("peers", nil); err != nil {
		t.Fatal(err)
	}
	if b, err := db.Blob("peers"); b != nil || err != nil {
		t.Fatalf("deleted: %d bytes, %v", len(b), err)
	}
}

func TestClosed(t *testing.T) {
	db := openTest(t, testPath(t), simnetRules())
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	_, headerErr := db.Header(0)
	_, blobErr := db.Blob("a")
	_, verifyErr := db.Verify(context.Background(), nil)
	for i, err := range []error{
		headerErr, blobErr, verifyErr, db.PutBlob("a", nil), db.PutFilters(0, [][]byte{{1}}),
		db.DropFilters(chain.Range{}), db.Blocks(chain.Range{}, nil),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if id, _ := db.Tip(); id.Hash != simnetRules().Params().GenesisHash {
		t.Errorf("tip %v", id)
	}
}

// TestWriteFails takes the file away from under a DB: the write says so, reading
// goes on, and nothing is lost.
func TestWriteFails(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db, err := Open(path, rules)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 1)), 300, 30, false)
	if err := db.ReplaceHeaders(0, m.chain.headers[1:], m.chain.work[300]); err != nil {
		t.Fatal(err)
	}
	db.file.OS().Close()
	err = db.PutFilters(1, m.chain.filters[1:])
	if err == nil || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Fatalf("put: %v", err)
	}
	if err := m.differs(db); err != nil {
		t.Fatalf("after the failed write: %v", err)
	}
	db.Close() // its error is the test's doing
	if err := m.differs(openTest(t, path, rules)); err != nil {
		t.Fatalf("opened again: %v", err)
	}
}

// TestFailedWriteThatArrived: after a write that failed, what counts is what the
// file says: the root may have reached it before the error.
func TestFailedWriteThatArrived(t *testing.T) {
	rules := simnetRules()
	db := openTest(t, testPath(t), rules)
	m := newModel(rules)
	m.chain.extend(rules, rand.New(rand.NewPCG(1, 1)), 300, 30, false)
	m.chain.store(t, db, 0)
	arrived := *db.state.Load()
	arrived.filters = chain.Ranges{{From: 0, To: 99}}
	if err := db.file.Update(arrived.put); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("sync failed")
	if err := db.update(func(*reader) error { return failure }); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if got := fmt.Sprint(db.Filters()); got != fmt.Sprint(arrived.filters) {
		t.Errorf("filters %s, the file has %v", got, arrived.filters)
	}
}

// TestDamagedWhileOpen overwrites the file of an open DB. Reading and writing
// fail with ErrCorrupt, Close does not hang, and the lock is gone.
// Rule 25.
func TestDamagedWhileOpen(t *testing.T) {
	rules := simnetRules()
	path := testPath(t)
	db, err := Open(path, rules)
	if err != nil {
		t.Fatal(err)
	}
	c := genesisChain(rules)
	c.extend(rules, rand.New(rand.NewPCG(1, 1)), 2000, 300, false)
	c.store(t, db, 0)
	pageSize := int64(os.Getpagesize())
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.file.OS().WriteAt(noise(int(info.Size()-2*pageSize)), 2*pageSize); err != nil {
		t.Fatal(err)
	}
	_, readErr := db.Header(700)
	for i := range 2 { // the second write meets what the first left behind
		if err := db.PutFilters(700, c.filters[700:800]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if !errors.Is(readErr, ErrCorrupt) {
		t.Errorf("read: %v", readErr)
	}
	if err := db.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := Open(path, rules); !errors.Is(err, ErrCorrupt) {
		t.Errorf("opened again: %v", err)
	}
}

func TestSegmentRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 50 {
		var want, got records
		for i := range want {
			switch rng.IntN(4) {
			case 0:
			case 1:
				want[i] = []byte{}
			default:
				want[i] = noise(rng.IntN(300))
			}
		}
		value := want.append(nil)
		if err := got.parse(value); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) { // which keeps nil and empty apart
			t.Fatal("records differ")
		}
	}
}

// FuzzSegment parses arbitrary bytes.
// Rule 25.
func FuzzSegment(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0xff, 0xff})
	f.Add(bytes.Repeat([]byte{1}, segmentBlocks+1))
	f.Fuzz(func(t *testing.T, value []byte) {
		var r, again records
		if r.parse(value) != nil {
			return
		}
		if err := again.parse(r.append(nil)); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}

// TestNoRange: nothing is asked for.
func TestNoRange(t *testing.T) {
	db, _ := stored(t, 60)
	headers, err := db.Headers(chain.Range{From: 5, To: 4})
	if err != nil || len(headers) != 0 {
		t.Errorf("%d headers, %v", len(headers), err)
	}
	if _, err := db.Headers(chain.Range{From: 0, To: ^uint32(0)}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestBlocksOfAnotherBranch: a segment of another branch, which a disk has brought back,
// is found by a scan too: its checksum is right.
// Rule 25.
func TestBlocksOfAnotherBranch(t *testing.T) {
	db, m := stored(t, 3*segmentBlocks)
	other := m.chain.fork(segmentBlocks - 1)
	other.extend(db.rules, newRand(), segmentBlocks, 30, false)
	err := db.file.Update(func(tx *bbolt.Tx) error {
		var value []byte
		for _, h := range other.headers[segmentBlocks:] {
			value = append(value, h[:]...)
		}
		return put(tx, headersBucket, segmentKey(1), value)
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	err = db.Blocks(chain.Range{From: 0, To: 3 * segmentBlocks}, func(height uint32, h *chain.Header, _ []byte) bool {
		if *h != m.chain.headers[height] {
			wrong++
		}
		return true
	})
	if err == nil || wrong > 0 {
		t.Errorf("%d headers of another branch are given out, %v", wrong, err)
	}
}

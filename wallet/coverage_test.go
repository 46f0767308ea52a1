package wallet

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"
)

// ledger is the naive coverage ledger: a bit for each script and height.
type ledger struct {
	from   map[uint64]uint32
	tested map[uint64]*[ledgerTop]bool
	// scan under way: for which scripts its result may count
	scan  *spv.Scan
	owing map[uint64]bool
}

const ledgerTop = 120

func (l *ledger) debt(n uint64, h uint32) bool { return h >= l.from[n] && !l.tested[n][h] }

// next is the height to go on from: the first one near the tip or above it that a script
// owes which was tested as far as there, or else the first one that any owes. ready tells
// who takes part.
func (l *ledger) next(w *Wallet, limit uint32) (at uint32, ready func(n uint64) bool, ok bool) {
	tip, started := w.tip()
	if started {
		near := tip.Height - min(tip.Height, w.nearTip)
		ready = func(n uint64) bool { return !l.debt(n, near) }
		for h := near + 1; h <= limit; h++ {
			if len(l.owingAt(h, ready)) > 0 {
				return h, ready, true
			}
		}
	}
	for h := range limit + 1 {
		if len(l.owingAt(h, anyone)) > 0 {
			return h, anyone, true
		}
	}
	return 0, nil, false
}

func anyone(uint64) bool { return true }

func (l *ledger) owingAt(h uint32, ready func(n uint64) bool) map[uint64]bool {
	owing := make(map[uint64]bool)
	for n := range l.from {
		if ready(n) && l.debt(n, h) {
			owing[n] = true
		}
	}
	return owing
}

// check compares the wallet's ledger. It may owe more than the naive one while
// a scan under way is void, never less.
func (l *ledger) check(t *testing.T, w *Wallet, exact bool) {
	t.Helper()
	if len(w.scripts) != len(l.from) {
		t.Fatalf("%d scripts, not %d", len(w.scripts), len(l.from))
	}
	for n, from := range l.from {
		s := w.scripts[string(scriptN(n))]
		if s == nil || s.Birthday() != from {
			t.Fatalf("script %d: %+v", n, s)
		}
		for h := range uint32(ledgerTop) {
			got, want := !w.ledger.Covered(s).Contains(h), l.debt(n, h)
			if want && !got || exact && got != want {
				t.Fatalf("script %d at height %d: debt %v, not %v", n, h, got, want)
			}
			if !want && got { // the wallet is more careful: follow it
				l.tested[n][h] = false
			}
		}
	}
}

// TestCoverageLedger: random operations against the naive ledger.
// Rule 15.
func TestCoverageLedger(t *testing.T) {
	c := newWorld(t)
	for c.height() < ledgerTop-1 {
		c.mine()
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w := open(t)
		if seed%2 == 0 {
			w.maxScan, w.nearTip = 1+rng.Uint32N(60), rng.Uint32N(20)
		}
		l := &ledger{from: make(map[uint64]uint32), tested: make(map[uint64]*[ledgerTop]bool)}
		for op := range 150 {
			exact := l.random(t, c, w, rng)
			if t.Failed() {
				t.Fatalf("seed %d, operation %d", seed, op)
			}
			l.check(t, w, exact)
			verify(t, w)
		}
		l.finish(t, c, w)
		w.Close()
	}
}

func (l *ledger) random(t *testing.T, c *world, w *Wallet, rng *rand.Rand) (exact bool) {
	t.Helper()
	ctx := context.Background()
	n := rng.Uint64N(6)
	h := rng.Uint32N(ledgerTop)
	switch rng.IntN(8) {
	case 0, 1:
		watchN(t, w, h, n)
		if from, ok := l.from[n]; !ok || h < from {
			l.from[n], l.tested[n] = h, new([ledgerTop]bool)
			delete(l.owing, n)
		}
		return true
	case 2:
		err := w.Unwatch(ctx, Watch{Addresses: []string{addr(n).String()}})
		if _, ok := l.from[n]; ok != (err == nil) {
			t.Fatal(err)
		}
		delete(l.from, n)
		delete(l.owing, n)
		return true
	case 3:
		to := h + rng.Uint32N(30)
		var names []string
		if _, ok := l.from[n]; ok {
			names = []string{addr(n).String()}
		}
		if err := w.Rescan(ctx, h, to, names...); err != nil {
			t.Fatal(err)
		}
		for m := range l.from {
			if len(names) > 0 && m != n {
				continue
			}
			for x := h; x <= min(to, ledgerTop-1); x++ {
				l.tested[m][x] = false
			}
			delete(l.owing, m) // may be more careful than necessary; see check
		}
		l.scan = nil // a void scan may still be applied by a Syncer; not here
		return true
	case 4:
		ids, _ := w.Locator(context.Background())
		if len(ids) == 0 {
			return true
		}
		to := ids[rng.IntN(len(ids))]
		if err := w.Rewind(context.Background(), to); err != nil {
			t.Fatal(err)
		}
		for m := range l.from {
			for x := to.Height + 1; x < ledgerTop; x++ {
				l.tested[m][x] = false
			}
		}
		if to != ids[0] {
			l.owing = nil
		}
		return true
	case 5, 6:
		if l.scan == nil {
			l.scanNext(t, c, w, h)
			return true
		}
		fallthrough
	default:
		return l.apply(t, c, w, rng)
	}
}

// scanNext takes a scan and checks that it is the right debt: from the height to go
// on from, as far as the same scripts owe it.
func (l *ledger) scanNext(t *testing.T, c *world, w *Wallet, limit uint32) {
	t.Helper()
	l.checkDebt(t, w, limit)
	scan, ok, err := w.NextScan(context.Background(), limit)
	if err != nil {
		t.Fatal(err)
	}
	at, ready, owed := l.next(w, limit)
	if ok != owed {
		t.Fatalf("debt %v, not %v", ok, owed)
	}
	if !ok {
		return
	}
	owing := l.owingAt(at, ready)
	want := chain.Range{From: at, To: at}
	for want.To < limit && maps.Equal(l.owingAt(want.To+1, ready), owing) {
		want.To++
	}
	want.To = min(want.To, want.From+w.maxScan-1)
	if scan.Range != want || scan.Query.Len() != len(owing) {
		t.Fatalf("scan %v of %d scripts, not %v of %d", scan.Range, scan.Query.Len(), want, len(owing))
	}
	l.scan, l.owing = &scan, owing
}

// checkDebt compares what the wallet says of its debt.
func (l *ledger) checkDebt(t *testing.T, w *Wallet, limit uint32) {
	t.Helper()
	owed, first := uint32(0), limit+1
	for h := range limit + 1 {
		if len(l.owingAt(h, anyone)) > 0 {
			owed++
			first = min(first, h)
		}
	}
	if got := w.Unscanned(limit); got != owed {
		t.Fatalf("%d blocks owed, not %d", got, owed)
	}
	from, through, any := w.Scanned(limit)
	born, watching := w.Birthday()
	if any != (watching && born <= limit && first > born) || any && (from != born || through != first-1) {
		t.Fatalf("scanned %d to %d %v, with debt from %d and birthday %d", from, through, any, first, born)
	}
}

func (l *ledger) apply(t *testing.T, c *world, w *Wallet, rng *rand.Rand) (exact bool) {
	t.Helper()
	if l.scan == nil {
		return true
	}
	batch := c.batch(*l.scan, l.scan.Range.From+rng.Uint32N(40))
	if err := w.Apply(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	for n := range l.owing {
		for x := batch.Scan.Range.From; x <= batch.Scan.Range.To; x++ {
			l.tested[n][x] = true
		}
	}
	l.scan, l.owing = nil, nil
	return false
}

// finish: without disturbance every debt is paid, exactly, and all scripts end
// in one group.
func (l *ledger) finish(t *testing.T, c *world, w *Wallet) {
	t.Helper()
	watchN(t, w, 0, 100)
	for i := 0; c.step(w, ledgerTop-1, nil); i++ {
		if i > 1000 {
			t.Fatal("never done")
		}
	}
	if len(w.ledger.Groups()) != 1 {
		t.Fatalf("%d groups in the end", len(w.ledger.Groups()))
	}
	if _, through, ok := w.Scanned(ledgerTop - 1); !ok || through != ledgerTop-1 {
		t.Fatalf("scanned through %d, %v", through, ok)
	}
}

// TestVoidScans: the result of a scan never counts for scripts that came, were
// reset or belong to another branch.
// Rules 15 and 17.
func TestVoidScans(t *testing.T) {
	c := newWorld(t)
	pay := c.pay(out(scriptN(1), 1), out(scriptN(2), 2))
	c.mine(pay)
	c.mine()
	for name, disturb := range map[string]func(*Wallet){
		"watch":  func(w *Wallet) { watchN(t, w, 0, 2) },
		"rescan": func(w *Wallet) { w.Rescan(context.Background(), 0, 9); watchN(t, w, 0, 2) },
		"unwatch": func(w *Wallet) {
			w.Unwatch(context.Background(), Watch{Addresses: []string{addr(3).String()}})
			watchN(t, w, 0, 2)
		},
	} {
		w := open(t)
		watchN(t, w, 0, 1, 3)
		scan, _, _ := w.NextScan(context.Background(), 2)
		disturb(w)
		if err := w.Apply(context.Background(), c.batch(scan, 2)); err != nil {
			t.Fatal(err)
		}
		c.sync(w)
		if got := balance(t, w); got.Total != 3 {
			t.Errorf("%s: balance %+v", name, got)
		}
	}

	// Adding scripts does not spoil a scan under way.
	w := open(t)
	watchN(t, w, 0, 1)
	scan, _, _ := w.NextScan(context.Background(), 2)
	watchN(t, w, 0, 2)
	watchN(t, w, 0, 4)
	if len(w.ledger.Groups()) != 2 {
		t.Errorf("%d groups", len(w.ledger.Groups()))
	}
	if err := w.Apply(context.Background(), c.batch(scan, 2)); err != nil {
		t.Fatal(err)
	}
	if s := w.scripts[string(scriptN(1))]; !w.ledger.Covered(s).Covers(chain.Range{From: 0, To: 2}) {
		t.Error("the scan was in vain")
	}

	// Nor does a batch from before a reopen count.
	scan, _, _ = w.NextScan(context.Background(), 2)
	path := w.path
	w.Close()
	w = openAt(t, path)
	before, _ := w.LastEvent(context.Background())
	if err := w.Apply(context.Background(), c.batch(scan, 2)); err != nil {
		t.Fatal(err)
	}
	if after, _ := w.LastEvent(context.Background()); after != before {
		t.Error("a batch of an earlier opening was applied")
	}
}

func TestApplyErrors(t *testing.T) {
	c := newWorld(t)
	c.mine(c.pay(out(scriptN(1), 1)))
	c.mine(c.pay(out(scriptN(1), 2)))
	c.mine()
	w := open(t)
	watchN(t, w, 0, 1)
	scan, _, _ := w.NextScan(context.Background(), 2)
	for name, spoil := range map[string]func(*spv.Batch){
		"end":          func(b *spv.Batch) { b.End.Height++ },
		"range":        func(b *spv.Batch) { b.Scan.Range.From = 3 },
		"order":        func(b *spv.Batch) { slices.Reverse(b.Blocks) },
		"outside":      func(b *spv.Batch) { b.Blocks[1].ID.Height = 7 },
		"no block":     func(b *spv.Batch) { b.Blocks[0].Msg = nil },
		"other end":    func(b *spv.Batch) { b.End.Hash[0]++ },
		"not linked":   func(b *spv.Batch) { b.Blocks[0].ID.Hash[0]++ },
		"disapproved":  func(b *spv.Batch) { b.Disapproved = []uint32{2} },
		"disapproved2": func(b *spv.Batch) { b.Scan.Range.From = 2; b.Blocks = b.Blocks[1:]; b.Disapproved = []uint32{0} },
	} {
		b := c.batch(scan, 2)
		spoil(&b)
		if err := w.Apply(context.Background(), b); !errors.Is(err, ErrBatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.sync(w)
	state := summaryOf(t, w)
	other := c.fork(1)
	other.mine(other.pay(out(scriptN(1), 4)))
	other.mine()
	if err := w.Rescan(context.Background(), 0, 9); err != nil {
		t.Fatal(err)
	}
	scan, _, _ = w.NextScan(context.Background(), 3)
	if err := w.Apply(context.Background(), other.batch(scan, 3)); !errors.Is(err, ErrChain) {
		t.Errorf("another branch: %v", err)
	}
	if err := w.Apply(context.Background(), other.batch(scan, 2)); !errors.Is(err, ErrChain) {
		t.Errorf("another branch below the tip: %v", err)
	}
	if got := summaryOf(t, w); got != state {
		t.Errorf("changed:\n%s", got)
	}
	c.sync(w)
}

func TestLocator(t *testing.T) {
	c, w := newWorld(t), open(t)
	if ids, err := w.Locator(context.Background()); err != nil || len(ids) != 0 {
		t.Fatal(ids, err)
	}
	watchN(t, w, 5, 1)
	for c.height() < 3000 {
		c.mine()
		if c.height() >= 5 {
			for c.step(w, c.height(), nil) {
			}
		}
	}
	for range 2 {
		ids, err := w.Locator(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) > densePositions+thinAbove || ids[len(ids)-1].Height != 0 {
			t.Fatalf("%d entries, the last is %v", len(ids), ids[len(ids)-1])
		}
		for i, id := range ids {
			if !c.contains(id) || i > 0 && id.Height >= ids[i-1].Height || i < densePositions && id.Height != c.height()-uint32(i) {
				t.Fatalf("entry %d is %v", i, id)
			}
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
	}
}

// TestRescanBackwards: a range that ends before it begins is an error, and changes
// nothing.
func TestRescanBackwards(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.mine()
	c.sync(w)
	if err := w.Rescan(t.Context(), 2, 1); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	if scan, ok, _ := w.NextScan(context.Background(), 2); ok {
		t.Errorf("%v is to be scanned", scan.Range)
	}
	if err := w.Rescan(t.Context(), 1, 1); err != nil || w.Unscanned(2) != 1 {
		t.Errorf("%v, %d blocks owed", err, w.Unscanned(2))
	}
}

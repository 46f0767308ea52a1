package wallet

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"dcrspv/internal/dbfile"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// patient is a wallet file that has some of everything, branch pages too, and a
// chain that goes on behind it.
type patient struct {
	t     *testing.T
	c     *world
	path  string
	good  []byte
	page  int
	state string
	extra *wire.MsgTx // not yet known to the wallet
}

func newPatient(t *testing.T) *patient {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2, 3)
	watch(t, w, Watch{XPubs: []string{testXPub(t, 1)}, Gap: 6})
	for n := range uint32(24) {
		tx := c.pay(out(scriptN(1), 1), out(scriptOf(keyAddr(t, testXPub(t, 1), 0, n)), 2))
		c.mine(tx)
		c.mineVoted(n%8 != 7, c.spend(outPoints(tx, 0), out(scriptN(2), 3), out(scriptN(4), 1)))
	}
	c.sync(w)
	addUnmined(t, w, c.pay(out(scriptN(3), 4)))
	w.maxScan = 20
	watch(t, w, Watch{Scripts: [][]byte{{0x51}, scriptN(4)}})
	c.scans(w, 1)
	p := &patient{t: t, c: c, path: w.path, page: w.db.Info().PageSize, state: summaryOf(t, w)}
	if err := errors.Join(w.db.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
	p.good = read(t, p.path)
	c.mine(c.pay(out(scriptN(1), 5)))
	c.mineVoted(false)
	p.extra = c.pay(out(scriptN(2), 6))
	return p
}

func outPoints(tx *wire.MsgTx, index uint32) []wire.OutPoint {
	return []wire.OutPoint{opOf(tx, index)}
}

// pages are the numbers of the file's pages that are not all zeros.
func (p *patient) pages() (ids []int) {
	zero := make([]byte, p.page)
	for id := range len(p.good) / p.page {
		if !bytes.Equal(p.good[id*p.page:(id+1)*p.page], zero) {
			ids = append(ids, id)
		}
	}
	return ids
}

// spoiled is the file with other bytes at a place.
func (p *patient) spoiled(at int, b []byte) []byte {
	bad := bytes.Clone(p.good)
	copy(bad[at:], b)
	return bad
}

// check checks that an error is none, or one line that says what to do.
func (p *patient) check(name string, err error) {
	p.t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	bad := strings.Contains(text, "\n") || len(text) > 400
	if errors.Is(err, ErrCorrupt) {
		bad = bad || !strings.HasPrefix(text, p.path+": ") || strings.Count(text, p.path) != 1 || !strings.Contains(text, "backup")
	}
	if bad {
		p.t.Errorf("%s: %q", name, text)
	}
}

// use calls everything. Each call works or returns an error; any is.
func (p *patient) use(w *Wallet) (any error) {
	p.t.Helper()
	ctx := context.Background()
	w.db.NoSync = true
	calls := map[string]func() error{
		"balance":  func() error { _, err := w.Balance(ctx); return err },
		"history":  func() error { _, err := w.History(ctx); return err },
		"utxos":    func() error { _, err := w.UTXOs(ctx); return err },
		"unmined":  func() error { _, err := w.Unmined(ctx); return err },
		"events":   func() error { _, err := w.readEvents(ctx, 0); return err },
		"last":     func() error { _, err := w.LastEvent(ctx); return err },
		"watched":  func() error { _, err := w.Watched(ctx); return err },
		"address":  func() error { _, err := w.Address(ctx); return err },
		"birthday": func() error { w.Birthday(); w.Scanned(p.c.height()); return nil },
		"apply": func() error {
			scan, ok, err := w.NextScan(context.Background(), p.c.height())
			if err != nil || !ok {
				return err
			}
			return w.Apply(context.Background(), p.c.batch(scan, p.c.height()))
		},
		"add":    func() error { _, err := w.AddUnmined(ctx, p.extra); return err },
		"rescan": func() error { return w.Rescan(ctx, 0, math.MaxUint32) },
		"rewind": func() error { return w.Rewind(context.Background(), p.c.id(8)) },
		"watch":  func() error { return w.Watch(ctx, Watch{Addresses: []string{addr(9).String()}}) },
		"unwatch": func() error {
			return w.Unwatch(ctx, Watch{Addresses: []string{addr(1).String()}})
		},
		"locator": func() error { _, err := w.Locator(context.Background()); return err },
		"verify":  func() error { _, err := w.Verify(ctx); return err },
	}
	for _, name := range []string{
		"balance", "history", "utxos", "unmined", "events", "last", "watched", "address", "birthday",
		"apply", "add", "rescan", "apply", "rewind", "apply", "watch", "unwatch", "locator", "verify",
	} {
		err := calls[name]()
		p.check(name, err)
		if any == nil {
			any = err
		}
	}
	return any
}

// try opens a damaged file and uses it, then the undamaged one.
func (p *patient) try(bad []byte) error {
	p.t.Helper()
	write(p.t, p.path, bad)
	w, err := Open(p.path, params)
	p.check("open", err)
	if err != nil && !bytes.Equal(read(p.t, p.path), bad) {
		p.t.Error("the file was changed")
	}
	if err == nil {
		err = p.use(w)
		p.close(w)
	}
	return err
}

func (p *patient) close(w *Wallet) {
	p.t.Helper()
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		p.t.Errorf("close: %v", err)
	}
}

// recovered checks that the undamaged file opens: nothing holds its lock.
func (p *patient) recovered() {
	p.t.Helper()
	write(p.t, p.path, p.good)
	w, err := Open(p.path, params)
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Close()
	if got := summaryOf(p.t, w); got != p.state {
		p.t.Fatalf("%s\nnot\n%s", got, p.state)
	}
}

// noise is a page of random bytes.
func (p *patient) noise(rng *rand.Rand) []byte {
	b := make([]byte, p.page)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestDamagedPages: a page of noise or zeros. All but the free ones is missed at once.
// Rule 25.
func TestDamagedPages(t *testing.T) {
	p := newPatient(t)
	rng := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for _, id := range p.pages() {
		for _, with := range [][]byte{p.noise(rng), make([]byte, p.page)} {
			if err := p.try(p.spoiled(id*p.page, with)); errors.Is(err, ErrCorrupt) {
				refused++
			}
			p.recovered()
		}
	}
	if refused < 20 {
		t.Errorf("%d refused", refused)
	}
}

// TestFlippedBytes: one byte is another one, in the heads of pages, where bbolt
// is led astray most easily, and anywhere.
// Rule 25.
func TestFlippedBytes(t *testing.T) {
	p := newPatient(t)
	rng := rand.New(rand.NewPCG(3, 4))
	var places []int
	for _, id := range p.pages() {
		for range 3 {
			places = append(places, id*p.page+rng.IntN(48), id*p.page+rng.IntN(p.page))
		}
	}
	for i, at := range places {
		if i%thin > 0 {
			continue
		}
		old := p.good[at]
		if err := p.try(p.spoiled(at, []byte{old ^ byte(1+rng.IntN(255))})); errors.Is(err, ErrInUse) {
			t.Fatal(err)
		}
	}
	p.recovered()
}

// TestDamagedWhileOpen: pages that vanish under an open wallet. After the first
// one missed nothing is written any more.
// Rule 25.
func TestDamagedWhileOpen(t *testing.T) {
	p := newPatient(t)
	damaged := 0
	for _, id := range p.pages()[2:] {
		p.recovered()
		w, err := Open(p.path, params)
		if err != nil {
			t.Fatal(err)
		}
		p.overwrite(int64(id*p.page), make([]byte, p.page))
		p.use(w)
		if w.db.Over() != nil {
			damaged++
			before := read(t, p.path)
			if err := p.use(w); !errors.Is(err, ErrCorrupt) {
				t.Errorf("used again: %v", err)
			}
			if !bytes.Equal(read(t, p.path), before) {
				t.Error("the damaged file was written to")
			}
		}
		p.close(w)
	}
	if damaged < 8 {
		t.Errorf("%d damaged", damaged)
	}
	p.recovered()
}

func (p *patient) overwrite(at int64, with []byte) {
	p.t.Helper()
	f, err := os.OpenFile(p.path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(with, at)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		p.t.Fatal(err)
	}
}

// TestCutOffWhileOpen: reading behind the end of a mapped file is a memory
// fault, in the first page even before a transaction has begun.
func TestCutOffWhileOpen(t *testing.T) {
	p := newPatient(t)
	for _, size := range []int{0, 2 * p.page} {
		p.recovered()
		w, err := Open(p.path, params)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(p.path, int64(size)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := p.use(w); !errors.Is(err, ErrCorrupt) {
				t.Errorf("cut to %d: %v", size, err)
			}
		}
		p.close(w)
		p.recovered()
	}
}

// TestPanicOfOurOwn: a fault of the program is none of the file. It says so, ends the
// use of the wallet, and what it was about to write is gone.
// Rule 24.
func TestPanicOfOurOwn(t *testing.T) {
	p := newPatient(t)
	var none []int
	for name, panics := range map[string]func(){
		"text":  func() { panic("a fault") },
		"index": func() { _ = none[len(p.path)] },
	} {
		w, err := Open(p.path, params)
		if err != nil {
			t.Fatal(err)
		}
		err = w.update(context.Background(), func(c *change) {
			c.moveTo(chain.BlockID{Height: 1000})
			panics()
		})
		if !errors.Is(err, dbfile.ErrBug) || errors.Is(err, ErrCorrupt) || strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.Rewind(context.Background(), p.c.id(1)); !errors.Is(err, dbfile.ErrBug) {
			t.Errorf("%s: %v", name, err)
		}
		p.close(w)
	}
	w, err := Open(p.path, params)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := summaryOf(t, w); got != p.state {
		t.Fatalf("%s\nnot\n%s", got, p.state)
	}
}

// TestNoiseWhileOpen: noise that is written into an open file, a page of it or
// where it leads bbolt astray most easily.
func TestNoiseWhileOpen(t *testing.T) {
	p := newPatient(t)
	rng := rand.New(rand.NewPCG(11, 12))
	ids := p.pages()
	n := 0
	for range 60 {
		p.recovered()
		w, err := Open(p.path, params)
		if err != nil {
			t.Fatal(err)
		}
		id := ids[rng.IntN(len(ids))]
		switch rng.IntN(3) {
		case 0:
			p.overwrite(int64(id*p.page), p.noise(rng))
		case 1:
			for range 1 + rng.IntN(4) {
				p.overwrite(int64(id*p.page+rng.IntN(64)), []byte{byte(rng.Uint32())})
			}
		case 2:
			p.overwrite(int64(id*p.page+8), []byte{[]byte{1, 2, 4, 16}[rng.IntN(4)]}) // the kind of page
		}
		if p.use(w) != nil {
			n++
		}
		p.close(w)
	}
	if n < 20 {
		t.Errorf("%d damaged", n)
	}
}

package wallet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"dcrspv/spv"
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// driver does to a wallet in a random world what a Syncer and a user do, and
// keeps book of what the wallet must know.
type driver struct {
	*cast
	t      *testing.T
	path   string
	w      *Wallet
	ahead  uint32 // so many addresses behind a gap the wallet may know
	length uint32 // of a scan
	replay *replay

	// What the user watches, by birthday; accounts with their gap.
	singles  [castSingles + castScripts]bool
	accounts [castKeys]*castAccount
	points   []OutPoint
	alone    birthdays // scripts and outpoints that are watched by themselves
	set      birthdays // every watched script, as the wallet derives them, and outpoint
	derived  [castKeys][2]uint32
	removed  int // how many events were looked at for what is gone

	tested map[string][]bool // heights that blocks were tested on, by script
	given  *castScan

	// Where the wallet was told the chain goes. It may have gone elsewhere
	// meanwhile.
	view    *world
	located bool
	forked  bool
	fork    chain.BlockID

	known   map[hash]bool // transactions that the wallet must not lose sight of
	dropped map[hash]bool // that it may
	hearsay map[hash]bool // that only peers have told of
	own     map[hash]bool // that we have announced
	kills   int
	calm    bool // somebody else sees to it that the wallet is killed
}

type castAccount struct {
	from, gap uint32
	pubKeys   bool
}

// castScan is a scan under way, or done and not yet applied.
type castScan struct {
	scan    spv.Scan
	scripts []string
	batch   *spv.Batch
}

func newDriver(t *testing.T, k *cast) *driver {
	made.Clear() // nobody spends what other worlds have made
	d := &driver{
		cast: k, t: t, path: filepath.Join(t.TempDir(), "wallet.db"), replay: newReplay(),
		alone: make(birthdays), set: make(birthdays), tested: make(map[string][]bool), view: k.c.fork(k.c.height()),
		known: make(map[hash]bool), dropped: make(map[hash]bool), hearsay: make(map[hash]bool),
		own: make(map[hash]bool),
	}
	d.ahead = uint32(k.rng.IntN(3)) * 3
	d.length = []uint32{maxScan, 40, 7, 1 + k.rng.Uint32N(20)}[k.rng.IntN(4)]
	d.open()
	return d
}

func (d *driver) open() {
	d.t.Helper()
	d.w = openAt(d.t, d.path)
	d.w.maxAhead = d.ahead
	if d.length > 0 {
		d.w.maxScan, d.w.nearTip = d.length, d.length%12
	}
}

// do makes a change to the wallet, and notes it with done unless the wallet was
// killed before the change was in the file.
func (d *driver) do(what string, change func() error, done func()) {
	d.t.Helper()
	if *trace {
		d.t.Log(what)
	}
	if d.calm || d.rng.IntN(16) > 0 {
		if err := change(); err != nil {
			d.t.Fatalf("%s: %v", what, err)
		}
		done()
		d.derive()
		return
	}
	moment := d.rng.Uint64() // how many pages bbolt writes is up to chance
	// The progress is in the file at both ends, so that the change is one write.
	if err := d.w.save(); err != nil {
		d.t.Fatal(err)
	}
	before, state := read(d.t, d.path), d.state()
	if err := errors.Join(change(), d.w.save()); err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
	after, changed := read(d.t, d.path), d.state()
	torn, lost := tear(before, after, d.w.db.Info().PageSize, rand.New(rand.NewPCG(moment, 0)))
	d.w.Close()
	write(d.t, d.path, torn)
	d.open()
	d.kills++
	d.given = nil
	want := changed
	if lost {
		want = state
	}
	if got := d.state(); got != want {
		d.t.Fatalf("killed during %s (lost %v):\n%s\nnot\n%s", what, lost, got, want)
	}
	if !lost {
		done()
	}
	d.derive()
}

// state is everything there is to see.
func (d *driver) state() string {
	d.t.Helper()
	return everything(d.t, d.w, d.c.height())
}

func (d *driver) reopen() {
	if err := d.w.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.open()
	d.given = nil
}

// grow adds blocks, or replaces some.
func (d *driver) grow() {
	if d.rng.IntN(4) > 0 || d.c.height() < 4 {
		for range 1 + d.rng.IntN(6) {
			d.block()
		}
		return
	}
	depth := 1 + d.rng.Uint32N(30)
	if d.rng.IntN(2) == 0 {
		depth = 1 + d.rng.Uint32N(3)
	}
	d.goElsewhere(depth)
}

// goElsewhere replaces some blocks.
func (d *driver) goElsewhere(depth uint32) {
	fork := d.c.height() - min(depth, d.c.height()-1)
	d.reorg(depth)
	// As the Syncer does when blocks leave the best chain.
	if d.located && !d.forked || d.forked && fork < d.fork.Height {
		d.fork, d.forked = d.c.id(fork), true
	}
	d.located = false
	if g := d.given; g != nil && g.batch != nil && g.batch.End.Height > fork {
		d.given = nil
	}
}

// locate finds where the wallet's blocks leave the chain, and has it go back
// to there.
func (d *driver) locate() {
	d.t.Helper()
	if d.located {
		d.view = d.c.fork(d.c.height())
		return
	}
	ids, err := d.w.Locator(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	if len(ids) > 0 {
		to := d.c.id(0)
		if i := slices.IndexFunc(ids, d.c.contains); i >= 0 {
			to = ids[i]
		}
		if d.forked && d.fork.Height > to.Height && d.c.contains(d.fork) {
			to = d.fork
		}
		if to.Height < ids[0].Height {
			lost := true
			d.do("Rewind", func() error { return d.w.Rewind(context.Background(), to) }, func() {
				lost = false
				for s := range d.tested {
					d.tested[s] = d.tested[s][:min(len(d.tested[s]), int(to.Height)+1)]
				}
			})
			if lost {
				d.located = false
				d.forked = false // a Syncer that was killed with the wallet knows no more
				d.locate()
				return
			}
		}
	}
	d.located, d.forked = true, false
	d.view = d.c.fork(d.c.height())
}

// scan asks for a scan and matches it, or applies the one under way. It reports
// false if there is no debt.
func (d *driver) scan() bool {
	d.t.Helper()
	d.locate()
	if d.given != nil && d.given.batch != nil {
		d.apply()
		return true
	}
	limit := d.c.height()
	if d.rng.IntN(3) == 0 {
		limit -= min(limit, d.rng.Uint32N(4))
	}
	scan, ok, err := d.w.NextScan(context.Background(), limit)
	if err != nil {
		d.t.Fatal(err)
	}
	d.checkScan(scan, ok, limit)
	if !ok {
		return limit < d.c.height()
	}
	d.given = &castScan{scan: scan, scripts: d.scriptsOf(scan)}
	to := scan.Range.To
	if d.rng.IntN(2) == 0 {
		to = scan.Range.From + d.rng.Uint32N(min(to-scan.Range.From, 12)+1)
	}
	batch := d.c.batch(scan, to)
	d.given.batch = &batch
	return true
}

// apply hands in the batch. It counts for scripts that are still watched.
func (d *driver) apply() {
	d.t.Helper()
	g := d.given
	d.given = nil
	twice := d.rng.IntN(8) == 0
	d.do("Apply", func() error { return d.w.Apply(context.Background(), *g.batch) }, func() {
		entries := d.entries()
		for _, s := range g.scripts {
			if entries[s] == nil {
				continue
			}
			tested := d.tested[s]
			for len(tested) <= int(g.batch.End.Height) {
				tested = append(tested, false)
			}
			for h := g.batch.Scan.Range.From; h <= g.batch.End.Height; h++ {
				tested[h] = true
			}
			d.tested[s] = tested
		}
	})
	if twice && d.c.contains(g.batch.End) {
		d.do("Apply again", func() error { return d.w.Apply(context.Background(), *g.batch) }, func() {})
	}
}

// sync does all there is to do.
func (d *driver) sync() {
	d.t.Helper()
	most := 2000 * (1 + d.c.height()/max(d.length, 1)) // scans are the more the shorter they are
	for i := uint32(0); d.scan(); i++ {
		if i > most {
			d.t.Fatal("never done")
		}
	}
}

// rescan marks blocks as not tested.
func (d *driver) rescan() {
	from := d.rng.Uint32N(d.c.height() + 1)
	to := from + d.rng.Uint32N(20)
	if d.rng.IntN(3) == 0 {
		to = math.MaxUint32
	}
	d.do("Rescan", func() error { return d.w.Rescan(context.Background(), from, to) }, func() {
		for _, tested := range d.tested {
			for h := from; h < uint32(len(tested)) && h <= to; h++ {
				tested[h] = false
			}
		}
	})
}

// announce tells the wallet of a transaction that is not in the chain.
func (d *driver) announce() {
	d.t.Helper()
	tx := d.draftTx()
	id := d.id(tx)
	var taken bool
	var refused error
	d.do("AddUnmined", func() error {
		taken, refused = d.w.AddUnmined(context.Background(), signed(tx)[0])
		switch {
		case errors.Is(refused, ErrConflict), errors.Is(refused, ErrExpired), errors.Is(refused, ErrSuperseded),
			errors.Is(refused, ErrInvalid) && d.wrong(tx), errors.Is(refused, ErrTooEarly) && d.immature(tx):
			return nil
		}
		return refused
	}, func() {
		if taken {
			delete(d.dropped, id)
			delete(d.hearsay, id)
			d.own[id] = true
			d.known[id] = !d.wrong(tx)
		}
	})
	d.checkTaken(tx, taken, refused)
}

// wrong reports whether a transaction can never be mined.
func (d *driver) wrong(tx *wire.MsgTx) bool {
	return d.flawed(tx, func(hash) bool { return true })
}

// hear tells the wallet of transactions as a peer does.
func (d *driver) hear() {
	d.t.Helper()
	var txs []*wire.MsgTx
	for range 1 + d.rng.IntN(3) {
		tx := d.draftTx()
		if id := d.id(tx); !d.known[id] {
			d.hearsay[id] = true
		}
		signed(tx)
		if tx.TxIn[0].SignatureScript != nil && d.rng.IntN(4) == 0 { // as somebody else signs it
			tx = tx.Copy()
			tx.TxIn[0].SignatureScript = fakeSignature
		}
		txs = append(txs, tx)
	}
	d.do("AddRelayed", func() error {
		_, err := d.w.AddRelayed(context.Background(), fmt.Sprint("peer", d.rng.IntN(8)), txs)
		return err
	}, func() {})
}

// draftTx makes a transaction that is to be mined: new, a child of one that
// waits, a rival, or one that was announced before.
func (d *cast) draftTx() *wire.MsgTx {
	var ops []wire.OutPoint
	coins := d.read(d.all, d.c.height(), true).sortedCoins()
	switch n := d.rng.IntN(6); {
	case n == 0 && len(d.pool) > 0:
		return d.pool[d.rng.IntN(len(d.pool))]
	case n == 1 && len(d.pool) > 0: // a child
		ops = append(ops, opOf(d.pool[d.rng.IntN(len(d.pool))], 0))
	case n == 2 && len(d.pool) > 0:
		if tx := d.rival(d.pool[d.rng.IntN(len(d.pool))]); tx != nil {
			d.id(tx)
			d.pool = append(d.pool, tx)
			return tx
		}
	case n < 5 && len(coins) > 0:
		if coin := coins[d.rng.IntN(len(coins))]; coin.kind != 0xba {
			ops = append(ops, coin.op)
		}
	}
	tx := d.regular(ops...)
	if d.rng.IntN(3) == 0 && (len(ops) == 0 || ops[0].Tree == 0) {
		tx = d.ticket(ops...)
	}
	d.id(tx)
	d.pool = append(d.pool, tx)
	return tx
}

// forgetTx has the wallet drop a transaction that waits.
func (d *driver) forgetTx() {
	d.t.Helper()
	waiting := unmined(d.t, d.w)
	if len(waiting) == 0 {
		return
	}
	id := waiting[d.rng.IntN(len(waiting))].TxID
	d.do("DropUnmined", func() error { return d.w.DropUnmined(context.Background(), id) }, func() {
		d.lose(map[hash]bool{id: true})
	})
}

// lose gives up transactions and all that spend them.
func (d *driver) lose(gone map[hash]bool) {
	for grown := true; grown; {
		grown = false
		for id, tx := range d.made {
			if gone[id] {
				continue
			}
			for _, in := range tx.TxIn {
				if gone[in.PreviousOutPoint.Hash] {
					gone[id], grown = true, true
				}
			}
		}
	}
	for id := range gone {
		delete(d.known, id)
		d.dropped[id] = true
	}
}

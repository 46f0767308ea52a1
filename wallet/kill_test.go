package wallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/decred/dcrd/wire"
)

// bbolt writes the pages that a transaction changed, in the order of their
// numbers, and syncs; then one of the two head pages, and syncs. So a program
// that is killed leaves the old file with the first of the new pages, the last
// of them perhaps in part, or all of them with the old head, a torn one or the
// new one. A machine that loses power may leave any of the new pages.

// tear makes what is left of a file that a transaction changes from before to
// after, at a random moment; lost tells that the transaction is not in it.
func tear(before, after []byte, page int, rng *rand.Rand) (torn []byte, lost bool) {
	torn = append(bytes.Clone(before), make([]byte, max(0, len(after)-len(before)))...)
	changed, head := changedPages(before, after, page)
	if head < 0 {
		return after, false // nothing was written
	}
	switch rng.IntN(4) {
	case 0: // killed
		for _, id := range changed[:rng.IntN(len(changed)+1)] {
			copyPage(torn, after, id, page, page)
		}
		return torn, true
	case 1: // killed in the middle of a page, or the power is cut
		for _, id := range changed {
			if rng.IntN(2) == 0 {
				copyPage(torn, after, id, page, 512*rng.IntN(page/512+1))
			}
		}
		return torn, true
	case 2: // in the middle of the head
		for _, id := range changed {
			copyPage(torn, after, id, page, page)
		}
		copyPage(torn, after, head, page, pageHeader+8*rng.IntN(headSize/8)) // in whole words
		return torn, !bytes.Equal(torn, after)
	}
	return after, false
}

// changedPages are the pages that a transaction wrote, and which of the heads;
// -1 if none.
func changedPages(before, after []byte, page int) (ids []int, head int) {
	head = -1
	for id := range len(after) / page {
		now := after[id*page : (id+1)*page]
		if (id+1)*page <= len(before) && bytes.Equal(now, before[id*page:(id+1)*page]) {
			continue
		}
		if id < 2 {
			head = id
		} else {
			ids = append(ids, id)
		}
	}
	return ids, head
}

func copyPage(to, from []byte, id, page, n int) { copy(to[id*page:id*page+n], from[id*page:]) }

// everything is all there is to see of a wallet, in words.
func everything(t *testing.T, w *Wallet, limit uint32) string {
	t.Helper()
	ids, err := w.Locator(context.Background())
	last, err2 := w.LastEvent(context.Background())
	watched, err3 := w.Watched(context.Background())
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	from, through, any := w.Scanned(limit)
	return fmt.Sprintf("%s\nlocator %v\nlast event %d\nwatched %+v\nscanned %d %d %v, %d owed",
		summaryOf(t, w), ids, last, watched, from, through, any, w.Unscanned(limit))
}

// killStep is a change to a wallet in one transaction.
type killStep struct {
	name   string
	change func(t *testing.T, w *Wallet)
}

// make has it in the file, however little it changes.
func (s *killStep) make(t *testing.T, w *Wallet) {
	t.Helper()
	s.change(t, w)
	if err := w.save(); err != nil {
		t.Fatal(err)
	}
}

// killChain makes four blocks, and two transactions that can't be mined behind
// them.
func killChain(t *testing.T, c *world, key string) (spend, waits, child *wire.MsgTx) {
	late := c.pay(out(scriptN(3), 33))
	fund := c.pay(out(scriptN(1), 100), out(scriptN(2), 50))
	c.mine(fund, late)
	spend = c.spend([]wire.OutPoint{opOf(fund, 0)}, out(scriptN(2), 90))
	c.mine(spend, c.ticket(opOf(fund, 1), addr(2), addr(2), 30, 15))
	c.mineVoted(false, c.pay(out(scriptOf(keyAddr(t, key, 0, 15)), 7), out(scriptOf(keyAddr(t, key, 0, 35)), 8)))
	waits = c.spend([]wire.OutPoint{opOf(spend, 0)}, out(scriptN(1), 80))
	child = c.spend([]wire.OutPoint{opOf(waits, 0)}, out(scriptN(1), 70))
	rival := c.spend([]wire.OutPoint{opOf(spend, 0)}, out(scriptN(2), 60))
	c.mine(spend, rival, c.spend([]wire.OutPoint{opOf(late, 0)}))
	signed(waits, child)
	return spend, waits, child
}

// killSteps go through all that writes.
func killSteps(t *testing.T) (steps []killStep, height uint32) {
	ctx := context.Background()
	c := newWorld(t)
	key := testXPub(t, 1)
	add := func(name string, change func(w *Wallet) error) {
		steps = append(steps, killStep{name, func(t *testing.T, w *Wallet) {
			t.Helper()
			if err := change(w); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}})
	}
	apply := func(to uint32) {
		add(fmt.Sprintf("Apply to %d", to), func(w *Wallet) error {
			scan, _, err := w.NextScan(context.Background(), to)
			if err != nil {
				return err
			}
			return w.Apply(context.Background(), c.batch(scan, to))
		})
	}
	spend, waits, child := killChain(t, c, key)

	watching := func(what Watch) {
		add("Watch", func(w *Wallet) error { return w.Watch(ctx, what) })
	}
	watching(Watch{Addresses: []string{addr(1).String(), addr(2).String()}, Label: "two"})
	watching(Watch{XPubs: []string{key}})
	watching(Watch{OutPoints: []OutPoint{{spend.TxHash(), 0, scriptN(2)}, {waits.TxHash(), 0, scriptN(1)}}, Label: "two more"})
	apply(1)
	apply(2)
	add("AddUnmined", func(w *Wallet) error { _, err := w.AddUnmined(ctx, waits); return err })
	add("AddUnmined child", func(w *Wallet) error { _, err := w.AddUnmined(ctx, child); return err })
	apply(3) // disapproves, and derives addresses
	apply(3) // for those
	apply(4) // conflicts
	watching(Watch{Addresses: []string{addr(3).String()}})
	add("Apply half of it", func(w *Wallet) error {
		w.maxScan = 2
		defer func() { w.maxScan = maxScan }()
		scan, _, err := w.NextScan(context.Background(), 4)
		if err != nil {
			return err
		}
		return w.Apply(context.Background(), c.batch(scan, 4))
	})
	add("Rewind half way", func(w *Wallet) error { return w.Rewind(context.Background(), c.id(3)) })
	apply(4)
	apply(4) // what is left of it
	add("Rescan", func(w *Wallet) error { return w.Rescan(ctx, 0, 3) })
	apply(4)
	add("Rewind", func(w *Wallet) error { return w.Rewind(context.Background(), c.id(1)) })
	add("DropUnmined", func(w *Wallet) error { return w.DropUnmined(ctx, waits.TxHash()) })
	apply(4)
	add("Unwatch", func(w *Wallet) error { return w.Unwatch(ctx, Watch{Addresses: []string{addr(2).String()}}) })
	add("Unwatch outpoint", func(w *Wallet) error { return w.Unwatch(ctx, Watch{OutPoints: []OutPoint{{Hash: spend.TxHash()}}}) })
	add("Unwatch account", func(w *Wallet) error { return w.Unwatch(ctx, Watch{XPubs: []string{key}}) })
	return steps, c.height()
}

// TestKilledAtEveryWrite: killed at any write of any change, half way through
// it too, the file opens in the state before the change, and the change made
// again then gives what it would have, to the number of the last event.
// Rule 17.
func TestKilledAtEveryWrite(t *testing.T) {
	steps, height := killSteps(t)
	w := open(t)
	path, page, tried := w.path, w.db.Info().PageSize, 0
	copied := filepath.Join(t.TempDir(), "copy.db")
	for _, step := range steps {
		before, state := read(t, path), everything(t, w, height)
		step.make(t, w)
		after, changed := read(t, path), everything(t, w, height)
		if state == changed {
			t.Fatalf("%s changes nothing", step.name)
		}
		check := func(what string, torn []byte) {
			t.Helper()
			if tried++; tried%thin > 0 {
				return
			}
			write(t, copied, torn)
			k := openAt(t, copied)
			defer k.Close()
			verify(t, k)
			if got := everything(t, k, height); got != state {
				t.Fatalf("%s, %s:\n%s\nnot\n%s", step.name, what, got, state)
			}
			step.make(t, k)
			if got := everything(t, k, height); got != changed {
				t.Fatalf("%s, %s and made again:\n%s\nnot\n%s", step.name, what, got, changed)
			}
		}
		pages, head := changedPages(before, after, page)
		torn := append(bytes.Clone(before), make([]byte, max(0, len(after)-len(before)))...)
		check("before any page", torn)
		for i, id := range pages {
			if i%3 == 0 {
				copyPage(torn, after, id, page, page/2)
				check(fmt.Sprintf("half of page %d", id), torn)
			}
			copyPage(torn, after, id, page, page)
			check(fmt.Sprintf("page %d", id), torn)
		}
		for n := 8; n < headSize; n += 8 { // the last 8 bytes are its checksum
			copyPage(torn, after, head, page, pageHeader+n)
			check(fmt.Sprintf("%d bytes of the head", n), torn)
		}
	}
	t.Logf("%d changes, killed %d times", len(steps), tried/thin)
}

const killedDir = "WALLET_TEST_KILLED" // set for the process that is to be killed

// TestKilledProcess: a process that works on a wallet is killed, again and again,
// wherever it happens to be. The wallet always opens, what its log has told
// stays told, and in the end all is as if nothing had been.
// Rule 17.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		workUntilKilled(t, dir)
		return
	}
	times := 6
	if testing.Short() {
		times = 1
	}
	rng := rand.New(rand.NewPCG(4, 4))
	dir := t.TempDir()
	told := newReplay()
	for range times {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		progress, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		dots := make([]byte, 1+rng.IntN(150))
		if n, err := io.ReadFull(progress, dots); err != nil || bytes.Count(dots, []byte{'.'}) != n {
			rest, _ := io.ReadAll(progress)
			t.Fatalf("the process ended by itself: %v\n%s%s", err, dots[:n], rest)
		}
		cmd.Process.Kill()
		cmd.Wait()

		w := openAt(t, filepath.Join(dir, "wallet.db"))
		verify(t, w)
		told.checkCursor(t, w, 0)
		told.checkCursor(t, w, rng.Uint64N(uint64(len(told.log))+1))
		if err := told.follow(w); err != nil {
			t.Fatal(err)
		}
		told.check(t, w)
		w.Close()
	}
	d := killedWorld(t, dir)
	d.locate()
	d.sync()
	d.derive()
	d.checkHistory(d.c.height(), d.c.height())
}

// killedWorld is the same world in every process, with the wallet in dir.
func killedWorld(t *testing.T, dir string) *driver {
	k := newCast(newWorld(t), rand.New(rand.NewPCG(1, 6)))
	for range 30 {
		k.block()
	}
	k.reorg(10)
	d := &driver{
		cast: k, t: t, replay: newReplay(), path: filepath.Join(dir, "wallet.db"),
		alone: make(birthdays), set: make(birthdays), tested: make(map[string][]bool), known: make(map[hash]bool), dropped: make(map[hash]bool),
		hearsay: make(map[hash]bool), own: make(map[hash]bool), calm: true,
	}
	d.accounts[0] = &castAccount{gap: castGap, pubKeys: true}
	d.w = openAt(t, d.path)
	d.located = true // by locate of the first process
	d.locate()
	d.watchSingle(0, 0)
	d.watchSingle(1, 3)
	d.watchAccount(0, castAccount{gap: castGap, pubKeys: true})
	return d
}

// workUntilKilled does one change after the other, and writes a byte after each.
func workUntilKilled(t *testing.T, dir string) {
	d := killedWorld(t, dir)
	d.rng = rand.New(rand.NewPCG(rand.Uint64(), 7))
	for n := 0; ; n++ {
		if !d.scan() || d.rng.IntN(10) == 0 {
			if d.rng.IntN(2) == 0 {
				d.rescan()
			} else if err := d.w.Rewind(context.Background(), d.c.id(d.rng.Uint32N(d.c.height()))); err != nil {
				t.Fatal(err)
			}
			d.given = nil
		}
		if d.rng.IntN(10) == 0 {
			d.announce()
		}
		os.Stdout.Write([]byte{'.'})
	}
}

package wallet

import (
	"slices"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

// behind is a wallet at the tip of a chain that watches something from then on,
// and tests so many blocks at a time.
func behind(t *testing.T, c *world, length uint32, what Watch) *Wallet {
	t.Helper()
	w := open(t)
	watchN(t, w, 0, 99)
	c.sync(w)
	w.maxScan = length
	watch(t, w, what)
	return w
}

func watching(ns ...uint64) (what Watch) {
	for _, n := range ns {
		what.Addresses = append(what.Addresses, addr(n).String())
	}
	return what
}

// scans carries out a number of scans, and returns what was tested.
func (c *world) scans(w *Wallet, n int) (tested []chain.Range) {
	c.t.Helper()
	for range n {
		scan, ok, err := w.NextScan(c.height())
		if err != nil || !ok {
			c.t.Fatalf("scan %v, %v", ok, err)
		}
		tested = append(tested, scan.Range)
		if err := w.Apply(c.batch(scan, c.height())); err != nil {
			c.t.Fatal(err)
		}
		verify(c.t, w)
	}
	return tested
}

func strayCount(w *Wallet) (n int) {
	w.view(background(), func(b *buckets) error {
		n = b.strays.Stats().KeyN
		return nil
	})
	return n
}

// wantIdeal has a wallet finish, and compares it with one that knew everything
// from the start.
func wantIdeal(t *testing.T, c *world, w *Wallet, what Watch) {
	t.Helper()
	ideal := open(t)
	watchN(t, ideal, 0, 99)
	watch(t, ideal, what)
	for height := uint32(1); height <= c.height(); height++ {
		for c.step(ideal, height, nil) {
			if n := strayCount(ideal); n > 0 {
				t.Fatalf("%d strays although nothing was tested too early", n)
			}
		}
	}
	c.sync(w)
	if got, want := summaryOf(t, w), summaryOf(t, ideal); got != want {
		t.Fatalf("%s\nnot\n%s", got, want)
	}
	if n := strayCount(w); n > 0 {
		t.Fatalf("%d strays are left", n)
	}
}

func mineTo(c *world, height uint32) {
	for c.height() < height {
		c.mine()
	}
}

// TestNewestFirst: what is watched late is tested from the tip down, new blocks
// come before, and an account before all.
func TestNewestFirst(t *testing.T) {
	c := newWorld(t)
	mineTo(c, 40)
	w := behind(t, c, 10, watching(1))
	want := func(n int, want ...chain.Range) {
		t.Helper()
		if got := c.scans(w, n); !slices.Equal(got, want) {
			t.Fatalf("tested %v, not %v", got, want)
		}
	}
	want(1, chain.Range{From: 31, To: 40})
	mineTo(c, 43)
	want(2, chain.Range{From: 41, To: 43}, chain.Range{From: 21, To: 30})
	if got := w.Owed(c.height()); got != 21 {
		t.Fatalf("%d blocks owed", got)
	}
	// One more script has its own debt first, until both owe the same.
	watchN(t, w, 15, 2)
	want(1, chain.Range{From: 34, To: 43})
	// An account goes up, and takes the others along where they owe too.
	watch(t, w, Watch{XPubs: []string{testXPub(t, 3)}, From: 12})
	want(2, chain.Range{From: 12, To: 14}, chain.Range{From: 15, To: 20})
	want(2, chain.Range{From: 21, To: 30}, chain.Range{From: 31, To: 33})
	want(1, chain.Range{From: 34, To: 43})
	want(2, chain.Range{From: 2, To: 11}, chain.Range{From: 0, To: 1})
	if _, ok, _ := w.NextScan(c.height()); ok || w.Owed(c.height()) != 0 {
		t.Fatal("more debt")
	}
	// A scan cut short: what is left of it is the highest debt again.
	watchN(t, w, 0, 4)
	scan, _, _ := w.NextScan(c.height())
	if err := w.Apply(c.batch(scan, 36)); err != nil {
		t.Fatal(err)
	}
	want(2, chain.Range{From: 37, To: 43}, chain.Range{From: 24, To: 33})
}

// TestSpendMetFirst: money that is long spent is never shown, whatever kind of
// script it was paid to, and however often the program ends meanwhile.
func TestSpendMetFirst(t *testing.T) {
	key := keyN(1)
	push := append([]byte{33}, key...)
	for name, raw := range map[string][]byte{
		"public key hash": scriptN(1),
		"script hash":     []byte(hashScripts(hashed(push))[1]),
		"Ed25519 hash":    []byte(hashScripts(hashed(key[1:]))[2]),
		"Schnorr hash":    []byte(hashScripts(hashed(key))[3]),
		"public key":      append(slices.Clone(push), 0xac),
		"multisig":        append(append([]byte{0x51}, push...), 0x51, 0xae),
		"anything":        {0x51},
		"outpoint":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			c := newWorld(t)
			mineTo(c, 4)
			what := Watch{Scripts: [][]byte{raw}}
			if raw == nil {
				raw = scriptN(7)
			}
			fund := c.pay(out(raw, 100))
			c.mine(fund)
			if what.Scripts[0] == nil {
				what = Watch{OutPoints: []OutPoint{pointAt(fund, 0, 7)}}
			}
			mineTo(c, 9)
			c.mine(c.spend(outPoints(fund, 0), out(scriptN(99), 40)))
			mineTo(c, 12)
			w := behind(t, c, 4, what)
			for range 3 {
				c.scans(w, 1)
				wantBalance(t, w, 40, 0, 0, 0)
				path := w.path
				w.Close()
				w = openAt(t, path)
				w.maxScan = 4
			}
			if h := history(t, w); len(h) != 2 || h[1].Net != -60 || strayCount(w) == 0 {
				t.Fatalf("history %+v, %d strays", h, strayCount(w))
			}
			wantIdeal(t, c, w, what)
		})
	}
}

// TestHashScripts: of every kind of script that a spend is told by, the kind is
// known.
func TestHashScripts(t *testing.T) {
	for _, raw := range hashScripts(make([]byte, 20)) {
		if !paysHash([]byte(raw)) {
			t.Errorf("%x", raw)
		}
	}
}

// TestChainMetFirst: a coin buys a ticket, and that is revoked, which nobody
// signs: both are found with the coin.
func TestChainMetFirst(t *testing.T) {
	c := newWorld(t)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.mine()
	ticket := c.ticket(opOf(fund, 0), addr(1), addr(77), 80, 15)
	c.mine(ticket, c.pay(out(scriptN(1), 1)))
	c.mine()
	// Seen because of the other payment only.
	c.mine(c.revoke(ticket, addr(77), 80), c.pay(out(scriptN(1), 2)))
	w := behind(t, c, 1, watching(1))
	c.scans(w, 4)
	wantBalance(t, w, 3, 0, 0, 0)
	c.scans(w, 1)
	wantBalance(t, w, 3, 0, 0, 0)
	if len(history(t, w)) != 5 {
		t.Fatalf("history %+v", history(t, w))
	}
	wantIdeal(t, c, w, watching(1))
}

// voided makes a chain in which the block at height 6 spends a coin made at 2,
// pays the wallet nothing and is disapproved.
func voided(t *testing.T) (c *world, spend *wire.MsgTx) {
	c = newWorld(t)
	c.mine()
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	mineTo(c, 5)
	spend = c.spend(outPoints(fund, 0), out(foreignScript(1), 90))
	c.mine(spend)
	return c, spend
}

// TestVoidMetFirst: a disapproved transaction has spent nothing, and waits to be
// mined again, unless it was.
func TestVoidMetFirst(t *testing.T) {
	for _, again := range []bool{false, true} {
		c, spend := voided(t)
		c.mineVoted(false)
		c.mine()
		if again {
			c.mine(spend)
		}
		mineTo(c, 10)
		w := behind(t, c, 3, watching(1))
		c.scans(w, 2)
		wantBalance(t, w, 0, 0, 0, 0)
		if got := len(kinds(logged(t, w))); got != 0 {
			t.Fatalf("%d events", got)
		}
		wantIdeal(t, c, w, watching(1))
		if _, known := lastEvents(t, w, 9); !again && known[spend.TxHash()].Kind != EventUnmined {
			t.Fatalf("%+v", known[spend.TxHash()])
		}
	}
}

// TestVoidedLater: a block is disapproved after its spend was met, and approved
// again on another branch, before the coin is found or after.
func TestVoidedLater(t *testing.T) {
	for _, early := range []bool{false, true} {
		c, spend := voided(t)
		w := behind(t, c, 2, watching(1))
		c.scans(w, 1)
		other := c.fork(6)
		c.mineVoted(false)
		mineTo(c, 8)
		c.scans(w, 1)
		if early {
			c.scans(w, 1)
			for range 2 {
				other.mine()
			}
			other.mine()
			if err := w.Rewind(c.id(6)); err != nil {
				t.Fatal(err)
			}
			verify(t, w)
			if ids, _ := w.Locator(); ids[0] != c.id(5) {
				t.Fatalf("rewound to %v", ids[0])
			}
			wantIdeal(t, other, w, watching(1))
			wantBalance(t, w, 0, 0, 0, 0)
			continue
		}
		wantIdeal(t, c, w, watching(1))
		wantBalance(t, w, 100, 0, 0, -100)
		if u := unmined(t, w); len(u) != 1 || u[0].TxID != spend.TxHash() {
			t.Fatalf("%+v", u)
		}
	}
}

// TestReorgCutsStrays: a spend on a branch that was left is none.
func TestReorgCutsStrays(t *testing.T) {
	c, _ := voided(t)
	mineTo(c, 8)
	w := behind(t, c, 5, watching(1))
	c.scans(w, 1)
	if strayCount(w) != 1 {
		t.Fatalf("%d strays", strayCount(w))
	}
	d := c.fork(5)
	mineTo(d, 10)
	if err := w.Rewind(c.id(5)); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	if strayCount(w) != 0 || !w.holed() {
		t.Fatalf("%d strays", strayCount(w))
	}
	wantIdeal(t, d, w, watching(1))
	wantBalance(t, w, 100, 0, 0, 0)
}

// TestNobodyWaits: blocks that only scripts ahead of a gap have not been tested on
// are no reason to keep anything: nobody is going to test them.
func TestNobodyWaits(t *testing.T) {
	c, w := newWorld(t), open(t)
	w.maxAhead = maxAhead
	key := testXPub(t, 1)
	watch(t, w, Watch{XPubs: []string{key}, Gap: 5})
	watchN(t, w, 0, 1)
	mineTo(c, 9)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 9)), 100), out(scriptN(1), 1)))
	c.sync(w) // the address has only been tested below 10 now
	if err := w.Rescan(background(), 3, 4); err != nil {
		t.Fatal(err)
	}
	c.sync(w)
	far := scriptOf(keyAddr(t, key, 0, 9))
	if g := w.scripts[string(far)].group; g.watched > 0 || len(g.covered) != 2 {
		t.Fatalf("%+v", g)
	}
	c.mine(c.spend([]wire.OutPoint{c.foreignOutput()}, out(scriptN(1), 2)))
	fund := c.pay(out(far, 50))
	c.mine(fund)
	spend := c.spend(outPoints(fund, 0), out(scriptN(1), 40))
	c.mine(spend)
	c.sync(w)
	if strayCount(w) > 0 {
		t.Fatalf("%d strays", strayCount(w))
	}
	wantBalance(t, w, 43, 0, 0, 0)
	c.mine(c.pay(out(scriptOf(keyAddr(t, key, 0, 4)), 5))) // the gap gets there
	c.sync(w)
	wantBalance(t, w, 148, 0, 0, 0)
}

// TestStraySettlesPending: a transaction that waits and spends what another one
// has spent is in conflict as soon as that is known to be so, and one that was
// mined unnoticed does not wait.
func TestStraySettlesPending(t *testing.T) {
	c, spend := voided(t)
	mineTo(c, 8)
	w := behind(t, c, 3, watching(1))
	c.scans(w, 1)
	rival := c.spend(spend1(spend), out(scriptN(99), 50))
	addUnmined(t, w, rival)
	wantBalance(t, w, 0, 0, 0, 50)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
	_, known := lastEvents(t, w, 1)
	if ev := known[rival.TxHash()]; ev.Kind != EventConflicted || ev.By != spend.TxHash() {
		t.Fatalf("%+v", ev)
	}
	// Undone, the coin is there again, and both may be mined.
	if err := w.Rewind(c.id(5)); err != nil {
		t.Fatal(err)
	}
	if got := unmined(t, w); len(got) != 2 {
		t.Fatalf("%+v", got)
	}
}

func spend1(tx *wire.MsgTx) []wire.OutPoint { return []wire.OutPoint{tx.TxIn[0].PreviousOutPoint} }

// TestUnwatchedHalfWay: once nothing that was tested too early is watched any more
// nothing is kept for it, and watched again it is found.
func TestUnwatchedHalfWay(t *testing.T) {
	c, _ := voided(t)
	mineTo(c, 8)
	w := behind(t, c, 3, watching(1))
	c.scans(w, 1)
	if err := w.Unwatch(background(), watching(1)); err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	if strayCount(w) != 0 {
		t.Fatalf("%d strays", strayCount(w))
	}
	watch(t, w, watching(1))
	c.scans(w, 1)
	wantIdeal(t, c, w, watching(1))
	if got := balance(t, w); got.Total != 0 || len(history(t, w)) != 2 {
		t.Fatalf("%+v", got)
	}
}

// TestVoidChildIsLetGo: a transaction that waits only because its parent does is no
// concern any more when that is mined below a birthday, and so pays nothing. Its own
// block was tested before.
func TestVoidChildIsLetGo(t *testing.T) {
	c := newWorld(t)
	mineTo(c, 2)
	parent := c.pay(out(scriptN(1), 50))
	child := c.spend(outPoints(parent, 0), out(foreignScript(1), 40))
	c.mine(parent, child, c.pay(out(scriptN(2), 1)))
	c.mineVoted(false, parent, c.pay(out(scriptN(2), 1)))
	c.mine(child)
	mineTo(c, 12)
	w := behind(t, c, 4, Watch{From: 5, Addresses: watching(1).Addresses})
	watch(t, w, watching(2))
	if tested := c.scans(w, 3); tested[2] != (chain.Range{From: 1, To: 4}) {
		t.Fatal(tested)
	}
	if waits := unmined(t, w); len(waits) != 1 || waits[0].TxID == child.TxHash() {
		t.Fatalf("%+v", waits)
	}
	c.sync(w)
	replayed(t, w)
}

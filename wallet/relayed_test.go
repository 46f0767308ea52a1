package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

func seen(t *testing.T, w *Wallet, txs ...*wire.MsgTx) {
	t.Helper()
	seenFrom(t, w, "peer", txs...)
}

func seenFrom(t *testing.T, w *Wallet, peer string, txs ...*wire.MsgTx) (more bool) {
	t.Helper()
	more, err := w.AddRelayed(context.Background(), peer, signed(txs...))
	if err != nil {
		t.Fatal(err)
	}
	verify(t, w)
	return more
}

func pendingIDs(t *testing.T, w *Wallet) (ids []chainhash.Hash) {
	t.Helper()
	txs, err := w.Pending(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, tx := range txs {
		ids = append(ids, tx.TxHash())
	}
	return ids
}

// TestSeen: what peers send counts as unconfirmed and is told from what the
// owner has handed over, also after a reopen.
// Rule 13.
func TestSeen(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	gift := c.pay(out(scriptN(1), 7))
	theft := c.spend(outPoints(fund, 0), out(foreignScript(1), 99))
	seen(t, w, c.pay(out(foreignScript(3), 1)), gift, theft, gift)
	wantBalance(t, w, 100, 0, 0, -93)
	if u := utxos(t, w); len(u) != 1 || !u[0].Spendable {
		t.Fatalf("a coin is locked: %+v", u)
	}
	if ids := pendingIDs(t, w); len(ids) != 0 {
		t.Fatalf("to be announced: %v", ids)
	}
	own := c.spend(outPoints(fund, 0), out(scriptN(1), 98))
	addUnmined(t, w, own)
	seen(t, w, own)
	path := w.path
	w.Close()
	w = openAt(t, path)
	// The owner's word counts for more than that of a peer that came first.
	wantBalance(t, w, 100, 0, 0, 7-2)
	u := unmined(t, w)
	if len(u) != 3 || u[0].Own || u[1].Own || !u[2].Own || u[1].Net != 0 || u[2].Net != -2 {
		t.Fatalf("unmined: %+v", u)
	}
	if ids := pendingIDs(t, w); len(ids) != 1 || ids[0] != own.TxHash() {
		t.Fatalf("to be announced: %v", ids)
	}
	var told []bool
	for _, ev := range logged(t, w) {
		if ev.Kind == EventUnmined {
			told = append(told, ev.Own)
		}
	}
	// The gift, the theft, our own spend, and that the theft has lost to it.
	if !slices.Equal(told, []bool{false, false, false, true}) {
		t.Fatalf("events %v", told)
	}
	c.mine(own, gift)
	c.sync(w)
	wantBalance(t, w, 105, 0, 0, 0)
	if len(unmined(t, w)) != 0 || len(pendingIDs(t, w)) != 0 {
		t.Fatal("still waiting")
	}
	// The owner's stays the owner's when its block is undone.
	if err := w.Rewind(context.Background(), c.id(1)); err != nil {
		t.Fatal(err)
	}
	if ids := pendingIDs(t, w); len(ids) != 1 || ids[0] != own.TxHash() || len(unmined(t, w)) != 2 {
		t.Fatalf("to be announced: %v", ids)
	}
}

// TestOwnSignaturesCount: a transaction is announced as its owner has signed it, although
// a peer has sent it before with signatures that are worth nothing.
func TestOwnSignaturesCount(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100)) // nobody can tell yet
	tx := c.spend(outPoints(fund, 0), out(scriptN(1), 90))
	tx.TxIn[0].SignatureScript = []byte{1, 1}
	garbage := tx.Copy()
	garbage.TxIn[0].SignatureScript = []byte{1, 2}
	announced := func() []byte {
		t.Helper()
		pending, err := w.Pending(context.Background())
		if err != nil || len(pending) != 1 {
			t.Fatalf("%v, %v", pending, err)
		}
		return pending[0].TxIn[0].SignatureScript
	}
	seen(t, w, garbage)
	addUnmined(t, w, tx)
	if got := announced(); got[1] != 1 {
		t.Fatalf("signed %x", got)
	}
	seen(t, w, garbage)
	w = openAt(t, reclose(t, w))
	if got := announced(); got[1] != 1 {
		t.Fatalf("signed %x", got)
	}
	again := tx.Copy()
	again.TxIn[0].SignatureScript = []byte{1, 3}
	addUnmined(t, w, again)
	if got := announced(); got[1] != 3 {
		t.Fatalf("signed %x", got)
	}
}

// TestSpentToNobody: what spends a coin and has no outputs is not valid and no ticket,
// and no harm, whoever sends it.
// Rule 13.
func TestSpentToNobody(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	tx := c.spend(outPoints(fund, 0))
	tx.TxOut = nil
	seen(t, w, tx)
	wantBalance(t, w, 100, 0, 0, 0)
	if taken, err := w.AddUnmined(background(), tx); taken || !errors.Is(err, ErrInvalid) {
		t.Fatal(taken, err)
	}
	w = openAt(t, reclose(t, w))
	if list, err := w.Tickets(background()); len(list) != 0 || err != nil {
		t.Fatalf("%+v, %v", list, err)
	}
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 0, 0, 0, 0)
}

// TestSeenBecomesOwn: a transaction that a peer has sent first is announced once
// the owner hands it over.
func TestSeenBecomesOwn(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	tx := c.pay(out(scriptN(1), 7))
	seen(t, w, tx)
	addUnmined(t, w, tx)
	addUnmined(t, w, tx)
	if ids := pendingIDs(t, w); len(ids) != 1 {
		t.Fatalf("to be announced: %v", ids)
	}
	ev := logged(t, w)
	if len(ev) != 2 || ev[0].Own || !ev[1].Own || ev[1].Net != 7 || len(ev[1].Credits) != 1 {
		t.Fatalf("events %+v", ev)
	}
}

// TestSeenChain: transactions that spend each other's outputs, in any order.
func TestSeenChain(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	a := c.pay(out(scriptN(1), 100))
	b := c.spend(outPoints(a, 0), out(foreignScript(1), 60))
	d := c.spend(outPoints(b, 0), out(scriptN(1), 59))
	seen(t, w, d, b, a)
	wantBalance(t, w, 0, 0, 0, 59)
	if len(unmined(t, w)) != 3 {
		t.Fatal("part of the chain is missing")
	}
	rival := c.spend([]wire.OutPoint{a.TxIn[0].PreviousOutPoint}, out(scriptN(1), 5))
	c.mine(rival)
	c.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
	if got := kinds(logged(t, w)); !slices.Equal(got, []string{
		"unmined", "unmined", "unmined", "conflicted", "conflicted", "conflicted", "mined",
	}) {
		t.Fatalf("events %v", got)
	}
	if r, _ := w.Verify(background()); r.Unmined != 0 {
		t.Fatal("what only a peer has said is kept although it is dead")
	}
}

// TestPendingOrder: parents are announced before children.
func TestPendingOrder(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	a := c.pay(out(scriptN(1), 100), out(scriptN(1), 1))
	b := c.spend(outPoints(a, 0), out(scriptN(1), 60))
	d := c.spend([]wire.OutPoint{opOf(b, 0), opOf(a, 1)}, out(scriptN(1), 59))
	for _, tx := range []*wire.MsgTx{d, b, a} {
		addUnmined(t, w, tx)
	}
	if ids := pendingIDs(t, w); !slices.Equal(ids, []chainhash.Hash{a.TxHash(), b.TxHash(), d.TxHash()}) {
		t.Fatalf("order %v", ids)
	}
}

// TestSeenRefused: what can't be a transaction that waits is not taken.
func TestSeenRefused(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.mine(c.spend(outPoints(fund, 0)))
	c.sync(w)
	huge := c.pay(out(scriptN(1), 1))
	huge.TxIn[0].SignatureScript = make([]byte, maxSeenTx)
	old := c.pay(out(scriptN(1), 1))
	old.Expiry = 3
	inputless := c.pay(out(scriptN(1), 1))
	inputless.TxIn = nil
	ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 9, 0)
	_, treasury := addr(1).PayFromTreasuryScript()
	for i, tx := range []*wire.MsgTx{
		c.coinbase(scriptN(1), 5), c.vote(ticket, addr(1), 9), c.pay(out(treasury, 11)), huge, old, inputless,
		c.pay(out(scriptN(1), -1)), c.pay(out(scriptN(1), 1<<62)), c.pay(out(scriptN(1), 21e14), out(scriptN(1), 21e14)),
		c.spend(outPoints(fund, 0), out(scriptN(1), 99)), fund,
	} {
		seenFrom(t, w, fmt.Sprint("peer", i), tx)
	}
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("taken: %+v", u)
	}
	seen(t, w, ticket) // may wait
	if u := unmined(t, w); len(u) != 1 || u[0].Net != 9 {
		t.Fatalf("unmined: %+v", u)
	}
}

// TestSeenGoesStale: a day's worth of blocks later a transaction of somebody
// else is gone, unless an own one needs it.
func TestSeenGoesStale(t *testing.T) {
	c, w := newWorld(t), open(t)
	daily := *params
	daily.TargetTimePerBlock = keepStale / 3
	w.params, w.pool.keep = &daily, keepBlocks(&daily)
	watchN(t, w, 0, 1)
	c.mine()
	c.sync(w)
	lonely, parent := c.pay(out(scriptN(1), 1)), c.pay(out(scriptN(1), 20))
	child := c.spend(outPoints(lonely, 0), out(foreignScript(1), 1))
	own := c.spend(outPoints(parent, 0), out(scriptN(1), 19))
	seen(t, w, lonely, parent, child)
	addUnmined(t, w, own)
	for range 3 {
		c.mine()
		c.sync(w)
	}
	wantBalance(t, w, 0, 0, 0, 19)
	if len(unmined(t, w)) != 4 {
		t.Fatal("gone too early")
	}
	c.mine()
	c.sync(w)
	u := unmined(t, w)
	if len(u) != 2 || u[0].TxID != parent.TxHash() || u[1].TxID != own.TxHash() {
		t.Fatalf("unmined: %+v", u)
	}
	wantBalance(t, w, 0, 0, 0, 19)
	if got := kinds(logged(t, w)); !slices.Equal(got, []string{"unmined", "unmined", "unmined", "unmined", "removed", "removed"}) {
		t.Fatalf("events %v", got)
	}
}

// TestSeenIsBounded: in number and in bytes. The oldest makes room for what is taken
// when the rest was forgiven, not the owner's.
// Rule 20.
func TestSeenIsBounded(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	addUnmined(t, w, c.pay(out(scriptN(1), 1)))
	bounded := func() (count, bytes int) {
		for _, u := range unmined(t, w) {
			if !u.Own {
				count++
				bytes += u.Tx.SerializeSize()
			}
		}
		if count > maxSeen || bytes > maxSeenBytes || len(pendingIDs(t, w)) != 1 {
			t.Fatalf("%d of %d bytes", count, bytes)
		}
		return count, bytes
	}
	floodSeen(t, c, w, 0)
	if count, _ := bounded(); count < maxSeen-10 {
		t.Fatalf("%d have room", count)
	}
	forgive(c, w)
	floodSeen(t, c, w, maxSeenTx-1000)
	if _, bytes := bounded(); bytes < maxSeenBytes-2*maxSeenTx {
		t.Fatalf("%d bytes have room", bytes)
	}
}

// floodSeen has 12 peers send as many payments as are taken, longer by some bytes.
func floodSeen(t *testing.T, c *world, w *Wallet, longer int) {
	t.Helper()
	tx := c.pay(out(scriptN(1), 3))
	tx.TxIn[0].SignatureScript = make([]byte, longer)
	for n := range 12 {
		var txs []*wire.MsgTx
		for range maxSeen / (1 + longer/shareUnit) {
			tx.LockTime++
			txs = append(txs, tx.Copy())
		}
		seenFrom(t, w, fmt.Sprint("peer", n), txs...)
	}
}

// forgive lets so many blocks pass that all which peers have sent is forgiven.
func forgive(c *world, w *Wallet) {
	for range maxSeen / forgiven {
		c.mine()
	}
	c.sync(w)
}

// TestNeededMakesNoRoom: what an own transaction spends, directly or through others,
// stays, however old it is.
func TestNeededMakesNoRoom(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	first := c.pay(out(scriptN(1), 20))
	second := c.spend(outPoints(first, 0), out(scriptN(1), 19))
	seen(t, w, first, second)
	addUnmined(t, w, c.spend(outPoints(second, 0), out(scriptN(1), 18)))
	old := c.pay(out(scriptN(1), 1))
	seen(t, w, old)
	for range 2 {
		floodSeen(t, c, w, maxSeenTx-1000)
		forgive(c, w)
	}
	u := unmined(t, w)
	if len(u) < 4 || u[0].TxID != first.TxHash() || u[1].TxID != second.TxHash() || !u[2].Own || u[3].TxID == old.TxHash() {
		t.Fatalf("%d are left, the first %v", len(u), u[0].TxID)
	}
}

// TestSeenTurnsAround: rivals of rivals could have the effect of many transactions
// told again and again.
func TestSeenTurnsAround(t *testing.T) {
	const steps, size = 40, 40
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	// Each rival spends what the one before does, and counts more, as it has a child
	// that came earlier.
	var ins []wire.OutPoint
	for range steps + 1 {
		ins = append(ins, c.foreignOutput())
	}
	var rivals, children []*wire.MsgTx
	for i := range steps {
		rivals = append(rivals, c.spend(ins[i:i+2], out(scriptN(1), 1)))
		children = append(children, c.spend(outPoints(rivals[i], 0), out(scriptN(1), 1)))
	}
	slices.Reverse(children)
	var outs []*wire.TxOut
	for range size {
		outs = append(outs, out(scriptN(1), 3))
	}
	root := c.spend(ins[:1], outs...)
	family := []*wire.MsgTx{root}
	for i := range uint32(size) {
		family = append(family, c.spend(outPoints(root, i), out(scriptN(1), 2)))
	}
	seen(t, w, children...)
	seen(t, w, family...)
	before, _ := w.LastEvent(background())
	for range 3 {
		for _, rival := range rivals {
			seen(t, w, rival)
		}
		replayed(t, w)
		c.mine()
		c.sync(w)
	}
	if after, _ := w.LastEvent(background()); after-before > maxSeen+size || after-before < maxSeen/2 {
		t.Fatalf("%d events", after-before)
	}
}

// TestValidBeatsInvalid: a copy with signatures that are worth nothing does not keep out
// the one that holds, nor what spends the same, and whoever sends it is not heard of
// before the next block.
func TestValidBeatsInvalid(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	c.mine(fund)
	c.sync(w)
	theft := signed(c.spend(outPoints(fund, 0), out(foreignScript(1), 99)))[0]
	garbage := theft.Copy()
	garbage.TxIn[0].SignatureScript = fakeSignature
	decoy := c.spend(outPoints(fund, 0), out(scriptN(1), 100))
	decoy.TxIn[0].SignatureScript = fakeSignature
	for i, tx := range []*wire.MsgTx{garbage, decoy} {
		if seenFrom(t, w, fmt.Sprint("liar", i), tx) {
			t.Error("more is taken of who lies")
		}
	}
	seenFrom(t, w, "liar0", c.pay(out(scriptN(1), 5)))
	wantBalance(t, w, 100, 0, 0, 0)
	if !seenFrom(t, w, "honest", theft) {
		t.Error("nothing more is taken of who does not")
	}
	wantBalance(t, w, 100, 0, 0, -100)
	c.mine()
	c.sync(w)
	if seenFrom(t, w, "liar0", c.pay(out(scriptN(1), 5))); len(unmined(t, w)) != 2 {
		t.Error("distrusted for ever")
	}
}

// TestManyParts: one that pays or takes more of the wallet's than is told of is not taken
// from a peer.
func TestManyParts(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	var outs []*wire.TxOut
	for range maxParts + 1 {
		outs = append(outs, out(scriptN(1), 10))
	}
	seen(t, w, c.pay(outs...))
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("%d credits", len(u[0].Credits))
	}
	fund := c.pay(outs...)
	c.mine(fund)
	c.sync(w)
	var ops []wire.OutPoint
	for i := range uint32(maxParts + 1) {
		ops = append(ops, opOf(fund, i))
	}
	seen(t, w, c.spend(ops))
	if u := unmined(t, w); len(u) != 0 {
		t.Fatalf("%d debits", len(u[0].Debits))
	}
	seen(t, w, c.pay(outs[1:]...), c.spend(ops[1:]))
	if u := unmined(t, w); len(u) != 2 {
		t.Fatalf("%+v", u)
	}
	addUnmined(t, w, c.pay(outs...)) // the owner may
}

// TestRoomForOne: when all places are taken, the oldest goes that no own one needs, and
// if all are needed nothing is taken.
// Rule 20.
func TestRoomForOne(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	first := c.pay(out(scriptN(1), 9))
	seen(t, w, first)
	addUnmined(t, w, c.spend(outPoints(first, 0), out(scriptN(1), 8)))
	second := c.pay(out(scriptN(1), 7))
	seen(t, w, second)
	err := w.update(background(), func(c *change) {
		waits := func(tx *wire.MsgTx) bool { return c.w.pool.byID[tx.TxHash()] != nil }
		w.pool.heard = maxSeen // as if so many waited
		if !c.makeRoom(1) || waits(second) || !waits(first) {
			t.Error("the oldest is needed, and the other one is not")
		}
		w.pool.heard = maxSeen
		if c.makeRoom(1) || !waits(first) {
			t.Error("there is no room")
		}
		w.pool.heard = 1
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpendsNothingOfOurs: what spends an output of a pending transaction that pays our
// script in another script language does not concern the wallet.
func TestSpendsNothingOfOurs(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	other := out(scriptN(1), 9)
	other.Version = 1
	parent := c.pay(out(scriptN(1), 5), other)
	seen(t, w, parent, c.spend(outPoints(parent, 1)))
	if u := unmined(t, w); len(u) != 1 {
		t.Fatalf("%+v", u)
	}
}

package wallet

import (
	"slices"
	"testing"

	"github.com/decred/dcrd/wire"
)

// TestSuspectsAreChecked: a transaction that waits goes when what it spends becomes known
// and it turns out that it can't be mined, whosever it is and however that comes.
// Rule 13.
func TestSuspectsAreChecked(t *testing.T) {
	for name, become := range map[string]func(c *world, w *Wallet, fund *wire.MsgTx){
		"found in a block": func(c *world, w *Wallet, fund *wire.MsgTx) {
			c.mine(fund)
			c.sync(w)
		},
		"watched": func(c *world, w *Wallet, fund *wire.MsgTx) {
			c.mine(fund)
			c.sync(w)
			watchN(t, w, 0, 2)
			c.sync(w)
		},
		"sent":               func(_ *world, w *Wallet, fund *wire.MsgTx) { seenFrom(t, w, "another", fund) },
		"ours":               func(_ *world, w *Wallet, fund *wire.MsgTx) { addUnmined(t, w, fund) },
		"sent, then watched": func(_ *world, w *Wallet, fund *wire.MsgTx) { seen(t, w, fund); watchN(t, w, 0, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			c, w := newWorld(t), open(t)
			watchN(t, w, 0, 1)
			script, also := scriptN(1), scriptN(1)
			if name == "watched" || name == "sent, then watched" {
				script, also = scriptN(2), scriptN(1)
			}
			fund := c.pay(out(script, 100), out(script, 50), out(also, 1))
			good := signed(c.spend(outPoints(fund, 0), out(scriptN(1), 99)))[0]
			bad := c.spend(outPoints(fund, 1), out(scriptN(1), 49))
			child := c.spend(outPoints(bad, 0), out(scriptN(1), 48))
			own := c.spend(outPoints(fund, 1), out(scriptN(1), 47))
			bad.TxIn[0].SignatureScript, own.TxIn[0].SignatureScript = fakeSignature, fakeSignature
			seen(t, w, good, bad, child)
			addUnmined(t, w, own)
			if u := unmined(t, w); len(u) != 4 {
				t.Fatalf("there wait %+v", u)
			}
			w = openAt(t, reclose(t, w))
			become(c, w, fund)
			verify(t, w)
			u := unmined(t, w)
			waits := func(tx *wire.MsgTx) bool {
				return slices.ContainsFunc(u, func(u Unmined) bool { return u.TxID == tx.TxHash() })
			}
			if !waits(good) || waits(bad) || waits(child) || waits(own) {
				t.Fatalf("there wait %+v", u)
			}
			gone := 0
			for _, ev := range logged(t, w) {
				if ev.Kind == EventRemoved {
					gone++
				}
			}
			if gone != 3 || len(pendingIDs(t, w)) > 1 {
				t.Errorf("%d are told to be gone, announced %v", gone, pendingIDs(t, w))
			}
			replayed(t, w)
		})
	}
}

// TestSumIsCheckedWhenAllIsKnown: of two parents the second decides.
func TestSumIsCheckedWhenAllIsKnown(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	first, second := c.pay(out(scriptN(1), 10)), c.pay(out(scriptN(1), 1), out(foreignScript(1), 10))
	tx := c.spend([]wire.OutPoint{opOf(first, 0), opOf(second, 1)}, out(scriptN(1), 21))
	seen(t, w, first, tx)
	wantBalance(t, w, 0, 0, 0, 21)
	c.mine(second)
	c.sync(w)
	wantBalance(t, w, 1, 0, 0, 10)
}

// TestBlocksAreBeyondSuspicion: what a block had is not checked, and stands in for the
// copy of a peer.
func TestBlocksAreBeyondSuspicion(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100))
	tx := signed(c.spend(outPoints(fund, 0), out(scriptN(1), 101)))[0] // as no block has it
	garbage := tx.Copy()
	garbage.TxIn[0].SignatureScript = fakeSignature
	seen(t, w, garbage)
	c.prev[opOf(fund, 0)] = fund.TxOut[0]
	c.mine()
	c.mine(tx)
	c.mineVoted(false)
	c.sync(w)
	if u := unmined(t, w); len(u) != 1 || len(u[0].Tx.TxIn[0].SignatureScript) == len(fakeSignature) {
		t.Fatalf("%+v", u)
	}
	c.mine(fund)
	c.sync(w)
	if u := unmined(t, w); len(u) != 1 {
		t.Fatalf("%+v", u)
	}
}

// TestProvenOnce: the script of an input is run once, whatever becomes known later.
func TestProvenOnce(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund, late := c.pay(out(scriptN(1), 100)), c.pay(out(scriptN(1), 9))
	c.mine(fund)
	c.sync(w)
	tx := signed(c.spend([]wire.OutPoint{opOf(fund, 0), opOf(late, 0)}, out(scriptN(1), 99)))[0]
	seen(t, w, tx)
	p := w.pool.byID[tx.TxHash()]
	if !slices.Equal(p.proven, []bool{true, false}) {
		t.Fatalf("proven %v", p.proven)
	}
	c.mine(late)
	c.sync(w)
	if !slices.Equal(p.proven, []bool{true, true}) {
		t.Fatalf("proven %v", p.proven)
	}
}

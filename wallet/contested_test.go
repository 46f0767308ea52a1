package wallet

import (
	"context"
	"slices"
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// TestContestedFromTheNextBlockOn: what a pending transaction spends is searched for
// above the block it is known since, and a stretch ends where that begins.
// Rule 19.
func TestContestedFromTheNextBlockOn(t *testing.T) {
	w := open(t)
	w.contested[hash{1}] = &contestedInputs{since: 10, scripts: []string{"a"}}
	for from, want := range map[uint32]struct {
		to uint32
		n  int
	}{9: {10, 0}, 10: {10, 0}, 11: {20, 1}} {
		r := chain.Range{From: from, To: 20}
		if raw := w.contestedIn(&r); r.To != want.to || len(raw) != want.n {
			t.Errorf("from %d: to %d, %q", from, r.To, raw)
		}
	}
}

// TestReorgLowersContested: a payment that waits may be spent differently in the block at
// the fork, which may have been disapproved, and in any above.
// Rules 8 and 19.
func TestReorgLowersContested(t *testing.T) {
	c, w, _ := branching(t)
	mineTo(c, 3)
	pay := c.pay(out(scriptN(1), 5))
	pay.TxIn[0].SignatureScript = []byte{1, 0, 1, txscript.OP_TRUE}
	c.mine(pay)
	c.sync(w)
	for _, fork := range []uint32{3, 2, 1} {
		if err := w.Rewind(context.Background(), c.id(fork)); err != nil {
			t.Fatal(err)
		}
		if in := w.contested[pay.TxHash()]; in == nil || in.since != fork-1 {
			t.Fatalf("fork %d: %+v", fork, in)
		}
	}
}

// TestRivalAboveADisapprovedBlock: a payment of a disapproved block that is spent
// differently above does not wait, wherever that is and however scans are cut; nor does
// the wallet look for its rival for ever.
func TestRivalAboveADisapprovedBlock(t *testing.T) {
	for name, at := range map[string]uint32{"in the block that disapproves": 3, "later": 6} {
		for _, length := range []uint32{1, 2, 3, 100} {
			c, w := newWorld(t), open(t)
			w.maxScan = length
			watchN(t, w, 0, 1)
			op := c.foreignOutput()
			c.mine()
			c.mine(c.spend([]wire.OutPoint{op}, out(scriptN(1), 5)))
			for c.height() < 8 {
				var txs []*wire.MsgTx
				if c.height()+1 == at {
					txs = append(txs, c.spend([]wire.OutPoint{op}, out(foreignScript(9), 5)))
				}
				c.mineVoted(c.height() != 2, txs...)
			}
			c.sync(w)
			if waiting := unmined(t, w); len(waiting) > 0 {
				t.Errorf("%s, scans of %d: %v waits", name, length, waiting[0].TxID)
			}
			if events := kinds(logged(t, w)); !slices.Contains(events, string(EventConflicted)) {
				t.Errorf("%s, scans of %d: %v", name, length, events)
			}
		}
	}
}

// TestDisapprovedBelowABirthday: what a disapproved block pays below the birthday of its
// script does not wait, though the block was read because of another one.
func TestDisapprovedBelowABirthday(t *testing.T) {
	for _, length := range []uint32{1, 100} {
		c, w := newWorld(t), open(t)
		w.maxScan = length
		watchN(t, w, 0, 1)
		watchN(t, w, 3, 2)
		c.mine()
		other := c.pay(out(scriptN(1), 5))
		c.mine(other, c.pay(out(scriptN(2), 7)))
		c.mineVoted(false)
		c.mine()
		c.sync(w)
		if waiting := unmined(t, w); len(waiting) != 1 || waiting[0].TxID != other.TxHash() {
			t.Errorf("scans of %d: %d wait", length, len(waiting))
		}
	}
}

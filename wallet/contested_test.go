package wallet

import (
	"testing"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/txscript/v4"
)

// TestContestedFromTheNextBlockOn: what a pending transaction spends is searched for
// above the block it is known since, and a stretch ends where that begins.
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
func TestReorgLowersContested(t *testing.T) {
	c, w, _ := branching(t)
	mineTo(c, 3)
	pay := c.pay(out(scriptN(1), 5))
	pay.TxIn[0].SignatureScript = []byte{1, 0, 1, txscript.OP_TRUE}
	c.mine(pay)
	c.sync(w)
	for _, fork := range []uint32{3, 2, 1} {
		if err := w.Rewind(c.id(fork)); err != nil {
			t.Fatal(err)
		}
		if in := w.contested[pay.TxHash()]; in == nil || in.since != fork-1 {
			t.Fatalf("fork %d: %+v", fork, in)
		}
	}
}

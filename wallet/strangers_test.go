package wallet

import (
	"slices"
	"testing"
)

// forged shows a key that no output pays.
var forged = slices.Concat(signature, []byte{33}, keyN(1<<50))

func strangerCount(w *Wallet) (n int) {
	w.view(background(), func(b *buckets) error {
		n = b.strangers.Stats().KeyN
		return nil
	})
	return n
}

// TestForgedSpend: a coin that a block spends with the key of somebody else is
// spent, be the block tested before the coin is found or after.
func TestForgedSpend(t *testing.T) {
	for _, what := range []Watch{watching(1), {From: 3, Addresses: watching(1).Addresses}} {
		c := newWorld(t)
		mineTo(c, 3)
		fund := c.pay(out(scriptN(1), 100), out(scriptN(1), 7))
		c.mine(fund)
		mineTo(c, 9)
		spend := c.spend(outPoints(fund, 0), out(foreignScript(1), 40))
		spend.TxIn[0].SignatureScript = forged
		c.mine(spend)
		mineTo(c, 12)
		w := behind(t, c, 4, what)
		c.scans(w, 1)
		if strayCount(w) != 0 || strangerCount(w) != 1 {
			t.Fatalf("%d strays, %d strangers", strayCount(w), strangerCount(w))
		}
		path := w.path
		w.Close()
		w = openAt(t, path)
		w.maxScan = 4
		c.scans(w, 2)
		if owed := w.Owed(c.height()); owed == 0 || !w.holed() {
			t.Fatalf("%d blocks are owed", owed)
		}
		wantIdeal(t, c, w, what)
		wantBalance(t, w, 7, 0, 0, 0)
		if h := history(t, w); len(h) != 2 || h[1].TxID != spend.TxHash() || h[1].Net != -100 {
			t.Fatalf("%+v", h)
		}
		if strangerCount(w) != 0 {
			t.Fatalf("%d strangers", strangerCount(w))
		}
	}
}

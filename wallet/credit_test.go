package wallet

import (
	"testing"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

func wantBalance(t *testing.T, w *Wallet, spendable, immature, staked, unconfirmed dcrutil.Amount) {
	t.Helper()
	got := balance(t, w)
	want := Balance{spendable, immature, staked, spendable + immature + staked, unconfirmed, got.ByKind}
	if got != want {
		t.Fatalf("balance %+v, want %+v", got, want)
	}
	checkKinds(t, w, got)
}

// checkKinds checks that a balance by kind is the sum of the outputs, and that
// the balance is the sum of the kinds.
func checkKinds(t *testing.T, w *Wallet, got Balance) {
	t.Helper()
	var want Balance
	for _, u := range utxos(t, w) {
		k := &want.ByKind[u.Kind]
		k.Coins++
		k.Total += u.Amount
		want.Total += u.Amount
		switch {
		case u.Spendable:
			k.Spendable += u.Amount
			want.Spendable += u.Amount
		case u.Kind == Ticket:
			want.Staked += u.Amount
		default:
			want.Immature += u.Amount
		}
	}
	want.Unconfirmed = got.Unconfirmed
	if got != want {
		t.Fatalf("balance %+v, the outputs make %+v", got, want)
	}
}

func TestCreditsAndDebits(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1, 2)
	a := c.pay(out(scriptN(1), 100), out(foreignScript(9), 7), out(scriptN(2), 30))
	c.mine(a)
	c.sync(w)
	wantBalance(t, w, 130, 0, 0, 0)

	// A spend is found by the script it spends, and change in the same block
	// is spent in that block.
	b := c.spend([]wire.OutPoint{opOf(a, 0)}, out(foreignScript(1), 40), out(scriptN(2), 59))
	d := c.spend([]wire.OutPoint{opOf(b, 1)}, out(foreignScript(1), 58))
	c.mine()
	c.mine(d, b) // inputs before the outputs they spend
	c.sync(w)
	wantBalance(t, w, 30, 0, 0, 0)

	h := history(t, w)
	if len(h) != 3 {
		t.Fatalf("history has %d entries", len(h))
	}
	for i, want := range []struct {
		tx     *wire.MsgTx
		net    dcrutil.Amount
		height uint32
	}{{a, 130, 1}, {d, -59, 3}, {b, -41, 3}} {
		got := h[i]
		if got.TxID != want.tx.TxHash() || got.Net != want.net || got.Height != want.height ||
			got.Tree != 0 || got.Block != c.id(want.height).Hash || !got.Time.Equal(c.blocks[want.height].Header.Timestamp) {
			t.Errorf("entry %d is %+v", i, got)
		}
	}
	u := utxos(t, w)
	if len(u) != 1 || u[0].TxID != a.TxHash() || u[0].Index != 2 || u[0].Amount != 30 || u[0].Height != 1 ||
		u[0].Address != addr(2).String() || !u[0].Spendable {
		t.Fatalf("outputs: %+v", u)
	}
}

func TestCoinbaseMaturity(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	c.mine()
	c.mine(c.coinbase(scriptN(1), 50)) // height 2, maturity 16: spendable from block 18 on
	for c.height() < 17 {
		c.sync(w)
		wantBalance(t, w, 0, 50, 0, 0)
		if utxos(t, w)[0].Spendable {
			t.Fatalf("spendable at %d", c.height())
		}
		c.mine()
	}
	c.sync(w)
	wantBalance(t, w, 50, 0, 0, 0)
	if u := utxos(t, w)[0]; !u.Spendable || u.Kind != Coinbase {
		t.Fatalf("at height 17: %+v", u)
	}
}

// TestExpiryMaturity: outputs of a transaction with an expiry mature like a
// coinbase (dcrd ErrExpiryTxSpentEarly).
func TestExpiryMaturity(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	tx := c.pay(out(scriptN(1), 5))
	tx.Expiry = 1000
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 0, 5, 0, 0)
	for c.height() < 16 {
		c.mine()
	}
	c.sync(w)
	wantBalance(t, w, 5, 0, 0, 0)
}

func TestStakeKinds(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	_, treasury := addr(1).PayFromTreasuryScript()
	_, change := addr(1).StakeChangeScript()
	tgen := c.pay(out(treasury, 11))
	tadd := c.pay(out([]byte{0xc1}, 5), out(change, 13))
	tadd.Version = 3
	b := c.mine(c.pay(out(scriptN(1), 2)), tgen, tadd)
	if len(b.STransactions) != 2 {
		t.Fatal("the test's transactions are not of the stake tree")
	}
	c.sync(w)
	wantBalance(t, w, 15, 11, 0, 0)
	got := make(map[CoinKind]bool)
	for _, u := range utxos(t, w) {
		got[u.Kind] = true
		if u.Address != addr(1).String() {
			t.Errorf("%v has address %q", u.Kind, u.Address)
		}
	}
	if !got[Treasury] || !got[StakeChange] || !got[Regular] {
		t.Fatalf("kinds %v", got)
	}
	if Treasury.String() != "treasury" || CoinKind(99).String() != "unknown" {
		t.Error("names of kinds")
	}
}

// TestOtherScriptVersion: outputs of an unknown script version pay nobody.
func TestOtherScriptVersion(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	tx := c.pay(out(scriptN(1), 5), out(scriptN(1), 6))
	tx.TxOut[0].Version = 1
	c.mine(tx)
	c.sync(w)
	wantBalance(t, w, 6, 0, 0, 0)
}

// TestBelowBirthday: what happened below a script's birthday is no part of the
// wallet, even if its block is looked at for another script.
// Rule 15.
func TestBelowBirthday(t *testing.T) {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	watchN(t, w, 3, 2)
	early := c.pay(out(scriptN(1), 1), out(scriptN(2), 10))
	c.mine(early)
	c.mine(c.spend([]wire.OutPoint{opOf(early, 1)}))
	c.mine(c.pay(out(scriptN(2), 100)))
	c.sync(w)
	wantBalance(t, w, 101, 0, 0, 0)
	if h := history(t, w); len(h) != 2 {
		t.Fatalf("history: %+v", h)
	}
	watchN(t, w, 1, 2) // a lower birthday brings both the coin and its spend
	c.sync(w)
	wantBalance(t, w, 101, 0, 0, 0)
	if h := history(t, w); len(h) != 3 || h[0].Net != 11 || h[1].Net != -10 {
		t.Fatalf("history: %+v", h)
	}
}

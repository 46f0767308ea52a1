package wallet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/wire"
)

// checked is a world in which a wallet has a coin of 100 of each kind that one may
// have, and what it says of a transaction.
type checked struct {
	c    *world
	w    *Wallet
	t    *testing.T
	fund *wire.MsgTx // 100 in output 0, 7 of somebody else in output 1
}

func newChecked(t *testing.T) *checked {
	c, w := newWorld(t), open(t)
	watchN(t, w, 0, 1)
	fund := c.pay(out(scriptN(1), 100), out(foreignScript(1), 7))
	c.mine(fund)
	c.sync(w)
	return &checked{c, w, t, fund}
}

// refused: the owner is told why, and a peer's copy is not taken.
func (k *checked) refused(what string, tx *wire.MsgTx, kind error) {
	k.t.Helper()
	signed(tx)
	if taken, err := k.w.AddUnmined(background(), tx); taken || !errors.Is(err, kind) {
		k.t.Errorf("%s: %v, %v", what, taken, err)
	}
	seenFrom(k.t, k.w, what, tx)
	if u := unmined(k.t, k.w); len(u) != 0 {
		k.t.Errorf("%s: there wait %+v", what, u)
	}
}

// TestNeverValid: what breaks a rule that the wallet can check is refused, whoever gives
// it, and what does not is taken.
func TestNeverValid(t *testing.T) {
	k := newChecked(t)
	c, fund := k.c, k.fund
	spend := func(op wire.OutPoint, outs ...*wire.TxOut) *wire.MsgTx {
		return c.spend([]wire.OutPoint{op}, outs...)
	}
	base := c.coinbase(scriptN(1), 5)
	ticket := c.ticket(c.foreignOutput(), addr(1), addr(1), 90, 0)
	nothing := c.pay(out(foreignScript(2), 0), out(scriptN(1), 1), out(singleScript(castSingles), 60))
	c.mine(base, ticket, nothing)
	mineTo(c, 40)
	c.sync(k.w)

	k.refused("pays more than it takes", spend(opOf(fund, 0), out(scriptN(1), 1100)), ErrInvalid)
	k.refused("pays more than it takes, from others too", c.spend([]wire.OutPoint{opOf(fund, 0), opOf(fund, 1)}, out(scriptN(1), 108)), ErrInvalid)
	twice := c.spend([]wire.OutPoint{opOf(fund, 0), opOf(fund, 0)}, out(scriptN(1), 150))
	k.refused("an input twice", twice, ErrInvalid)
	k.refused("no such output", spend(wire.OutPoint{Hash: fund.TxHash(), Index: 2}, out(scriptN(1), 1)), ErrInvalid)
	k.refused("the wrong tree", spend(wire.OutPoint{Hash: fund.TxHash(), Tree: wire.TxTreeStake}, out(scriptN(1), 99)), ErrInvalid)
	k.refused("nothing spent", c.spend([]wire.OutPoint{opOf(nothing, 0), opOf(fund, 0)}, out(scriptN(1), 99)), ErrInvalid)
	k.refused("a ticket out of a public key", c.ticket(opOf(nothing, 2), addr(1), addr(1), 60, 0), ErrInvalid)
	k.refused("a ticket spent", spend(opOf(ticket, 0), out(scriptN(1), 80)), ErrInvalid)
	_, tagged := addr(1).StakeChangeScript()
	k.refused("stake change of no stake transaction", spend(opOf(fund, 0), out(tagged, 9), out(scriptN(1), 9)), ErrInvalid)
	promise := c.sharedTicket(outPoints(fund, 0), addr(1), 90, stakePart{addr(1), 200, 0})
	k.refused("a ticket that promises too much", promise, ErrInvalid)
	k.refused("a coinbase", c.coinbase(scriptN(1), 9), ErrInvalid)
	k.refused("amounts that overflow", spend(opOf(fund, 0), out(scriptN(1), 21e14), out(scriptN(1), 21e14)), ErrInvalid)
	outless := spend(opOf(fund, 0))
	outless.TxOut = nil
	k.refused("no outputs", outless, ErrInvalid)

	unsigned := spend(opOf(fund, 0), out(scriptN(1), 99))
	unsigned.TxIn[0].SignatureScript = []byte{}
	k.refused("no signature", unsigned, ErrInvalid)
	other := spend(opOf(fund, 0), out(scriptN(1), 98))
	copied := spend(opOf(fund, 0), out(scriptN(1), 97))
	copied.TxIn[0].SignatureScript = bytes.Clone(signed(other)[0].TxIn[0].SignatureScript)
	k.refused("the signature of another one", copied, ErrInvalid)

	addUnmined(t, k.w, other)
	addUnmined(t, k.w, spend(opOf(base, 0), out(scriptN(1), 5)))
	addUnmined(t, k.w, c.ticket(opOf(fund, 1), addr(1), addr(1), 7, 0)) // of others nobody can tell
}

// TestTooEarly: what the next block can't have yet is refused, and taken when it may.
func TestTooEarly(t *testing.T) {
	k := newChecked(t)
	c := k.c
	base := c.coinbase(scriptN(1), 50)
	expiring := c.pay(out(scriptN(1), 30))
	expiring.Expiry = 100
	c.mine(base, expiring)
	c.sync(k.w)
	mature := c.spend(outPoints(base, 0), out(scriptN(1), 49))
	old := c.spend(outPoints(expiring, 0), out(scriptN(1), 29))
	locked := c.spend(outPoints(k.fund, 0), out(scriptN(1), 99))
	locked.LockTime, locked.TxIn[0].Sequence = 2+uint32(params.CoinbaseMaturity)-1, 0
	all := []*wire.MsgTx{mature, old, locked}
	for c.height()+1 < 2+uint32(params.CoinbaseMaturity) {
		for _, tx := range all {
			k.refused("early", tx, ErrTooEarly)
		}
		if len(k.w.shares.distrusted) > 0 {
			t.Fatal("who may only be a block ahead is distrusted")
		}
		c.mine()
		c.sync(k.w)
	}
	for _, tx := range all {
		addUnmined(t, k.w, tx)
	}
}

// TestFinalByItsSequences: a lock time that no input asks for is none.
func TestFinalByItsSequences(t *testing.T) {
	k := newChecked(t)
	tx := k.c.spend(outPoints(k.fund, 0), out(scriptN(1), 99))
	tx.LockTime = 1000
	addUnmined(t, k.w, tx)
}

// TestVoteIsNotKept: it is for the next block or none, and so is a revocation, which
// nobody signs.
func TestVoteIsNotKept(t *testing.T) {
	k := newChecked(t)
	ticket := k.c.ticket(k.c.foreignOutput(), addr(1), addr(1), 90, 0)
	k.c.mine(ticket)
	mineTo(k.c, 40)
	k.c.sync(k.w)
	revocation := k.c.revoke(ticket, addr(1), 90)
	revocation.Version = stake.TxVersionAutoRevocations
	for _, tx := range []*wire.MsgTx{signed(k.c.vote(ticket, addr(1), 95))[0], revocation} {
		if taken, err := k.w.AddUnmined(background(), tx); taken || err != nil {
			t.Error(taken, err)
		}
	}
}

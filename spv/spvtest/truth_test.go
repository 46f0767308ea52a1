package spvtest

import (
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// balance is the part of a truth that is sums.
type balance struct{ spendable, immature, staked int64 }

func (c *Chain) balance(scripts ...[]byte) balance {
	t := c.Truth(scripts)
	if t.Total != t.Spendable+t.Immature+t.Staked {
		panic("the total is not the sum")
	}
	return balance{t.Spendable, t.Immature, t.Staked}
}

func expect(t *testing.T, what string, got, want balance) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func TestTruthOfPayments(t *testing.T) {
	c := NewChain(nil)
	c.Mine(10)
	mine := Script(1)
	expect(t, "nothing", c.balance(mine), balance{})
	pay := c.Pay(mine, 5e8)
	expect(t, "not mined", c.balance(mine), balance{})
	paid := c.MineBlock(pay)
	c.Mine(1)
	spend := c.Spend([]wire.OutPoint{OutPoint(pay, 0)},
		wire.NewTxOut(1e8, Script(2)), wire.NewTxOut(4e8-1000, mine))
	spent := c.MineBlock(spend)

	got := c.Truth([][]byte{mine})
	if got.Spendable != 4e8-1000 || len(got.Coins) != 1 || got.Coins[0].OutPoint != OutPoint(spend, 1) {
		t.Errorf("%+v", got)
	}
	want := []Entry{
		{pay.TxHash(), wire.TxTreeRegular, paid.Height, paid.Hash, 5e8},
		{spend.TxHash(), wire.TxTreeRegular, spent.Height, spent.Hash, -1e8 - 1000},
	}
	if len(got.History) != 2 || got.History[0] != want[0] || got.History[1] != want[1] {
		t.Errorf("history %+v, want %+v", got.History, want)
	}
	// A branch that leaves before the spending has only the payment, and one
	// that leaves before that has nothing.
	expect(t, "branch", c.Fork(paid.Height).balance(mine), balance{spendable: 5e8})
	expect(t, "older branch", c.Fork(paid.Height-1).balance(mine), balance{})
}

func TestTruthOfCoinbase(t *testing.T) {
	c := NewChain(nil)
	c.Mine(150)
	c.MineTemplate(Template{Coinbase: []*wire.TxOut{wire.NewTxOut(3e8, Script(1))}})
	maturity := int(c.Params().CoinbaseMaturity)
	expect(t, "just mined", c.balance(Script(1)), balance{immature: 3e8})
	c.Mine(maturity - 2)
	expect(t, "one to go", c.balance(Script(1)), balance{immature: 3e8})
	c.Mine(1)
	expect(t, "mature", c.balance(Script(1)), balance{spendable: 3e8})
}

func TestTruthOfDisapproval(t *testing.T) {
	c := NewChain(nil)
	c.Mine(150)
	mine := Script(1)
	pay := c.Pay(mine, 2e8)
	ticket := c.BuyTicket(Ticket{Voting: mine, Price: 1e8})
	c.MineBlock(pay, ticket)
	expect(t, "mined", c.balance(mine), balance{spendable: 2e8, staked: 1e8})
	c.MineTemplate(Template{Disapprove: true})
	expect(t, "disapproved", c.balance(mine), balance{staked: 1e8})
	c.MineBlock(pay)
	expect(t, "mined again", c.balance(mine), balance{spendable: 2e8, staked: 1e8})
}

func TestTruthOfTickets(t *testing.T) {
	c := NewChain(nil)
	c.Mine(150)
	mine, friend := Script(1), Script(2)
	funds := c.Pay(mine, 10e8)
	more := c.Pay(mine, 5e8)
	c.MineBlock(funds, more)
	ticket := c.BuyTicket(Ticket{
		Voting: mine,
		Price:  8e8,
		Prevs:  []wire.OutPoint{OutPoint(funds, 0), OutPoint(more, 0)},
	})
	other := c.BuyTicket(Ticket{Voting: mine, Reward: friend, Price: 1e8, Spare: 5e7})
	height := c.MineBlock(ticket, other).Height
	expect(t, "bought", c.balance(mine), balance{spendable: 7e8 - fee, staked: 8e8})
	expect(t, "paid by another", c.balance(friend), balance{spendable: 5e7, staked: 1e8})
	if !matches(t, c, height, mine) || !matches(t, c, height, friend) {
		t.Error("a ticket's filter does not match what it commits to")
	}

	c.Mine(16)
	vote := c.Vote(ticket, true)
	revocation := c.Revoke(other)
	height = c.MineBlock(vote, revocation).Height
	if !matches(t, c, height, mine) || !matches(t, c, height, friend) {
		t.Error("filter does not match the payouts of vote and revocation")
	}
	var reward int64
	for _, out := range vote.TxOut {
		reward += out.Value
	}
	expect(t, "voted", c.balance(mine), balance{spendable: 7e8 - fee, immature: reward})
	expect(t, "revoked", c.balance(friend), balance{spendable: 5e7, immature: 1e8})
	checkBlocks(t, c, 150, c.Height())
	follow(t, c)
}

func TestStakeTransactionForms(t *testing.T) {
	c := NewChain(nil)
	c.Mine(150)
	scriptHash := append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, make([]byte, 20)...)
	scriptHash = append(scriptHash, txscript.OP_EQUAL)
	ticket := c.BuyTicket(Ticket{Voting: Script(1), Reward: scriptHash})
	header := c.Header(c.MineBlock(ticket).Height)
	if ticket.TxOut[0].Value != header.SBits() {
		t.Errorf("ticket bought at %d, price %d", ticket.TxOut[0].Value, header.SBits())
	}
	vote := c.Vote(ticket, false)
	tip := c.Tip()
	if hash, height := stake.SSGenBlockVotedOn(vote); hash != tip.Hash || height != tip.Height {
		t.Errorf("vote on block %d, %v", height, hash)
	}
	if stake.SSGenVoteBits(vote) != 0 || stake.SSGenVoteBits(c.Vote(ticket, true)) != 1 {
		t.Error("wrong vote bits")
	}
	c.MineBlock(vote)
	if !matches(t, c, c.Height(), scriptHash) {
		t.Error("filter does not match a script hash that is paid")
	}
	for _, tx := range []*wire.MsgTx{ticket, vote, c.Revoke(ticket)} {
		if treeOf(tx) != wire.TxTreeStake {
			t.Errorf("%v is not of the stake tree", tx.TxHash())
		}
	}
}

package realnodes

import (
	"slices"
	"testing"
)

// detail is what utxos adds to what truth knows.
type detail struct {
	utxo
	Kind    string `json:"kind"`
	Matures uint32 `json:"matures"`
}

// unmined is an element of what history --unmined prints.
type unmined struct {
	TxID  string `json:"txid"`
	State string `json:"state"`
	Net   int64  `json:"net"`
	Own   bool   `json:"own"`
}

// testAccounts watches two accounts by their keys alone.
func testAccounts(t *testing.T, n *network, c *client) {
	c.do(t, nil, "watch", n.XPub)
	testGap(t, n, c)
	c.do(t, nil, "watch", "--label", "other", n.Other)
	n.pay(t, n.Single[3], 9*coin)
	n.mine(t, 1)
	c.sync(t, n, 0)
	testUnconfirmed(t, n, c)
	testBroadcast(t, n, c)
	testTickets(t, n, c)
}

// testGap pays addresses of an account out of order. One beyond the gap limit
// is found when another one opens the way to it, though its block was passed
// long ago; and the change of a payment is found on the other branch.
func testGap(t *testing.T, n *network, c *client) {
	history := func() (all []entry) {
		c.do(t, nil, "sync")
		c.do(t, &all, "history")
		return all
	}
	hidden := n.pay(t, n.External[30], 3*coin)
	n.mine(t, 2)
	if all := history(); len(all) != 0 {
		t.Fatalf("nothing within the gap limit was paid, and the history is %+v", all)
	}
	for i, index := range []int{5, 0} {
		n.pay(t, n.External[index], 5*coin)
		n.mine(t, 1)
		if all := history(); len(all) != i+1 {
			t.Fatalf("%d addresses within the gap limit were paid, and the history is %+v", i+1, all)
		}
	}
	n.pay(t, n.External[19], 5*coin)
	n.mine(t, 1)
	c.sync(t, n, 1)
	all := n.truth(t, 0)
	if len(all.History) != 4 || !mined(all, hidden) {
		t.Fatalf("the truth is %+v", all.History)
	}
	var next struct {
		Address string `json:"address"`
	}
	c.do(t, &next, "address")
	if next.Address != n.External[1] { // a reorg might leave those after the last one beyond the gap
		t.Errorf("the next address is %s, want %s", next.Address, n.External[1])
	}
	n.mine(t, 24)
	c.sync(t, n, 0)
	c.do(t, &next, "address")
	if next.Address != n.External[31] {
		t.Errorf("the next address is %s, want %s", next.Address, n.External[31])
	}

	n.spend(t, n.External[31], coin)
	n.mine(t, 1)
	c.sync(t, n, 0)
	if all := n.truth(t, 0); !slices.ContainsFunc(all.Utxos, func(u utxo) bool { return slices.Contains(n.Internal, u.Address) }) {
		t.Fatalf("no change: %+v", all.Utxos)
	}
}

// testUnconfirmed pays while the client looks on: it hears of it from the nodes,
// counts it apart, and believes it when it is mined.
func testUnconfirmed(t *testing.T, n *network, c *client) {
	f := c.follow(t)
	f.reaches(t, n.tipOf(t, 0))
	tx := n.pay(t, n.External[33], 2*coin)
	f.says(t, "unconfirmed 2 DCR, not in a block and not verified, %s", tx.TxID)
	f.interrupt(t)
	c.check(t, n.truth(t, 0))
	checkWaiting(t, c, unmined{TxID: tx.TxID, State: "unconfirmed", Net: 2 * coin})

	f = c.follow(t)
	at := n.mine(t, 1)
	f.says(t, "received    2 DCR in block %d, %s", at.Height, tx.TxID)
	f.reaches(t, at)
	f.interrupt(t)
	c.check(t, n.truth(t, 0))
	checkWaiting(t, c)
}

// testBroadcast sends a payment of the accounts. It is the client's own until a
// node's block holds it.
func testBroadcast(t *testing.T, n *network, c *client) {
	tx := n.sign(t, "", coin)
	var sent struct {
		TxID        string
		Told, Taken []string
	}
	c.do(t, &sent, "broadcast", tx.Hex)
	if sent.TxID != tx.TxID || len(sent.Told) != len(n.P2P) || len(sent.Taken) == 0 {
		t.Errorf("broadcast of %s: %+v", tx.TxID, sent)
	}
	eventually(t, "transaction in the memory pool", func() bool {
		return slices.Contains(n.mempoolOf(t, 0), tx.TxID)
	})
	all := n.truth(t, 0)
	c.check(t, all)
	checkWaiting(t, c, unmined{TxID: tx.TxID, State: "unconfirmed", Net: all.Balance.Unconfirmed, Own: true})

	f := c.follow(t)
	at := n.mine(t, 1)
	f.says(t, "sent        ")
	f.reaches(t, at)
	f.interrupt(t)
	c.check(t, n.truth(t, 0))
	checkWaiting(t, c)
}

// checkWaiting compares what is not in a block.
func checkWaiting(t *testing.T, c *client, want ...unmined) {
	t.Helper()
	var waiting []unmined
	c.do(t, &waiting, "history", "--unmined")
	checkSame(t, "history --unmined", waiting, want)
}

// testTickets buys tickets with the accounts' coins and follows them: locked as
// long as they live, then a vote that matures, then a coin like any other.
func testTickets(t *testing.T, n *network, c *client) {
	const tickets = 24 // a block takes no more than 20, and 5 are bought by others
	for i := range tickets {
		n.pay(t, n.External[i], 3*coin)
	}
	n.mine(t, 1)
	n.buy(t, tickets/2, n.External[2])
	n.buy(t, tickets/2, n.External[34])
	c.sync(t, n, 0)
	if held := c.ofKind(t, "ticket"); len(held) != tickets || held[0].Spendable || held[0].Matures != 0 {
		t.Fatalf("%d tickets were bought: %+v", tickets, held)
	}
	var votes []detail
	for len(votes) == 0 {
		n.mine(t, 4)
		c.sync(t, n, 1)
		votes = c.ofKind(t, "vote")
	}
	left := len(c.ofKind(t, "ticket"))
	if vote := votes[0]; left != tickets-len(votes) || vote.Spendable || vote.Tree != 1 || vote.Matures <= n.tipOf(t, 0).Height+1 {
		t.Fatalf("%d tickets are left, and voted have %+v", left, votes)
	}
	for _, tip := range []uint32{votes[0].Matures - 2, votes[0].Matures - 1} {
		n.mine(t, int(tip-n.tipOf(t, 0).Height))
		c.sync(t, n, 0)
		i := slices.IndexFunc(c.ofKind(t, "vote"), func(d detail) bool { return d.TxID == votes[0].TxID })
		if vote := c.ofKind(t, "vote")[i]; vote.Spendable != (tip+1 >= vote.Matures) {
			t.Errorf("at %d: %+v", tip, vote)
		}
	}
}

// ofKind lists the unspent outputs of a kind.
func (c *client) ofKind(t *testing.T, kind string) (list []detail) {
	t.Helper()
	c.do(t, &list, "utxos")
	return slices.DeleteFunc(list, func(d detail) bool { return d.Kind != kind })
}

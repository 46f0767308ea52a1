package realnodes

import (
	"slices"
	"strings"
	"testing"
)

const coin = 100_000_000 // atoms

// Rules 8 and 16.
func TestRealNodes(t *testing.T) {
	t.Parallel()
	p := build(t)
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		n := startNetwork(t, p, 2, 150)
		testIdle(t, n, newClient(t, p, n))
	})
	t.Run("driver", func(t *testing.T) {
		t.Parallel()
		testDriver(t, startNetwork(t, p, 3, 150))
	})
	t.Run("wire", func(t *testing.T) {
		t.Parallel()
		n := startNetwork(t, p, 3, 250)
		testWire(t, n)
		testProtocols(t, n)
		testDoors(t, n)
	})
	t.Run("sync", func(t *testing.T) {
		t.Parallel()
		n := startNetwork(t, p, 3, 150)
		testSync(t, n, newClient(t, p, n))
	})
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		n := startNetwork(t, p, 2, 150)
		testAccounts(t, n, newClient(t, p, n))
	})
	t.Run("follow", func(t *testing.T) {
		t.Parallel()
		n := startNetwork(t, p, 3, 150)
		testFollow(t, n, newClient(t, p, n), newClient(t, p, n))
	})
}

// testDriver proves the ground the other tests stand on: the nodes are
// connected, votes decide, the chain reorganises, and the truth moves along.
func testDriver(t *testing.T, n *network) {
	for node := range n.P2P {
		if got := n.tipOf(t, node); got != n.Tip {
			t.Errorf("node %d is at %v, the miner at %v", node, got, n.Tip)
		}
		if got := len(n.peersOf(t, node)); got != 2 {
			t.Errorf("node %d has %d peers", node, got)
		}
	}
	live(t, n)
	before := n.truth(t, 0)
	checkSums(t, before)
	if before.Balance.Staked == 0 || before.Balance.Immature == 0 || before.Balance.Spendable == 0 {
		t.Fatalf("the watched addresses lack some kind of coin: %+v", before.Balance)
	}

	// A payment returns to the mempool when its block is replaced, and is
	// mined again.
	paid := n.pay(t, n.Single[0], 5*coin)
	n.mine(t, 3)
	for _, depth := range []int{3, 10} {
		old := n.truth(t, 1)
		if !mined(old, paid) {
			t.Fatalf("payment not in the history at %v", old.Tip)
		}
		at := n.reorg(t, depth)
		if at.Height != old.Tip.Height+1 || n.tipOf(t, 2) != at {
			t.Fatalf("after %v: reorganised to %v, node 2 at %v", old.Tip, at, n.tipOf(t, 2))
		}
		all := n.truth(t, 1)
		checkSums(t, all)
		if mined(all, paid) || !slices.Contains(n.mempoolOf(t, 0), paid.TxID) {
			t.Fatalf("reorg of %d left the payment where it was", depth)
		}
		n.mine(t, 1)
	}

	// So it does when the votes disapprove its block.
	paid = n.pay(t, n.Single[0], 2*coin)
	n.mine(t, 1)
	n.disapprove(t)
	all := n.truth(t, 0)
	checkSums(t, all)
	if mined(all, paid) {
		t.Fatal("payment in the history of a disapproved block")
	}
	n.mine(t, 1)
	if !mined(n.truth(t, 0), paid) {
		t.Fatal("payment not mined again")
	}

	// Two branches at a time.
	n.split(t, 2)
	ours := n.mine(t, 2)
	theirs := n.rival(t, 2, 4, 6)
	if n.tipOf(t, 1) != ours || n.tipOf(t, 2) != theirs {
		t.Fatalf("nodes at %v and %v, want %v and %v", n.tipOf(t, 1), n.tipOf(t, 2), ours, theirs)
	}
	if at := n.join(t, 2); at != theirs {
		t.Fatalf("nodes agree on %v, want %v", at, theirs)
	}

	n.stop(t, 1)
	at := n.mine(t, 2)
	n.start(t, 1)
	if got := n.tipOf(t, 1); got != at {
		t.Fatalf("node 1 came back to %v, want %v", got, at)
	}
	checkSums(t, n.truth(t, 1))
}

// live gives the watched addresses a life of all sorts: payments to both
// branches, block rewards, tickets that vote, and spending.
func live(t *testing.T, n *network) {
	t.Helper()
	for i := range 12 {
		n.pay(t, n.External[i], int64(i+1)*coin)
	}
	n.stake(t, 6, 2, n.External[2])
	n.reward(t, 2, n.External[12])
	n.pay(t, n.Single[1], 7*coin)
	n.spend(t, "", 15*coin)
	n.mine(t, 4)
	n.spend(t, n.External[13], 3*coin)
	n.stake(t, 6, 2, n.Single[2])
	n.reward(t, 2, n.Single[3])
	// Tickets live for 16 blocks before they can win; 24 in a pool of
	// hundreds give a vote or two soon.
	for voted := false; !voted; {
		n.mine(t, 5)
		voted = slices.ContainsFunc(n.truth(t, 0).History, func(e entry) bool {
			return e.Tree == 1 && e.Net > coin
		})
	}
	n.pay(t, n.External[14], coin)
	n.reward(t, 1, n.External[12])
}

// mined reports whether a transaction is in the history.
func mined(all truth, tx transaction) bool {
	return slices.ContainsFunc(all.History, func(e entry) bool {
		return strings.EqualFold(e.TxID, tx.TxID)
	})
}

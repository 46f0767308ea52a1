package dcrwallet

import "testing"

// A wallet that is restored from its seed finds accounts, addresses and coins of many kinds.
func TestRestore(t *testing.T) {
	n := startNetwork(t, 2, 150)
	for i := range 12 {
		n.pay(t, n.External[i], int64(i+1)*coin)
	}
	n.mine(t, 3)
	for _, i := range []int{30, 45, 58} {
		n.pay(t, n.External[i], coin)
	}
	n.pay(t, n.Single[1], 7*coin)
	n.mine(t, 3)
	c := newClient(t, n, "wallet.db")
	c.start(t)
	c.reaches(t, n, 0)
	n.pay(t, n.External[50], coin)
	n.mine(t, 1)
	c.reaches(t, n, 0)
}

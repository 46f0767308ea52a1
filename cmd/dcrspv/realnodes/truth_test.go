package realnodes

import (
	"slices"
	"testing"
)

// truth is what a light client must show about the watched addresses: what the
// driver finds in the blocks of a node. The types are also those of what
// dcrspv prints.
type truth struct {
	Tip     tip     `json:"tip"`
	Balance balance `json:"balance"`
	History []entry `json:"history"`
	Utxos   []utxo  `json:"utxos"`

	// ignoreMempool leaves open what waits to be mined: a client that looks on
	// may or may not have seen a block before it left the chain.
	ignoreMempool bool
}

// balance is in atoms.
type balance struct {
	Spendable   int64 `json:"spendable"`
	Immature    int64 `json:"immature"`
	Staked      int64 `json:"staked"`
	Total       int64 `json:"total"`
	Unconfirmed int64 `json:"unconfirmed"`
}

type entry struct {
	TxID   string `json:"txid"`
	Tree   int8   `json:"tree"`
	Height uint32 `json:"height"`
	Block  string `json:"block"`
	Time   int64  `json:"time"`
	Net    int64  `json:"net"`
}

type utxo struct {
	TxID      string `json:"txid"`
	Index     uint32 `json:"index"`
	Tree      int8   `json:"tree"`
	Amount    int64  `json:"amount"`
	Height    uint32 `json:"height"`
	Address   string `json:"address"`
	Spendable bool   `json:"spendable"`
}

// checkSums fails the test unless balance, history and coins add up.
func checkSums(t *testing.T, all truth) {
	t.Helper()
	var net, coins int64
	for _, e := range all.History {
		net += e.Net
	}
	for _, u := range all.Utxos {
		coins += u.Amount
	}
	b := all.Balance
	if parts := b.Spendable + b.Immature + b.Staked; b.Total != parts || net != parts || coins != parts {
		t.Fatalf("at %d: total %d, parts %d, history %d, coins %d", all.Tip.Height, b.Total, parts, net, coins)
	}
}

// checkSame fails the test unless got has exactly the elements of want.
func checkSame[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s lacks %+v", what, w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s has too much: %+v", what, g)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d elements, want %d", what, len(got), len(want))
	}
}

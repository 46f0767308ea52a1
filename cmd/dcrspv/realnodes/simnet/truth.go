package main

import (
	"cmp"
	"slices"

	"github.com/decred/dcrd/wire"
)

// truth is what a light client must show about the watched addresses.
type truth struct {
	Tip     tip     `json:"tip"`
	Balance balance `json:"balance"`
	History []entry `json:"history"`
	Utxos   []utxo  `json:"utxos"`
}

// balance is in atoms. Spendable is what the next block may spend.
type balance struct {
	Spendable   int64 `json:"spendable"`
	Immature    int64 `json:"immature"`
	Staked      int64 `json:"staked"`
	Total       int64 `json:"total"`
	Unconfirmed int64 `json:"unconfirmed"`
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

// truth walks all blocks of a node's best chain.
func (w *network) truth(n *node) (*truth, error) {
	at, err := n.rpc.tip()
	if err != nil {
		return nil, err
	}
	var blocks []*wire.MsgBlock
	for h := range at.Height + 1 {
		b, err := n.rpc.block(h)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	waiting, err := n.rpc.mempool("regular")
	if err != nil {
		return nil, err
	}
	led := newLedger(w.params, w.keys.watched, blocks, false)
	t := &truth{Tip: at, History: led.history, Utxos: []utxo{}}
	for _, c := range led.coins {
		owner, ok := w.keys.owner(c.script)
		if !ok {
			continue
		}
		spendable := !c.staked && c.mature <= at.Height+1
		switch {
		case c.staked:
			t.Balance.Staked += c.value
		case spendable:
			t.Balance.Spendable += c.value
		default:
			t.Balance.Immature += c.value
		}
		t.Balance.Total += c.value
		t.Utxos = append(t.Utxos, utxo{
			TxID: c.out.Hash.String(), Index: c.out.Index, Tree: c.out.Tree, Amount: c.value,
			Height: c.height, Address: owner.addr.String(), Spendable: spendable,
		})
	}
	for _, tx := range waiting {
		net, _ := led.apply(tx, wire.TxTreeRegular, at.Height+1, 0, false)
		t.Balance.Unconfirmed += net
	}
	if t.History == nil {
		t.History = []entry{}
	}
	slices.SortFunc(t.Utxos, func(a, b utxo) int { return cmp.Compare(a.Height, b.Height) })
	return t, nil
}

package spvtest

import (
	"bytes"
	"math/big"
	"slices"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// Truth is what a wallet that watches a set of scripts must find on a chain,
// computed from the builder's records: no filter, no network. Amounts are atoms.
//
// Regular transactions of a block that the next block's votes disapprove are as
// if they had never been mined. A ticket belongs to those it commits to pay, each its
// part of the price.
type Truth struct {
	Tip       chain.BlockID
	Total     int64 // Spendable + Immature + Staked
	Spendable int64 // can be spent in the next block
	Immature  int64 // coinbase or stake outputs that are too young
	Staked    int64 // in tickets that neither voted nor were revoked
	History   []Entry
	Coins     []Coin // in the order in which they were mined
}

// Entry is a transaction that spends from or pays to the scripts.
type Entry struct {
	TxID   chainhash.Hash
	Tree   int8
	Height uint32
	Block  chainhash.Hash
	Net    int64 // paid to the scripts less spent from them
}

// Coin is an unspent output.
type Coin struct {
	OutPoint  wire.OutPoint
	Script    []byte // without a stake opcode
	Amount    int64
	Height    uint32
	Ticket    bool
	Spendable bool
}

// Truth computes what is true at the tip for a set of scripts, given without
// stake opcodes.
func (c *Chain) Truth(scripts [][]byte) Truth {
	w := watcher{
		scripts: make(map[string]bool),
		coins:   make(map[outputKey]Coin),
		truth:   Truth{Tip: c.Tip()},
	}
	for _, s := range scripts {
		w.scripts[string(s)] = true
	}
	v := viewOf(c)
	for _, h := range v.specialHeights() {
		w.block(v, h)
	}
	w.settle()
	return w.truth
}

// specialHeights are the heights of blocks that are not filler, in order.
func (v view) specialHeights() []uint32 {
	var heights []uint32
	limit := v.height
	for c := v.Chain; c != nil; c = c.parent {
		c.mu.RLock()
		for h := range c.special {
			if h <= limit {
				heights = append(heights, h)
			}
		}
		c.mu.RUnlock()
		limit = max(c.first, 1) - 1
	}
	slices.Sort(heights)
	return heights
}

// watcher follows a set of scripts through the blocks.
type watcher struct {
	scripts map[string]bool
	coins   map[outputKey]Coin
	order   []outputKey
	truth   Truth
}

// block takes in a block.
func (w *watcher) block(v view, height uint32) {
	_, sp := v.transactions(height)
	if !v.disapproved(height) {
		for _, tx := range sp.txs {
			w.tx(v, height, tx, wire.TxTreeRegular)
		}
	}
	for _, tx := range sp.stxs {
		w.tx(v, height, tx, wire.TxTreeStake)
	}
}

// disapproved reports whether the votes of the next block reject the regular
// transactions of this one: the first vote bit is not set.
func (v view) disapproved(height uint32) bool {
	return height > 0 && height < v.height && v.header(height+1).VoteBits()&1 == 0
}

// tx takes in a transaction.
func (w *watcher) tx(v view, height uint32, tx *wire.MsgTx, tree int8) {
	hash := tx.TxHash()
	net, concerned := int64(0), false
	for _, in := range tx.TxIn {
		key := outputKey{in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index}
		if coin, ok := w.coins[key]; ok {
			delete(w.coins, key)
			net -= coin.Amount
			concerned = true
		}
	}
	for i, out := range tx.TxOut {
		script, amount := untagged(out.PkScript, tree), out.Value
		ticket := tree == wire.TxTreeStake && i == 0 && stake.IsSStx(tx)
		if ticket {
			script, amount = w.owed(tx)
		}
		if out.Version != 0 || !w.scripts[string(script)] || amount == 0 {
			continue
		}
		key := outputKey{hash, uint32(i)}
		w.order = append(w.order, key)
		w.coins[key] = Coin{
			OutPoint:  wire.OutPoint{Hash: hash, Index: uint32(i), Tree: tree},
			Script:    bytes.Clone(script),
			Amount:    amount,
			Height:    height,
			Ticket:    ticket,
			Spendable: v.height+1-height >= v.maturity(tx, tree),
		}
		net += amount
		concerned = true
	}
	if concerned {
		w.truth.History = append(w.truth.History, Entry{hash, tree, height, v.Hash(height), net})
	}
}

// owed is what a ticket is to pay the scripts of its price, and the first of those.
func (w *watcher) owed(ticket *wire.MsgTx) (script []byte, amount int64) {
	var part, whole big.Int
	scripts, amounts := commitments(ticket)
	for i, s := range scripts {
		given := big.NewInt(amounts[i])
		whole.Add(&whole, given)
		if !w.scripts[string(s)] {
			continue
		}
		part.Add(&part, given)
		if script == nil {
			script = s
		}
	}
	if part.Sign() == 0 {
		return nil, 0
	}
	part.Mul(&part, big.NewInt(ticket.TxOut[0].Value))
	return script, part.Div(&part, &whole).Int64()
}

// untagged is a script without the opcode that marks outputs of the stake tree.
func untagged(script []byte, tree int8) []byte {
	if tree == wire.TxTreeStake && len(script) > 0 {
		switch script[0] {
		case txscript.OP_SSTX, txscript.OP_SSGEN, txscript.OP_SSRTX, txscript.OP_SSTXCHANGE, txscript.OP_TGEN:
			return script[1:]
		}
	}
	return script
}

// maturity is the least number of blocks between an output and the block that
// spends it (dcrd: CheckTransactionInputs).
func (v view) maturity(tx *wire.MsgTx, tree int8) uint32 {
	p := v.config.params
	switch {
	case tree == wire.TxTreeStake && stake.IsSStx(tx):
		return uint32(p.SStxChangeMaturity)
	case tree == wire.TxTreeStake:
		return uint32(p.CoinbaseMaturity)
	case isCoinbase(tx):
		return uint32(p.CoinbaseMaturity)
	}
	return 0
}

// isCoinbase reports whether a regular transaction makes new coins.
func isCoinbase(tx *wire.MsgTx) bool {
	return len(tx.TxIn) == 1 && tx.TxIn[0].PreviousOutPoint.Hash == chainhash.Hash{}
}

// settle sums up.
func (w *watcher) settle() {
	t := &w.truth
	for _, key := range w.order {
		coin, ok := w.coins[key]
		if !ok {
			continue
		}
		delete(w.coins, key)
		switch {
		case coin.Ticket:
			coin.Spendable = false
			t.Staked += coin.Amount
		case coin.Spendable:
			t.Spendable += coin.Amount
		default:
			t.Immature += coin.Amount
		}
		t.Total += coin.Amount
		t.Coins = append(t.Coins, coin)
	}
}

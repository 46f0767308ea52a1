package main

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// coin is an unspent output of one branch of the chain.
type coin struct {
	out    wire.OutPoint
	value  int64
	script []byte
	height uint32 // of the block it is in
	index  uint32 // of its transaction in that block's tree
	mature uint32 // lowest height of a block that may spend it
	staked bool   // locked in a ticket
}

// entry is a mined transaction that moved watched coins.
type entry struct {
	TxID   string `json:"txid"`
	Tree   int8   `json:"tree"`
	Height uint32 `json:"height"`
	Block  string `json:"block"`
	Time   int64  `json:"time"` // Unix seconds
	Net    int64  `json:"net"`
}

// ledger is what a full walk over a branch leaves: every unspent output, and
// the history of the watched ones. It is plain bookkeeping, without any of the
// light client's ways of finding things, so that the two can be compared.
type ledger struct {
	params  *chaincfg.Params
	watched func(script []byte) bool
	coins   map[wire.OutPoint]coin
	history []entry
}

// newLedger walks blocks, which start at genesis.
//
// A block's regular transactions take effect unless the votes in the block
// after it disapprove them; tipDisapproved is about the last block. Its stake
// transactions always take effect.
func newLedger(params *chaincfg.Params, watched func([]byte) bool, blocks []*wire.MsgBlock, tipDisapproved bool) *ledger {
	l := &ledger{
		params:  params,
		watched: watched,
		coins:   make(map[wire.OutPoint]coin),
	}
	for i, b := range blocks[1:] {
		approved := !tipDisapproved
		if next := i + 2; next < len(blocks) {
			approved = blocks[next].Header.VoteBits&1 != 0
		}
		hash := b.BlockHash().String()
		l.applyTree(b, hash, b.STransactions, wire.TxTreeStake)
		if approved {
			l.applyTree(b, hash, b.Transactions, wire.TxTreeRegular)
		}
	}
	return l
}

func (l *ledger) applyTree(b *wire.MsgBlock, hash string, txs []*wire.MsgTx, tree int8) {
	for i, tx := range txs {
		coinbase := tree == wire.TxTreeRegular && i == 0
		net, touched := l.apply(tx, tree, b.Header.Height, uint32(i), coinbase)
		if touched {
			l.history = append(l.history, entry{
				TxID: tx.CachedTxHash().String(), Tree: tree, Height: b.Header.Height,
				Block: hash, Time: b.Header.Timestamp.Unix(), Net: net,
			})
		}
	}
}

// apply spends what tx spends and adds what it creates. It returns the change
// of the watched coins' sum and whether any of them was touched.
func (l *ledger) apply(tx *wire.MsgTx, tree int8, height, index uint32, coinbase bool) (net int64, touched bool) {
	for _, in := range tx.TxIn {
		spent, ok := l.coins[in.PreviousOutPoint]
		if !ok {
			continue // coinbase, stakebase, treasury
		}
		delete(l.coins, in.PreviousOutPoint)
		if l.watched(spent.script) {
			net, touched = net-spent.value, true
		}
	}
	for i, out := range tx.TxOut {
		c := coin{
			out:    wire.OutPoint{Hash: *tx.CachedTxHash(), Index: uint32(i), Tree: tree},
			value:  out.Value,
			script: out.PkScript,
			height: height,
			index:  index,
			mature: height,
		}
		if len(c.script) == 0 || c.script[0] == txscript.OP_RETURN || c.script[0] == txscript.OP_TADD {
			continue
		}
		switch op := c.script[0]; {
		case coinbase, op == txscript.OP_SSGEN, op == txscript.OP_SSRTX, op == txscript.OP_TGEN:
			c.mature += uint32(l.params.CoinbaseMaturity)
		case op == txscript.OP_SSTXCHANGE:
			c.mature += uint32(l.params.SStxChangeMaturity)
		case op == txscript.OP_SSTX:
			c.staked = true
		case tx.Expiry != wire.NoExpiryValue: // dcrd blockchain: CheckTransactionInputs
			c.mature += uint32(l.params.CoinbaseMaturity)
		}
		l.coins[c.out] = c
		if l.watched(c.script) {
			net, touched = net+c.value, true
		}
	}
	return net, touched
}

// complete returns a transaction with where each input was mined, and its fee; not
// ok is one that a block at height may not hold.
func (l *ledger) complete(tx *wire.MsgTx, height uint32) (_ *wire.MsgTx, fee int64, ok bool) {
	if tx.Expiry != wire.NoExpiryValue && height >= tx.Expiry {
		return nil, 0, false
	}
	tx = tx.Copy()
	for _, txIn := range tx.TxIn {
		c, ok := l.coins[txIn.PreviousOutPoint]
		if !ok || c.staked || c.mature > height {
			return nil, 0, false
		}
		txIn.ValueIn, txIn.BlockHeight, txIn.BlockIndex = c.value, c.height, c.index
		fee += c.value
	}
	for _, out := range tx.TxOut {
		fee -= out.Value
	}
	return tx, fee, true
}

// pick lists the coins that match and that a block at height may spend, oldest
// first.
func (l *ledger) pick(height uint32, match func(script []byte) bool) []coin {
	var picked []coin
	for _, c := range l.coins {
		if !c.staked && c.mature <= height && match(c.script) {
			picked = append(picked, c)
		}
	}
	slices.SortFunc(picked, func(a, b coin) int {
		return cmp.Or(cmp.Compare(a.height, b.height),
			bytes.Compare(a.out.Hash[:], b.out.Hash[:]),
			cmp.Compare(a.out.Index, b.out.Index))
	})
	return picked
}

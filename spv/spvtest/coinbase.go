package spvtest

import (
	"encoding/binary"
	"math"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// fillerCoinbase makes the only transaction of a filler block. It depends on
// nothing but the branch and the height, so it can be made again.
func (c *Chain) fillerCoinbase(height uint32) *wire.MsgTx {
	if height == 1 {
		return c.coinbase(height, c.ledgerPayouts())
	}
	items := c.config.filterItems
	outs := make([]*wire.TxOut, items)
	amount := c.reward() / int64(max(items, 1))
	seed := mix(uint64(c.branch)<<32 | uint64(height))
	for i := range outs {
		outs[i] = wire.NewTxOut(amount, keyHashScript(seed+uint64(i)))
	}
	return c.coinbase(height, outs)
}

// reward is what a coinbase pays, in atoms. The subsidy's decline is left out.
func (c *Chain) reward() int64 { return c.config.params.BaseSubsidy / 10 }

// ledgerPayouts are the outputs of block 1, which the parameters prescribe.
func (c *Chain) ledgerPayouts() []*wire.TxOut {
	outs := make([]*wire.TxOut, 0, len(c.config.params.BlockOneLedger))
	for _, p := range c.config.params.BlockOneLedger {
		out := wire.NewTxOut(p.Amount, p.Script)
		out.Version = p.ScriptVersion
		outs = append(outs, out)
	}
	return outs
}

// coinbase makes a coinbase in the form it has since the treasury (DCP0006):
// version 3, and output 0 pushes the height and an extra nonce, here the branch,
// that make its id unique.
func (c *Chain) coinbase(height uint32, outs []*wire.TxOut) *wire.MsgTx {
	tag := make([]byte, 0, 14)
	tag = append(tag, txscript.OP_RETURN, txscript.OP_DATA_12)
	tag = binary.LittleEndian.AppendUint32(tag, height)
	tag = binary.LittleEndian.AppendUint64(tag, uint64(c.branch))

	tx := wire.NewMsgTx()
	tx.Version = wire.TxVersionTreasury
	in := wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, math.MaxUint32, wire.TxTreeRegular), c.reward(), nil)
	in.BlockHeight = wire.NullBlockHeight
	in.BlockIndex = wire.NullBlockIndex
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(0, tag))
	for _, out := range outs {
		tx.AddTxOut(out)
	}
	return tx
}

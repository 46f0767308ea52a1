package spvtest

import (
	"encoding/binary"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// fee is what transactions of the builder leave to the miner, in atoms.
const fee = 2980

// Script returns a pay-to-pubkey-hash script of nobody: the same for the same
// number, different for different numbers, never one of the builder's own.
func Script(n uint32) []byte {
	return keyHashScript(uint64(n) | 1<<63)
}

// builderScript is the script that the builder's made-up coins and its change
// belong to.
func builderScript() []byte { return keyHashScript(1 << 62) }

// keyHashScript makes a pay-to-pubkey-hash script out of a number.
func keyHashScript(n uint64) []byte {
	script := make([]byte, 0, 25)
	script = append(script, txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20)
	for range 3 {
		n = mix(n)
		script = binary.LittleEndian.AppendUint64(script, n)
	}
	return append(script[:23], txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
}

// mix is the splitmix64 generator: it spreads numbers over 64 bits.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// Pay builds a regular transaction that pays amount (atoms) to a script with its
// output 0, out of a coin that the builder makes up, with change in output 1. It
// is not mined yet: give it to MineBlock.
func (c *Chain) Pay(script []byte, amount int64) *wire.MsgTx {
	return c.PayAll(wire.NewTxOut(amount, script))
}

// PayAll is Pay for several outputs; the change is the last.
func (c *Chain) PayAll(outs ...*wire.TxOut) *wire.MsgTx {
	const change = 1e8
	tx := wire.NewMsgTx()
	total := int64(change + fee)
	for _, out := range outs {
		total += out.Value
		tx.AddTxOut(out)
	}
	tx.AddTxOut(wire.NewTxOut(change, builderScript()))
	c.addInput(tx, c.madeUp(), total)
	c.ledger.record(tx)
	return tx
}

// Spend builds a regular transaction that spends outputs of transactions built
// before, mined or not, or any other outpoints, which then count as made up. It
// adds no change: what the outputs leave over is the fee.
func (c *Chain) Spend(prevs []wire.OutPoint, outs ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx()
	for _, prev := range prevs {
		c.addInput(tx, prev, c.amount(prev))
	}
	for _, out := range outs {
		tx.AddTxOut(out)
	}
	c.ledger.record(tx)
	return tx
}

// OutPoint refers to an output of a transaction, in the tree that the
// transaction belongs to.
func OutPoint(tx *wire.MsgTx, index uint32) wire.OutPoint {
	return wire.OutPoint{Hash: tx.TxHash(), Index: index, Tree: treeOf(tx)}
}

// treeOf tells where in a block a transaction belongs.
func treeOf(tx *wire.MsgTx) int8 {
	if stake.DetermineTxType(tx) == stake.TxTypeRegular {
		return wire.TxTreeRegular
	}
	return wire.TxTreeStake
}

// madeUp returns an outpoint that no transaction made and nobody spent.
func (c *Chain) madeUp() wire.OutPoint {
	return wire.OutPoint{Hash: c.ledger.unique(), Tree: wire.TxTreeRegular}
}

// amount is the value of an output in atoms. Made-up coins are worth a thousand
// DCR.
func (c *Chain) amount(op wire.OutPoint) int64 {
	if out := c.ledger.output(&op); out != nil {
		return out.Value
	}
	return 1000e8
}

// addInput adds an input with a signature script of the usual size that holds
// no signature.
func (c *Chain) addInput(tx *wire.MsgTx, prev wire.OutPoint, amount int64) {
	script := make([]byte, 0, 108)
	script = append(script, txscript.OP_DATA_72)
	n := uint64(prev.Index) ^ binary.LittleEndian.Uint64(prev.Hash[:])
	for len(script) < 73 {
		n = mix(n)
		script = binary.LittleEndian.AppendUint64(script, n)
	}
	script = append(script, txscript.OP_DATA_33, 2)
	script = append(script, prev.Hash[:]...)
	in := wire.NewTxIn(&prev, amount, script)
	tx.AddTxIn(in)
}

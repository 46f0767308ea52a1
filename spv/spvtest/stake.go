package spvtest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// Ticket says how a ticket is bought. Its scripts are pay-to-pubkey-hash or
// pay-to-script-hash, without the opcodes that tag outputs of the stake tree.
type Ticket struct {
	Voting []byte          // who may vote; a filter does not show it
	Reward []byte          // who gets price and reward back; nil is Voting
	Change []byte          // who gets the change; nil is Reward
	Price  int64           // atoms; 0 is the price of the next block
	Prevs  []wire.OutPoint // what pays for it; none: a made-up coin
	Spare  int64           // atoms of change from a made-up coin
}

// BuyTicket builds a ticket purchase. Output 0 is the ticket. For every input
// there follow a commitment to Reward of what it contributes, and what it gets
// back as change.
func (c *Chain) BuyTicket(t Ticket) *wire.MsgTx {
	if t.Reward == nil {
		t.Reward = t.Voting
	}
	if t.Change == nil {
		t.Change = t.Reward
	}
	if t.Price == 0 {
		prev := c.header(c.tip.Height)
		t.Price = c.config.rules.NextStakeDiff(prev, c.header)
	}
	prevs, amounts := t.Prevs, make([]int64, 0, len(t.Prevs))
	if len(prevs) == 0 {
		prevs, amounts = []wire.OutPoint{c.madeUp()}, []int64{t.Price + fee + t.Spare}
	} else {
		for _, prev := range prevs {
			amounts = append(amounts, c.amount(prev))
		}
	}
	var total int64
	for _, amount := range amounts {
		total += amount
	}
	due := t.Price + fee
	if total < due {
		panic(fmt.Sprintf("spvtest: coins of %v atoms for a ticket of %d", amounts, t.Price))
	}

	tx := wire.NewMsgTx()
	tx.AddTxOut(wire.NewTxOut(t.Price, tagged(txscript.OP_SSTX, t.Voting)))
	for i, prev := range prevs {
		// Each input gives the share of what is still due that it has of what
		// is left; the last gives the rest.
		share := big.NewInt(due)
		share.Mul(share, big.NewInt(amounts[i])).Div(share, big.NewInt(total))
		given := share.Int64()
		due, total = due-given, total-amounts[i]
		c.addInput(tx, prev, amounts[i])
		tx.AddTxOut(wire.NewTxOut(0, commitment(t.Reward, given)))
		tx.AddTxOut(wire.NewTxOut(amounts[i]-given, tagged(txscript.OP_SSTXCHANGE, t.Change)))
	}
	mustBe(stake.CheckSStx(tx))
	c.ledger.record(tx)
	return tx
}

// Vote builds a ticket's vote on the tip of the chain; it belongs in the next
// block. What the ticket was bought with and a reward go to those it commits to.
func (c *Chain) Vote(ticket *wire.MsgTx, approve bool) *wire.MsgTx {
	reference := make([]byte, 0, 38)
	reference = append(reference, txscript.OP_RETURN, txscript.OP_DATA_36)
	reference = append(reference, c.tip.Hash[:]...)
	reference = binary.LittleEndian.AppendUint32(reference, c.tip.Height)

	bits := []byte{txscript.OP_RETURN, txscript.OP_DATA_6, 0, 0, headerVersion, 0, 0, 0}
	if approve {
		bits[2] = 1
	}
	subsidy := c.reward()
	tx := wire.NewMsgTx()
	base := wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, math.MaxUint32, wire.TxTreeRegular),
		subsidy, slices.Clone(c.config.params.StakeBaseSigScript))
	tx.AddTxIn(base)
	price := ticket.TxOut[0].Value
	c.addInput(tx, OutPoint(ticket, 0), price)
	tx.AddTxOut(wire.NewTxOut(0, reference))
	tx.AddTxOut(wire.NewTxOut(0, bits))
	scripts, amounts := commitments(ticket)
	for i, amount := range stake.CalculateRewards(amounts, price, subsidy) {
		tx.AddTxOut(wire.NewTxOut(amount, tagged(txscript.OP_SSGEN, scripts[i])))
	}
	mustBe(stake.CheckSSGen(tx))
	c.ledger.record(tx)
	return tx
}

// Revoke builds the revocation of a ticket that missed its vote, as a block has
// to contain it since DCP0009. It belongs in the next block.
func (c *Chain) Revoke(ticket *wire.MsgTx) *wire.MsgTx {
	hash := ticket.TxHash()
	prev := c.header(c.tip.Height)
	tx, err := stake.CreateRevocationFromTicket(&hash, stake.ConvertToMinimalOutputs(ticket),
		0, stake.TxVersionAutoRevocations, c.config.params, prev[:], true)
	mustBe(err)
	mustBe(stake.CheckSSRtx(tx))
	c.ledger.record(tx)
	return tx
}

// tagged is a script with the opcode that marks outputs of the stake tree.
func tagged(op byte, script []byte) []byte {
	return append([]byte{op}, script...)
}

// scriptHashFlag marks a commitment to a script hash in its amount.
const scriptHashFlag = 1 << 63

// commitment is the output script that commits a ticket's payout to a script:
// OP_RETURN, then its hash160, the amount and the fee limits.
func commitment(script []byte, amount int64) []byte {
	const noLimits = 0x5800 // up to 2^24 atoms of a revocation's amount as fee, none for votes
	hash, value := []byte(nil), uint64(amount)
	switch {
	case len(script) == 25 && script[0] == txscript.OP_DUP:
		hash = script[3:23]
	case len(script) == 23 && script[0] == txscript.OP_HASH160:
		hash, value = script[2:22], value|scriptHashFlag
	default:
		panic(fmt.Sprintf("spvtest: a ticket cannot pay the script %x", script))
	}
	out := make([]byte, 0, 32)
	out = append(out, txscript.OP_RETURN, txscript.OP_DATA_30)
	out = append(out, hash...)
	out = binary.LittleEndian.AppendUint64(out, value)
	return binary.LittleEndian.AppendUint16(out, noLimits)
}

// commitments are the scripts that a ticket pays out to, and what each gave.
func commitments(ticket *wire.MsgTx) (scripts [][]byte, amounts []int64) {
	for i := 1; i < len(ticket.TxOut); i += 2 {
		data := ticket.TxOut[i].PkScript
		value := binary.LittleEndian.Uint64(data[22:])
		var script []byte
		if value&scriptHashFlag != 0 {
			script = append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, data[2:22]...)
			script = append(script, txscript.OP_EQUAL)
		} else {
			script = append([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, data[2:22]...)
			script = append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
		}
		scripts = append(scripts, script)
		amounts = append(amounts, int64(value&^scriptHashFlag))
	}
	return scripts, amounts
}

// mustBe panics if a transaction that was built here is not what it should be.
func mustBe(err error) {
	if err != nil {
		panic("spvtest: " + err.Error())
	}
}

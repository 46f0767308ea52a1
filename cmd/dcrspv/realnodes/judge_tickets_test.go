package realnodes

import (
	"slices"
	"testing"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

const (
	ticketFee   = 10000
	ticketCount = 15 // a block takes 20, and 5 are bought by others
)

// buy is a step that buys tickets. Accounts say who pays, who may vote and who gets how
// much back; "" is nobody in particular. Of two receivers each gets half, and nobody in
// particular pays for the second.
func buy(name, payer, voter string, receivers ...string) step {
	return step{name: name, play: func(t *testing.T, j *judge) {
		part := 2*j.ticketPrice(t) + ticketFee // it may rise until they are bought
		funds := make([][]spendable, len(receivers))
		payers := [2]string{payer}
		for i := range receivers {
			funds[i] = j.fund(t, payers[i], part)
		}
		j.n.mine(t, 1)
		price := j.ticketPrice(t)
		price += price % 2 // so that halves are equal
		gives := (price + ticketFee) / int64(len(receivers))
		to := func(account string) stdaddr.StakeAddress {
			if account == "" {
				return payTo(t, j.outside(t))
			}
			return payTo(t, j.w.address(t, account))
		}
		votes, votingScript := to(voter).VotingRightsScript()
		var bought []string
		for i := range ticketCount {
			tx := wire.NewMsgTx()
			add := func(amount int64, version uint16, script []byte) {
				tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
			}
			add(price, votes, votingScript)
			for k, receiver := range receivers {
				tx.AddTxIn(wire.NewTxIn(&funds[k][i].out, part, nil))
				version, script := to(receiver).RewardCommitmentScript(gives, 0, price)
				add(0, version, script)
				version, script = to(payers[k]).StakeChangeScript()
				add(part-gives, version, script)
			}
			j.signInputs(t, tx, payers[:len(receivers)])
			bought = append(bought, j.n.sendRaw(t, encode(t, tx)).TxID)
		}
		j.batches = append(j.batches, bought)
		j.agree(t)
		j.n.mine(t, 1)
	}}
}

// ticketPrice is that of the next block. dcrwallet passes the question on to the node.
func (j *judge) ticketPrice(t *testing.T) int64 {
	t.Helper()
	var price struct {
		Next float64 `json:"next"`
	}
	j.w.call(t, &price, "getstakedifficulty")
	return atoms(t, price.Next)
}

// signInputs has dcrwallet sign the inputs of its accounts.
func (j *judge) signInputs(t *testing.T, tx *wire.MsgTx, payers []string) {
	t.Helper()
	var signed struct {
		Hex string `json:"hex"`
	}
	j.w.call(t, &signed, "signrawtransaction", encode(t, tx))
	by := decode(t, signed.Hex)
	for i, payer := range payers {
		tx.TxIn[i].SignatureScript = anyone
		if payer != "" {
			tx.TxIn[i].SignatureScript = by.TxIn[i].SignatureScript
		}
	}
}

// voteAll mines until a ticket of every batch has ended, or has not in a long time.
func (j *judge) voteAll(t *testing.T) {
	t.Helper()
	for range 60 {
		j.look(t)
		j.sheet.update(t)
		ended := j.sheet.spentBy(inChain)
		if !slices.ContainsFunc(j.batches, func(tickets []string) bool {
			return !slices.ContainsFunc(tickets, func(id string) bool { return ended[place{id, 0}] })
		}) {
			break
		}
		j.n.mine(t, 1)
	}
	j.batches = nil
}

// fund makes coins of an account, or of nobody in particular, to buy tickets with.
func (j *judge) fund(t *testing.T, account string, amount int64) (coins []spendable) {
	t.Helper()
	var tx *wire.MsgTx
	var addr string
	if account == "" {
		addr = j.outside(t)
		paid := decode(t, j.n.pay(t, "", ticketCount*amount+10000).Hex)
		hash := paid.TxHash()
		tx = wire.NewMsgTx()
		tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&hash, 0, 0), paid.TxOut[0].Value, anyone))
	} else {
		addr = j.w.address(t, account)
		tx = j.transfer(t, account, addr, ticketCount*amount)
		tx.TxOut = tx.TxOut[1:]
	}
	version, script := payTo(t, addr).PaymentScript()
	first := uint32(len(tx.TxOut))
	for range ticketCount {
		tx.AddTxOut(&wire.TxOut{Value: amount, Version: version, PkScript: script})
	}
	if account == "" {
		j.n.sendRaw(t, encode(t, tx))
	} else {
		j.sendRaw(t, j.sign(t, tx))
	}
	hash := tx.TxHash()
	for i := range uint32(ticketCount) {
		coins = append(coins, spendable{*wire.NewOutPoint(&hash, first+i, 0), amount})
	}
	return coins
}

// ends counts the transactions of a kind that have ended tickets of dcrwallet.
func (j *judge) ends(t *testing.T, kind stake.TxType) (count int) {
	t.Helper()
	j.look(t)
	j.sheet.update(t)
	for _, tx := range j.sheet.txs {
		if inChain(tx) && stake.DetermineTxType(tx.msg) == kind {
			count++
		}
	}
	return count
}

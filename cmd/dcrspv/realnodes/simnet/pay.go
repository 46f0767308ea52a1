package main

import (
	"fmt"

	"github.com/decred/dcrd/txscript/v4/stdaddr"
	"github.com/decred/dcrd/wire"
)

// A transaction's fee, well above what dcrd asks for (10,000 atoms a kilobyte).
const (
	feeBase  = 10000
	feeInput = 2500
)

// pay makes a transaction from anyone's coins to an address.
func (w *network) pay(to stdaddr.StakeAddress, atoms int64) (*wire.MsgTx, error) {
	return w.transfer(w.keys.free, to, atoms, w.keys.anyone)
}

// spend makes a transaction from watched coins. Change goes to the next
// internal address, as a wallet does it.
func (w *network) spend(to stdaddr.StakeAddress, atoms int64) (*wire.MsgTx, error) {
	change := w.keys.internal[w.change%len(w.keys.internal)].addr
	w.change++
	return w.transfer(w.keys.watched, to, atoms, change)
}

// transfer makes a signed transaction from the oldest matching coins that the
// next block may spend and that no waiting transaction spends.
func (w *network) transfer(from func([]byte) bool, to stdaddr.StakeAddress, atoms int64, change stdaddr.StakeAddress) (*wire.MsgTx, error) {
	led := w.miner.ledger(false)
	nodes := w.together()
	if len(nodes) > 0 {
		waiting, err := nodes[0].rpc.mempool("regular")
		if err != nil {
			return nil, err
		}
		for _, tx := range waiting {
			for _, in := range tx.TxIn {
				delete(led.coins, in.PreviousOutPoint)
			}
		}
	}
	coins := led.pick(w.miner.tip().Header.Height+1, from)
	tx := wire.NewMsgTx()
	tx.AddTxOut(output(atoms)(to.PaymentScript()))
	need, have := atoms+feeBase, int64(0)
	for _, c := range coins {
		if have >= need {
			break
		}
		tx.AddTxIn(input(c))
		have += c.value
		need += feeInput
	}
	if have < need {
		return nil, fmt.Errorf("%d atoms wanted, %d there", need, have)
	}
	if have > need {
		tx.AddTxOut(output(have - need)(change.PaymentScript()))
	}
	for i, c := range coins[:len(tx.TxIn)] {
		if err := w.keys.sign(tx, i, c.script); err != nil {
			return nil, err
		}
	}
	return tx, nil
}

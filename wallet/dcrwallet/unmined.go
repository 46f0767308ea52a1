package dcrwallet

import (
	"context"
	"errors"
	"fmt"

	walleterrors "decred.org/dcrwallet/v5/errors"
	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// maxUnmined is how many transactions in no block the wallet may have before those of
// others are not added any more: whoever knows an address can make any number of them.
const maxUnmined = 500

// listen adds transactions that peers announce and that concern the wallet.
func (b *Backend) listen(ctx context.Context) error {
	for tx := range b.s.Transactions(ctx) {
		if stake.IsTSpend(tx) {
			b.addTreasurySpend(ctx, tx)
		}
		// Before, the wallet may not know yet that it has a block with the transaction.
		if b.Status().Stage != Following || !b.watched.unmined(tx, b.w.ChainParams()) {
			continue
		}
		if err := b.addUnmined(ctx, tx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// addUnmined adds a transaction to the wallet unless it is not to be trusted. An error is
// one of the wallet's file.
func (b *Backend) addUnmined(ctx context.Context, tx *wire.MsgTx) error {
	hash := tx.TxHash()
	if b.w.ManualTickets() && stake.IsSStx(tx) {
		return nil
	}
	waiting, err := b.w.UnminedTransactions(ctx)
	if err != nil {
		return err
	}
	if len(waiting) >= maxUnmined {
		b.cfg.Log.Warnf("Not added: %v; %d transactions are in no block", &hash, len(waiting))
		return nil
	}
	if err := b.checkInputs(ctx, tx); err != nil {
		b.cfg.Log.Warnf("Not added: %v: %v", &hash, err)
		return nil
	}
	err = b.w.AddTransaction(ctx, tx, nil)
	if walleterrors.Is(err, walleterrors.DoubleSpend) {
		b.cfg.Log.Warnf("Not added: %v", err)
		return nil
	}
	return err
}

// verifyFlags are those of transactions that nodes relay (dcrd mempool:
// BaseStandardVerifyFlags, with the rules that were voted in).
const verifyFlags = txscript.ScriptDiscourageUpgradableNops |
	txscript.ScriptVerifyCleanStack |
	txscript.ScriptVerifyCheckLockTimeVerify |
	txscript.ScriptVerifyCheckSequenceVerify |
	txscript.ScriptVerifySigPushOnly |
	txscript.ScriptVerifySHA256 |
	txscript.ScriptVerifyTreasury

// errNoOutput: a transaction of the wallet has not so many outputs.
var errNoOutput = errors.New("spends an output that does not exist")

// checkInputs checks the signatures of those inputs that spend outputs of the wallet's
// transactions. The wallet takes such an output for spent, and nobody else may make it do so.
func (b *Backend) checkInputs(ctx context.Context, tx *wire.MsgTx) error {
	for i, in := range tx.TxIn {
		prev := &in.PreviousOutPoint
		txs, _, err := b.w.GetTransactionsByHashes(ctx, []*chainhash.Hash{&prev.Hash})
		if walleterrors.Is(err, walleterrors.NotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if prev.Index >= uint32(len(txs[0].TxOut)) {
			return fmt.Errorf("input %d %w", i, errNoOutput)
		}
		out := txs[0].TxOut[prev.Index]
		vm, err := txscript.NewEngine(out.PkScript, tx, i, verifyFlags, out.Version, nil)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	return nil
}

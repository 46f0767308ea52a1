package wallet

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/blockchain/standalone/v2"
	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/txscript/v4/stdscript"
	"github.com/decred/dcrd/wire"
)

// What nodes check of a transaction before they take it, as far as a wallet can tell
// that knows the outputs of its own transactions alone. An input that spends anything
// else is left unchecked, and so are relative lock times and lock times in seconds.

// verifyFlags are those that nodes run scripts with (dcrd mempool:
// BaseStandardVerifyFlags, with all agendas active), and what they ask of the form of
// a signature script before (checkTransactionStandard). With pushes alone what a peer
// sends costs no more than the script of ours that it spends.
const verifyFlags = txscript.ScriptDiscourageUpgradableNops |

	txscript.ScriptVerifyCleanStack |
	txscript.ScriptVerifyCheckLockTimeVerify |
	txscript.ScriptVerifyCheckSequenceVerify |
	txscript.ScriptVerifySigPushOnly |
	txscript.ScriptVerifySHA256 |
	txscript.ScriptVerifyTreasury

// prevOut is an output that a transaction spends, if its transaction is known.
type prevOut struct {
	*wire.TxOut // nil: its transaction has no such output
	tree        int8
	matures     uint32 // height of the first block that may spend it
	ours        bool
}

// invalid makes an ErrInvalid.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// checkTx says why a transaction can never be mined (ErrInvalid). prev looks an output
// up. Of inputs that spend what is ours the scripts are run, unless they are proven;
// afterwards they are.
func checkTx(tx *wire.MsgTx, proven []bool, prev func(*wire.OutPoint) (prevOut, bool), params *chaincfg.Params) error {
	if err := standalone.CheckTransactionSanity(tx, uint64(params.MaxTxSize)); err != nil {
		return invalid("%v", err)
	}
	kind := stake.DetermineTxType(tx)
	if err := checkForm(tx, kind); err != nil {
		return err
	}
	spends := make([]prevOut, len(tx.TxIn))
	known, sum := true, int64(0)
	for i, in := range tx.TxIn {
		var ok bool
		if spent(in) != nothing {
			spends[i], ok = prev(&in.PreviousOutPoint)
		}
		if !ok {
			known = false
			continue
		}
		if err := checkInput(tx, i, &spends[i], kind); err != nil {
			return err
		}
		sum += spends[i].Value
	}
	if known {
		for _, out := range tx.TxOut {
			sum -= out.Value
		}
		if sum < 0 {
			return invalid("it pays %v more than it spends", dcrutil.Amount(-sum))
		}
	}
	if kind == stake.TxTypeSSRtx && tx.Version >= stake.TxVersionAutoRevocations {
		return nil // nobody signs it (dcrd blockchain: ValidateTransactionScripts)
	}
	return checkScripts(tx, proven, spends)
}

// checkForm checks what a transaction is by itself (dcrd blockchain: CheckTransaction;
// its mempool takes no coinbase).
func checkForm(tx *wire.MsgTx, kind stake.TxType) error {
	if kind != stake.TxTypeRegular {
		return nil
	}
	if slices.ContainsFunc(tx.TxIn, makesMoney) {
		return invalid("it makes money, as only a block may")
	}
	for i, out := range tx.TxOut {
		switch staked, err := txscript.ContainsStakeOpCodes(out.PkScript, true); {
		case err != nil:
			return invalid("the script of output %d: %v", i, err)
		case staked:
			return invalid("its output %d is of a kind that only stake transactions have", i)
		}
	}
	return nil
}

func makesMoney(in *wire.TxIn) bool { return spent(in) == nothing }

// checkInput checks an input against the output that it spends (dcrd blockchain:
// CheckTransactionInputs, checkTicketPurchaseInputs).
func checkInput(tx *wire.MsgTx, i int, o *prevOut, kind stake.TxType) error {
	op := tx.TxIn[i].PreviousOutPoint
	what := outPoint{op.Hash, op.Index}
	switch {
	case o.TxOut == nil:
		return invalid("input %d spends %v, which there is not", i, &what)
	case op.Tree != o.tree:
		return invalid("input %d spends %v in tree %d, and it is in tree %d", i, &what, op.Tree, o.tree)
	case o.Value == 0:
		return invalid("input %d spends %v, which is worth nothing", i, &what)
	case stake.IsTicketPurchaseScript(o.Version, o.PkScript) && kind != stake.TxTypeSSGen && kind != stake.TxTypeSSRtx:
		return invalid("input %d spends %v, a ticket, and it neither votes nor revokes", i, &what)
	case kind != stake.TxTypeSStx:
		return nil
	}
	_, raw := untag(o.tree, o.Version, o.PkScript)
	if o.Version != 0 || !stdscript.IsPubKeyHashScriptV0(raw) && !stdscript.IsScriptHashScriptV0(raw) {
		return invalid("input %d spends %v, which no ticket may", i, &what)
	}
	// For each input there is a commitment, and then its change (dcrd stake: CheckSStx).
	// The highest bit of the amount stands for a script hash.
	promise := int64(binary.LittleEndian.Uint64(tx.TxOut[2*i+1].PkScript[22:]) &^ (1 << 63))
	if change := tx.TxOut[2*i+2].Value; promise != o.Value-change {
		return invalid("the ticket commits to pay %v for input %d, which spends %v and gets %v back",
			dcrutil.Amount(promise), i, dcrutil.Amount(o.Value), dcrutil.Amount(change))
	}
	return nil
}

// checkScripts runs the scripts of what is ours. The first that does not hold ends it:
// nobody else can have many that do.
func checkScripts(tx *wire.MsgTx, proven []bool, spends []prevOut) error {
	for i := range spends {
		o := &spends[i]
		if !o.ours || proven[i] {
			continue
		}
		vm, err := txscript.NewEngine(o.PkScript, tx, i, verifyFlags, o.Version, nil)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			return invalid("the signature of input %d is not good: %v", i, err)
		}
		proven[i] = true
	}
	return nil
}

// checkTime says why a transaction can't be mined in the block at a height, though
// maybe in a later one (ErrTooEarly): for dcrd it is not final (blockchain:
// IsFinalizedTransaction), or it spends what has to mature.
func checkTime(tx *wire.MsgTx, prev func(*wire.OutPoint) (prevOut, bool), next uint32) error {
	locked := func(in *wire.TxIn) bool { return in.Sequence != wire.MaxTxInSequenceNum }
	if tx.LockTime >= next && tx.LockTime < txscript.LockTimeThreshold && slices.ContainsFunc(tx.TxIn, locked) {
		return fmt.Errorf("%w: no block up to %d may have it", ErrTooEarly, tx.LockTime)
	}
	for i, in := range tx.TxIn {
		if o, ok := prev(&in.PreviousOutPoint); ok && o.matures > next {
			return fmt.Errorf("%w: what input %d spends has to mature until block %d", ErrTooEarly, i, o.matures)
		}
	}
	return nil
}

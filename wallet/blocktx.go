package wallet

import (
	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// blockTx is a transaction of a block while it is applied.
type blockTx struct {
	msg         *wire.MsgTx
	height      uint32
	tree        int8
	pos         uint32
	disapproved bool // without effect: the votes in the next block said so
	block       *blockRecord

	txid    *hash
	credits []credit
	spends  bool // coins of the wallet
}

// credit is an output that pays a watched script, or is watched by itself.
type credit struct {
	index  uint32
	kind   CoinKind
	amount dcrutil.Amount
	script []byte
}

// id is the transaction's hash, computed when first needed: most transactions
// of a block do not concern the wallet.
func (t *blockTx) id() hash {
	if t.txid == nil {
		id := t.msg.TxHash()
		t.txid = &id
	}
	return *t.txid
}

// returns reports whether the transaction may be mined again in another block.
func (t *blockTx) returns() bool { return mayReturn(t.msg, t.tree, t.pos) }

// mayReturn: a coinbase, a vote and a treasury base belong to their block, and
// are void once that is. So does a revocation since DCP0009: every block has to hold
// those of the tickets that were missed or expired before it.
func mayReturn(tx *wire.MsgTx, tree int8, pos uint32) bool {
	if tree == wire.TxTreeRegular {
		return pos > 0
	}
	if stake.IsSSRtx(tx) {
		return tx.Version < stake.TxVersionAutoRevocations
	}
	return stake.IsSStx(tx) || stake.IsTAdd(tx) || stake.IsTSpend(tx)
}

func (t *blockTx) add(cr credit) { t.credits = append(t.credits, cr) }

func (t *blockTx) setSpends() { t.spends = true }

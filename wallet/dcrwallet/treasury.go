package dcrwallet

import (
	"context"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/schnorr"
	"github.com/decred/dcrd/txscript/v4"
	"github.com/decred/dcrd/wire"
)

// A wallet knows the spends of the treasury that wait for votes, so that its owner can say
// how its tickets are to vote on them. Peers announce them as other transactions. Those from
// before are in a peer's initial state (initstate, protocol version 8).

// askTreasury asks the peers that were not asked yet for the spends of the treasury that
// they know.
func (b *Backend) askTreasury(ctx context.Context) error {
	get := wire.NewMsgGetInitState()
	if err := get.AddTypes(wire.InitStateTSpends); err != nil {
		return err
	}
	_, err := b.s.Send(ctx, get) // a peer gets it once, however often it is sent
	return err
}

// listenTreasury asks for the spends that peers name, if the wallet has not got them. They
// come as other transactions.
func (b *Backend) listenTreasury(ctx context.Context) error {
	for m := range b.s.Messages(ctx, wire.CmdInitState) {
		state, ok := m.Message.(*wire.MsgInitState)
		if !ok {
			continue
		}
		get := wire.NewMsgGetData()
		for i := range state.TSpendHashes {
			if hash := &state.TSpendHashes[i]; !b.w.IsTSpendCached(hash) {
				if err := get.AddInvVect(wire.NewInvVect(wire.InvTypeTx, hash)); err != nil {
					return err
				}
			}
		}
		if len(get.InvList) == 0 {
			continue
		}
		if _, err := b.s.Send(ctx, get, m.Peer); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// addTreasurySpend adds a spend of the treasury that can be voted on: it is signed with one
// of the network's keys, and has not expired (dcrd blockchain: verifyTSpendSignature).
func (b *Backend) addTreasurySpend(ctx context.Context, tx *wire.MsgTx) {
	signature, key, err := stake.CheckTSpend(tx)
	if err != nil || !b.w.ChainParams().PiKeyExists(key) || b.tip(ctx).Height > tx.Expiry {
		return
	}
	hash := tx.TxHash()
	if b.w.IsTSpendCached(&hash) || !isSigned(tx, signature, key) {
		return
	}
	if err := b.w.AddTSpend(*tx); err != nil { // it has it already
		b.cfg.Log.Debugf("Spend of the treasury %v: %v", hash, err)
	}
}

// isSigned reports whether a spend of the treasury is signed with a key.
func isSigned(tx *wire.MsgTx, signature, key []byte) bool {
	sigHash, err := txscript.CalcSignatureHash(nil, txscript.SigHashAll, tx, 0, nil)
	if err != nil {
		return false
	}
	sig, err := schnorr.ParseSignature(signature)
	if err != nil {
		return false
	}
	pub, err := schnorr.ParsePubKey(key)
	return err == nil && sig.Verify(sigHash, pub)
}

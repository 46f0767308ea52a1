package peer

import (
	"fmt"
	"sync"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/container/lru"
	"github.com/decred/dcrd/wire"
)

const (
	// maxTxs is the most transactions a call asks for: like blocks, so many
	// add nothing to the ban score of dcrd.
	maxTxs = 500

	// maxTxsAsked is how many requested transactions are remembered until they
	// come. If the remote answers nothing, the oldest are forgotten.
	maxTxsAsked = 1000

	// maxAnnounce is the most transactions a call announces. The remote may ask
	// for all of them at once.
	maxAnnounce = 1000

	// maxNotFound is the most transactions and mixing messages a message says notfound
	// of: dcrd bans for more at a time (server.go, OnNotFound).
	maxNotFound = 10
)

// Announce tells the remote of up to 1000 transactions that we can serve. The remote
// requests the ones that it wants: Handler.GetData. An announcement is good for one
// request. Without transactions nothing is sent.
func (p *Peer) Announce(txs []chainhash.Hash) error {
	// dcrd bans for an empty inv.
	if len(txs) == 0 {
		return nil
	}
	if len(txs) > maxAnnounce {
		return fmt.Errorf("%w: %d transactions announced", ErrRequest, len(txs))
	}
	return p.send(&wire.MsgInv{InvList: txInvs(txs)})
}

// Serve queues a transaction that the remote asked for, as Announce does. The
// transaction must not be changed any more.
func (p *Peer) Serve(tx *wire.MsgTx) error { return p.send(tx) }

// NotFound tells the remote that we don't have the transactions and mixing messages that
// it requested, ten at most. Blocks are left out, which nobody expects of us: dcrd bans for more than
// five of them.
func (p *Peer) NotFound(inv []*wire.InvVect) error {
	msg := wire.NewMsgNotFound()
	for _, iv := range inv {
		if (iv.Type == wire.InvTypeTx || iv.Type == wire.InvTypeMix) && len(msg.InvList) < maxNotFound {
			msg.InvList = append(msg.InvList, iv)
		}
	}
	if len(msg.InvList) == 0 {
		return nil
	}
	return p.send(msg)
}

// newTxSet is made when first needed: a first sync does without.
func newTxSet() func() *lru.Set[chainhash.Hash] {
	return sync.OnceValue(func() *lru.Set[chainhash.Hash] { return lru.NewSet[chainhash.Hash](maxTxsAsked) })
}

// RequestTxs asks for up to 500 transactions, and does not wait: each one comes
// to Handler.Tx, or is named to Handler.NotFound. A remote may also stay
// silent. Transactions that were not asked for are dropped.
func (p *Peer) RequestTxs(txs []chainhash.Hash) error {
	// dcrd bans for an empty getdata.
	if len(txs) == 0 || len(txs) > maxTxs {
		return fmt.Errorf("%w: %d transactions", ErrRequest, len(txs))
	}
	for _, hash := range txs {
		p.txs().Put(hash)
	}
	return p.send(&wire.MsgGetData{InvList: txInvs(txs)})
}

// onTx hands over a transaction that was asked for.
func (p *Peer) onTx(tx *wire.MsgTx) error {
	hash := tx.TxHash()
	if !p.txs().Contains(hash) {
		p.unasked(classTx)
		return nil
	}
	p.txs().Delete(hash)
	return p.callbacks.call(func(h Handler) { h.Tx(tx) })
}

// txInvs lists transactions for a message. The hashes are copied: the writer
// looks at them after the caller may have changed them.
func txInvs(txs []chainhash.Hash) []*wire.InvVect {
	invs := make([]*wire.InvVect, len(txs))
	for i := range txs {
		invs[i] = wire.NewInvVect(wire.InvTypeTx, &txs[i])
	}
	return invs
}

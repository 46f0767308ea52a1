package spvtest

import (
	"slices"

	"github.com/decred/dcrd/blockchain/stake/v5"
	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// take puts a transaction that a client sent into the memory pool.
func (p *Peer) take(tx *wire.MsgTx) {
	hash := tx.TxHash()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.txs[hash] == nil {
		p.txs[hash] = tx
		p.taken = append(p.taken, tx)
	}
}

// treasurySpends are those in the memory pool, as many as fit into an initial state.
func (p *Peer) treasurySpends() (hashes []chainhash.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for hash, tx := range p.txs {
		if stake.IsTSpend(tx) && len(hashes) < wire.MaxISTSpendsAtHeadPerMsg {
			hashes = append(hashes, hash)
		}
	}
	return hashes
}

// Taken returns the transactions that clients have sent, in order.
func (p *Peer) Taken() []*wire.MsgTx {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.taken)
}

// fetchTxs asks for the announced transactions and mixing messages that are not known.
func (c *Client) fetchTxs(m *wire.MsgInv) {
	want := wire.NewMsgGetData()
	for _, item := range m.InvList {
		unknown := item.Type == wire.InvTypeTx && c.peer.tx(&item.Hash) == nil ||
			item.Type == wire.InvTypeMix && c.peer.mix(&item.Hash) == nil
		if unknown {
			want.AddInvVect(item)
		}
	}
	if len(want.InvList) > 0 {
		c.answer(func() { c.transmit(want) })
	}
}

// AnnounceTx puts a transaction into the memory pool and announces it to the
// clients that want to hear of transactions. They get it if they ask.
func (p *Peer) AnnounceTx(tx *wire.MsgTx) {
	hash := tx.TxHash()
	p.mu.Lock()
	p.txs[hash] = tx
	clients := p.connected()
	p.mu.Unlock()
	inv := wire.NewMsgInv()
	inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &hash))
	for _, c := range clients {
		if c.ready.Load() && c.relay.Load() {
			c.Send(inv)
		}
	}
}

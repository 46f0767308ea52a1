package spvtest

import (
	"slices"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"github.com/decred/dcrd/wire"
)

// sendData answers getdata: items in the order asked for, and what is unknown in
// a notfound message at the end.
func (c *Client) sendData(m *wire.MsgGetData) {
	b := c.peer.Behaviour()
	unknown := wire.NewMsgNotFound()
	for _, item := range m.InvList {
		msgs := c.peer.lookup(item, &b)
		if len(msgs) == 0 {
			unknown.AddInvVect(item)
		}
		for _, msg := range msgs {
			c.transmit(msg)
		}
	}
	if len(unknown.InvList) > 0 {
		c.transmit(unknown)
	}
}

// lookup returns what is sent for an item; nothing if it is not known. Blocks
// that left the best chain are still served, as dcrd does.
func (p *Peer) lookup(item *wire.InvVect, b *Behaviour) []wire.Message {
	if b.NotFound {
		return nil
	}
	switch item.Type {
	case wire.InvTypeBlock:
		for _, v := range p.everServed() {
			if height, ok := v.find(&item.Hash); ok {
				return b.block(v, height)
			}
		}
	case wire.InvTypeTx:
		if tx := p.tx(&item.Hash); tx != nil {
			return []wire.Message{tx}
		}
	case wire.InvTypeMix:
		if msg := p.mix(&item.Hash); msg != nil {
			return []wire.Message{msg}
		}
	}
	return nil
}

// everServed returns the chain as served now, and those before.
func (p *Peer) everServed() []view {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]view{p.view.behind(p.behaviour.Lag)}, p.past...)
}

// block returns the messages that answer a request for a block.
func (b *Behaviour) block(v view, height uint32) []wire.Message {
	block := v.Block(height)
	switch b.BadBlocks {
	case BlocksDropTx:
		if n := len(block.STransactions); n > 0 {
			block.STransactions = block.STransactions[:n-1]
		} else {
			block.Transactions = block.Transactions[:len(block.Transactions)-1]
		}
	case BlocksDoubleTx:
		block.Transactions = append(block.Transactions, block.Transactions[len(block.Transactions)-1])
	case BlocksChangedTx:
		last := len(block.Transactions) - 1
		block.Transactions = slices.Clone(block.Transactions)
		block.Transactions[last] = block.Transactions[last].Copy()
		block.Transactions[last].TxOut[0].Value++
	case BlocksOther:
		block = v.Block(max(height, 1) - 1)
	case BlocksUnasked:
		return []wire.Message{block, v.Block(max(height, 1) - 1)}
	}
	return []wire.Message{block}
}

// tx returns a transaction of the memory pool.
func (p *Peer) tx(hash *chainhash.Hash) *wire.MsgTx {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.txs[*hash]
}

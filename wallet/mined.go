package wallet

import (
	"bytes"
	"time"

	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// summary is what a transaction in the chain means to the wallet, read from its
// coins.
type summary struct {
	credits []Credit
	debits  []Debit
	credit  dcrutil.Amount
	debit   dcrutil.Amount
}

func (s *summary) empty() bool { return len(s.credits) == 0 && len(s.debits) == 0 }

func (c *change) summarize(id hash, tx *wire.MsgTx) summary {
	var s summary
	for i := range tx.TxOut {
		if coin, ok := c.coin(outPointKey(&id, uint32(i))); ok {
			s.credits = append(s.credits, Credit{
				Index: uint32(i), Kind: coin.kind, Amount: coin.amount, Script: coin.script,
				Matures: c.w.creditMatures(&coin),
			})
			s.credit += coin.amount
		}
	}
	for _, in := range tx.TxIn {
		prev := &in.PreviousOutPoint
		if coin, ok := c.coin(outPointKey(&prev.Hash, prev.Index)); ok && coin.spent && coin.spentBy == id {
			s.debits = append(s.debits, Debit{TxID: prev.Hash, Index: prev.Index, Amount: coin.amount})
			s.debit += coin.amount
		}
	}
	return s
}

// saveTx writes the history entry of a transaction whose coins are up to date,
// and tells of it if it is new or has changed. An entry without coins goes.
func (c *change) saveTx(id hash, r txRecord, msg *wire.MsgTx) {
	s := c.summarize(id, msg)
	if s.empty() {
		c.del(c.txs, id[:])
		c.del(c.order, orderKey(r.height, r.tree, r.pos))
		c.remove(id)
		return
	}
	r.setSums(&s)
	value := r.encode()
	if bytes.Equal(value, c.txs.Get(id[:])) {
		return
	}
	if old, ok := decodeTx(c.txs.Get(id[:])); ok {
		c.del(c.order, orderKey(old.height, old.tree, old.pos))
	} else {
		c.suspectSpenders(id, msg)
	}
	c.put(c.txs, id[:], value)
	c.put(c.order, orderKey(r.height, r.tree, r.pos), id[:])
	block := c.block(r.height)
	c.event(Event{
		Kind: EventMined, Block: block.id(r.height), Time: time.Unix(int64(block.time), 0).UTC(),
		Tx: id, Tree: r.tree, Net: s.credit - s.debit, Credits: s.credits, Debits: s.debits,
	})
}

// updateTx writes the history entry of a transaction whose coins have changed, if it has one:
// what this change forgets or has not kept yet has none.
func (c *change) updateTx(id hash) {
	if r, msg, ok := c.tx(id); ok {
		c.saveTx(id, r, msg)
	}
}

// unmine takes a transaction out of the chain: its coins are gone and those it
// spent are back. If it may be mined again it is pending from now on; if not,
// nothing that spends it can be mined either. See pendingTx for arrived and since.
func (c *change) unmine(id hash, arrived, since uint32) {
	r, msg, ok := c.namedTx(id)
	if !ok {
		return
	}
	s := c.summarize(id, msg)
	for _, cr := range s.credits {
		c.dropCoin(outPointKey(&id, cr.Index))
	}
	for _, d := range s.debits {
		key := outPointKey(&d.TxID, d.Index)
		coin, _ := c.coin(key)
		coin.unspend()
		c.saveCoin(key, &coin)
	}
	c.del(c.txs, id[:])
	c.del(c.order, orderKey(r.height, r.tree, r.pos))
	if mayReturn(msg, r.tree, r.pos) {
		c.addPending(msg, id, fromBlock, arrived, since)
		delete(c.unlogged, id) // that it was mined is in the log
		return
	}
	c.remove(id)
	c.dropSpenders(msg, id)
}

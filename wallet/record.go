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

// tx reads a transaction of the history.
func (c *change) tx(id hash) (txRecord, *wire.MsgTx, bool) {
	v := c.txs.Get(id[:])
	if v == nil {
		return txRecord{}, nil, false
	}
	r, ok := decodeTx(v)
	msg, parsed := parseTx(r.raw)
	if !ok || !parsed {
		c.fail(corrupt("transaction %v", id))
		return r, nil, false
	}
	return r, msg, true
}

// namedTx reads a transaction of the history that another record names.
func (c *change) namedTx(id hash) (txRecord, *wire.MsgTx, bool) {
	r, msg, ok := c.tx(id)
	if !ok {
		c.fail(corrupt("transaction %v is missing", id))
	}
	return r, msg, ok
}

func (c *change) block(height uint32) blockRecord {
	r, ok := decodeBlock(c.blocks.Get(key32(height)))
	if !ok {
		c.fail(corrupt("block %d", height))
	}
	return r
}

// keep writes the history entry of a transaction whose coins are up to date,
// and tells of it if it is new or has changed. An entry without coins goes.
func (c *change) keep(id hash, r txRecord, msg *wire.MsgTx) {
	s := c.summarize(id, msg)
	if s.empty() {
		c.del(c.txs, id[:])
		c.del(c.order, orderKey(r.height, r.tree, r.pos))
		c.remove(id)
		return
	}
	r.credit, r.debit = s.credit, s.debit
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

// rekeep writes the history entry of a transaction whose coins have changed, if it has one:
// what this change forgets or has not kept yet has none.
func (c *change) rekeep(id hash) {
	if r, msg, ok := c.tx(id); ok {
		c.keep(id, r, msg)
	}
}

// unmine takes a transaction out of the chain: its coins are gone and those it
// spent are back. If it may be mined again it is pending from now on; if not,
// nothing that spends it can be mined either. arrived and since are those of
// pendingTx.
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
		coin.spent, coin.spentHeight, coin.spentBy = false, 0, hash{}
		c.saveCoin(key, &coin)
	}
	c.del(c.txs, id[:])
	c.del(c.order, orderKey(r.height, r.tree, r.pos))
	if mayReturn(msg, r.tree, r.pos) {
		c.pend(msg, id, fromBlock, arrived, since)
		delete(c.untold, id) // that it was mined is in the log
		return
	}
	c.remove(id)
	c.dropSpenders(msg, id)
}

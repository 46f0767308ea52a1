package wallet

import (
	"dcrspv/spv/chain"

	"github.com/decred/dcrd/wire"
)

func (c *change) newPending(msg *wire.MsgTx, id hash, from origin, arrived, since uint32) *pendingTx {
	raw, err := msg.Bytes()
	if err != nil {
		c.fail(err)
	}
	return &pendingTx{
		id: id, msg: msg, raw: raw, origin: from, arrived: arrived, since: since,
		own: from == fromOwner || c.own.Get(id[:]) != nil,
	}
}

// savePending writes a pending transaction that is new or has changed.
func (c *change) savePending(p *pendingTx) {
	c.put(c.unmined, p.id[:], p.encode())
	if !c.w.pool.has(p) {
		c.w.pool.add(p)
		c.news.add(p)
		c.suspectSpenders(p.id, p.msg)
	}
	c.w.pool.watchDue(p)
	c.w.contest(p)
}

func (c *change) dropPending(p *pendingTx) {
	c.del(c.unmined, p.id[:])
	c.w.pool.drop(p)
	c.w.shares.forget(p.id)
	c.w.contested.drop(p.id)
}

// suspect has the transactions checked again that spend an output.
func (c *change) suspect(op outPoint) {
	for _, p := range c.w.pool.spends[op] {
		c.suspects.add(p.id)
	}
}

// suspectSpenders does so with all outputs of a transaction.
func (c *change) suspectSpenders(id hash, msg *wire.MsgTx) {
	if len(c.w.pool.byID) == 0 {
		return
	}
	for _, p := range c.w.pool.children(id, msg) {
		c.suspects.add(p.id)
	}
}

// resign gives a pending transaction other signatures.
func (c *change) resign(p *pendingTx, tx *wire.MsgTx, from origin) {
	raw, err := tx.Bytes()
	if err != nil {
		c.fail(err)
	}
	c.w.pool.replace(p, tx, raw, from)
	c.w.contested.drop(p.id) // what it spends is told by the signatures
	c.savePending(p)
}

// markOwn notes that a transaction is the owner's, now and after a reorg.
func (c *change) markOwn(id hash) {
	if c.own.Get(id[:]) == nil {
		c.put(c.own, id[:], nil)
	}
}

// searchBelowBirthdays has blocks tested that are below a birthday. What waits may be mined
// in any block above the one that the wallet was at when it came, while all that it pays
// has a later birthday. It is no part of the wallet then, but were that block not tested
// it would wait for ever.
//
// That is done for what has come to wait with this change, and for entries that are
// watched since then or from another birthday on: once for each, for what was tested
// meanwhile must not be tested for ever.
func (c *change) searchBelowBirthdays() {
	if len(c.entered) == 0 && len(c.news) == 0 {
		return
	}
	for _, p := range c.w.pool.inOrder() {
		look := func(s *script) {
			if !s.awaits() || uint64(p.since)+1 >= uint64(s.Birthday()) || !c.entered[s] && !c.news[p] {
				return
			}
			c.coverage.Untest(s, chain.Range{From: p.since + 1, To: s.Birthday() - 1})
		}
		c.w.eachReceiver(p.msg, look)
		for _, in := range p.msg.TxIn {
			if s := c.w.outpoints[spent(in)]; s != nil {
				look(s)
			}
		}
	}
}

// searchAgain has all that waits looked for again.
func (c *change) searchAgain() {
	for _, p := range c.w.pool.byID {
		c.news.add(p)
	}
}

// sinceAtMost has the pending transactions looked for from a lower height on: the
// chain was undone down to it.
func (c *change) sinceAtMost(height uint32) {
	for _, p := range c.w.pool.inOrder() {
		if p.sinceAtMost(height) {
			c.w.contested.drop(p.id)
			c.savePending(p)
			c.news.add(p)
		}
	}
}

package wallet

import (
	"bytes"
)

// forgetting is the removal of coins, and the transactions that it touches.
type forgetting struct {
	c        *change
	affected map[hash]bool
	order    []hash
}

func (f *forgetting) affect(id hash) {
	if !f.affected[id] {
		f.affected[id] = true
		f.order = append(f.order, id)
	}
}

// drop removes a coin. What made it and what spent it may mean nothing to the
// wallet any more.
func (f *forgetting) drop(key []byte) {
	coin, ok := f.c.coin(key)
	if !ok {
		return
	}
	f.affect(hash(key[:32]))
	if coin.spent {
		f.affect(coin.spentBy)
	}
	f.c.dropCoin(key)
}

// forget removes the coins of scripts and outpoints that are no longer watched,
// and what of the history hangs on them alone. Of all the scripts concerned some
// coins may stay: those that what is left claims.
func (c *change) forget(scripts map[string]bool) {
	f := &forgetting{c: c, affected: make(map[hash]bool)}
	var gone, tickets [][]byte
	err := c.coins.ForEach(func(k, v []byte) error {
		kind, script, ok := coinOf(v)
		switch {
		case !ok || len(k) != 36:
			return corrupt("coin %.40x", k)
		case scripts[string(script)] && !c.claims(outPoint{hash(k[:32]), be.Uint32(k[32:])}, script, coinHeight(v)):
			gone = append(gone, bytes.Clone(k))
		case kind == Ticket:
			tickets = append(tickets, bytes.Clone(k))
		}
		return nil
	})
	if err != nil {
		c.fail(err)
	}
	for _, key := range gone {
		f.drop(key)
	}
	// Tickets that the wallet neither pays for nor is paid by any longer would
	// stay for ever: see addTicket.
	for _, key := range tickets {
		if !c.ticketIsOurs(hash(key[:32])) {
			f.drop(key)
		}
	}
	for _, id := range f.order {
		if r, msg, ok := c.tx(id); ok {
			c.keep(id, r, msg)
		}
	}
	for _, p := range c.pending().inOrder() {
		if !c.concerns(p.msg) {
			c.dropPending(p)
			c.remove(p.id)
		}
	}
}

// ticketIsOurs reports whether a mined ticket is paid for by the wallet or
// commits to pay it.
func (c *change) ticketIsOurs(id hash) bool {
	r, msg, ok := c.tx(id)
	if !ok {
		return false
	}
	if len(c.summarize(id, msg).debits) > 0 {
		return true
	}
	found := false
	c.eachCommitment(msg, func(s *script) { found = found || s.watched() && s.from <= r.height })
	return found
}

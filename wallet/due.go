package wallet

import (
	"math"
	"time"

	"github.com/decred/dcrd/wire"
)

// Some things end at a height: transactions that wait expire, those of others are given
// up after a day, and dead ones are forgotten. Until the tip gets to the lowest of these
// heights no block has to look at any of them, however many there are.

// keepStale is for how long a transaction of somebody else is kept.
const keepStale = 24 * time.Hour

// stale reports whether a transaction of somebody else has waited for too long.
func (c *change) stale(p *pendingMsg) bool {
	return !p.own && uint64(c.tipHeight()) >= c.w.staleAt(p)
}

// staleAt is the height of the tip from which on it has.
func (w *Wallet) staleAt(p *pendingMsg) uint64 {
	perBlock := max(w.params.TargetTimePerBlock, 1)
	return uint64(p.arrived) + uint64(keepStale/perBlock) + 1
}

// due is the height of the tip at which the height alone changes a pending transaction.
func (w *Wallet) due(p *pendingMsg) uint64 {
	if p.dead != alive {
		return uint64(p.deadHeight) + keepDead + 1
	}
	at := uint64(math.MaxUint64)
	if p.msg.Expiry != wire.NoExpiryValue {
		at = uint64(p.msg.Expiry) - 1
	}
	if !p.own {
		at = min(at, w.staleAt(p))
	}
	return at
}

// expire ends pending transactions whose expiry height the chain has reached:
// from that height on they are not allowed in a block (dcrd blockchain:
// IsExpired). Tickets follow the price, if that has changed. Those long dead are removed, and those of
// others that nobody has mined for long.
func (c *change) expire(repriced bool) {
	tip, _ := c.w.tip()
	repriced = repriced && c.w.price > 0
	if uint64(tip.Height) < c.pending().due && !repriced {
		return // however many wait, a block that concerns none of them costs nothing
	}
	if repriced {
		c.revive(func(p *pendingMsg) bool { return p.dead == superseded })
	}
	needed := c.pending().needed()
	for _, p := range c.pending().inOrder() {
		switch {
		case !c.pending().has(p): // gone with another one
		case p.dead != alive:
			if uint64(p.deadHeight)+keepDead < uint64(tip.Height) {
				c.dropPending(p)
				if p.own {
					c.del(c.own, p.id[:])
				}
			}
		case p.msg.Expiry != wire.NoExpiryValue && tip.Height+1 >= p.msg.Expiry:
			c.kill(p, expired, p.msg.Expiry-1, 0, hash{})
		case c.w.tooCheap(p.msg):
			c.kill(p, superseded, tip.Height, wire.TxTreeStake, hash{})
		case c.stale(p) && !needed[p.id]:
			c.evict(p)
		}
	}
	c.pending().due = math.MaxUint64
	for _, p := range c.pending().byID {
		if p.dead != alive || !c.stale(p) { // what is needed still is due when that ends
			c.pending().due = min(c.pending().due, c.w.due(p))
		}
	}
}

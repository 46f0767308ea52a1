package wallet

import (
	"time"

	"github.com/decred/dcrd/chaincfg/v3"
	"github.com/decred/dcrd/wire"
)

// Some things end at a height: transactions expire, those of others are given up after a
// day, and those that can't be mined any more are forgotten. Until the tip gets to the
// lowest of these heights no block has to look at any of them, however many there are.

// keepStale is for how long a transaction of somebody else is kept.
const keepStale = 24 * time.Hour

// keepBlocks is for how many blocks that is.
func keepBlocks(params *chaincfg.Params) uint64 {
	return uint64(keepStale / max(params.TargetTimePerBlock, 1))
}

// expire ends pending transactions whose expiry height the chain has reached: from that
// height on no block may have them (dcrd blockchain: IsExpired). Tickets follow the price,
// if that has changed. What ended long ago is removed, and so is what somebody else has
// sent and nobody has mined for long.
func (c *change) expire(repriced bool) {
	tip, _ := c.w.tip()
	repriced = repriced && c.w.price > 0
	if uint64(tip.Height) < c.w.pool.due && !repriced {
		return // however many wait, a block that concerns none of them costs nothing
	}
	if repriced {
		c.reactivate(func(p *pendingTx) bool { return p.state == superseded })
	}
	needed := c.w.pool.needed()
	for _, p := range c.w.pool.inOrder() {
		switch {
		case !c.w.pool.has(p): // gone with another one
		case !p.isActive():
			if uint64(p.endHeight)+keepEnded < uint64(tip.Height) {
				c.dropPending(p)
				if p.own {
					c.del(c.own, p.id[:])
				}
			}
		case p.msg.Expiry != wire.NoExpiryValue && tip.Height+1 >= p.msg.Expiry:
			c.end(p, expired, p.msg.Expiry-1, 0, hash{})
		case c.w.price.tooCheap(p.msg):
			c.end(p, superseded, tip.Height, wire.TxTreeStake, hash{})
		case c.w.pool.isStale(p, tip.Height) && !needed[p.id]:
			c.evict(p)
		}
	}
	c.w.pool.findDue(tip.Height)
}

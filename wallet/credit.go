package wallet

import (
	"github.com/decred/dcrd/dcrutil/v4"
	"github.com/decred/dcrd/wire"
)

// findCredits notes which outputs pay watched scripts, and that those scripts, and
// those a ticket commits to, are in use.
func (c *change) findCredits(t *blockTx) {
	if t.tree == wire.TxTreeStake {
		c.findTicket(t)
	}
	c.w.eachPaid(t.msg, t.tree, func(i uint32, kind CoinKind, s *script) {
		if !c.paid(s, t.height) || len(t.credits) > 0 && t.credits[len(t.credits)-1].index == i {
			return
		}
		if t.tree == wire.TxTreeRegular && t.pos == 0 {
			kind = Coinbase
		}
		t.add(credit{i, kind, dcrutil.Amount(t.msg.TxOut[i].Value), []byte(s.raw)})
	})
}

// addCoins makes coins of a transaction's credits.
func (c *change) addCoins(t *blockTx) {
	for _, cr := range t.credits {
		c.addCoin(t, cr)
	}
}

func (c *change) addCoin(t *blockTx, cr credit) {
	id := t.id()
	key := outPointKey(&id, cr.index)
	old, _ := c.coin(key)
	fresh := coin{
		height: t.height, tree: t.tree, kind: cr.kind, amount: cr.amount, script: cr.script,
		expiry: t.msg.Expiry != wire.NoExpiryValue,
		spent:  old.spent, spentHeight: old.spentHeight, spentBy: old.spentBy,
	}
	c.saveCoin(key, &fresh)
	if fresh.spent && fresh.amount != old.amount { // of a ticket the wallet owns more than it did
		c.updateTx(fresh.spentBy)
	}
}

// spend marks the coins that a transaction spends.
func (c *change) spend(t *blockTx) {
	for _, in := range t.msg.TxIn {
		key := outPointKey(&in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index)
		coin, ok := c.coin(key)
		if !ok {
			continue
		}
		coin.spend(t.height, t.id())
		c.saveCoin(key, &coin)
		t.setSpends()
	}
}

package wallet

import (
	"bytes"
	"slices"
)

// losses are the scripts and outpoints that a change has taken out of the watch set or
// left fewer reasons to be in it: their coins may not be the wallet's any more, nor what
// waits. See forget and dropUnconcerned.
type losses struct {
	scripts set[string]
	by      set[loser]
}

// loser is by whose will something is watched no longer.
type loser uint8

const (
	byOwner loser = iota // Unwatch
	byChain              // a use was undone, see fit
)

func (l *losses) add(s *script, by loser) {
	l.scripts.add(s.raw)
	l.by.add(by)
}

// forget removes, at the end of a change, the coins of scripts and outpoints that are no
// longer watched, and the part of the history that hangs on them alone. A coin stays if
// something still watched claims it; of a ticket, the part that is still claimed.
func (c *change) forget() {
	if len(c.lost.scripts) == 0 {
		return
	}
	var gone, tickets [][]byte
	err := c.coins.ForEach(func(k, v []byte) error {
		kind, script, ok := coinOf(v)
		switch {
		case !ok || len(k) != 36:
			return corrupt("coin %.40x", k)
		case kind == Ticket:
			tickets = append(tickets, bytes.Clone(k))
		case c.lost.scripts[string(script)] && !c.w.claims(outPoint{hash(k[:32]), be.Uint32(k[32:])}, script, coinHeight(v)):
			gone = append(gone, bytes.Clone(k))
		}
		return nil
	})
	if err != nil {
		c.fail(err)
	}
	touched := make(set[hash])
	var order []hash // by arrival in touched, to make what follows repeatable
	for _, key := range slices.Concat(gone, tickets) {
		coin, ok := c.coin(key)
		if !ok {
			continue
		}
		left := c.leftOf(hash(key[:32]), coin)
		switch {
		case left.amount == 0:
			c.dropCoin(key)
		case left.amount != coin.amount || !bytes.Equal(left.script, coin.script):
			c.saveCoin(key, &left)
		default:
			continue
		}
		for _, id := range []hash{hash(key[:32]), coin.spentBy} { // none has the zero hash
			if !touched[id] {
				touched.add(id)
				order = append(order, id)
			}
		}
	}
	for _, id := range order {
		c.updateTx(id)
	}
}

// leftOf is what is left of a coin that nothing claims any more, or of a ticket: the share
// that is still claimed.
func (c *change) leftOf(id hash, coin coin) coin {
	if coin.kind != Ticket {
		coin.setShare(0, nil)
	} else if _, msg, ok := c.namedTx(id); ok {
		coin.setShare(c.claimedShare(id, msg, coin.height))
	}
	return coin
}

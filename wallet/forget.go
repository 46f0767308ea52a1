package wallet

import "bytes"

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
	if coin, ok := f.c.coin(key); ok {
		f.touch(key, &coin)
		f.c.dropCoin(key)
	}
}

// touch notes the transactions that make and spend a coin.
func (f *forgetting) touch(key []byte, coin *coin) {
	f.affect(hash(key[:32]))
	if coin.spent {
		f.affect(coin.spentBy)
	}
}

// forget removes, at the end of a change, the coins of scripts and outpoints that are no
// longer watched, and the part of the history that hangs on them alone. A coin stays if
// something still watched claims it.
func (c *change) forget() {
	if len(c.lost.scripts) == 0 {
		return
	}
	f := &forgetting{c: c, affected: make(map[hash]bool)}
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
	for _, key := range gone {
		f.drop(key)
	}
	for _, key := range tickets {
		f.share(key)
	}
	for _, id := range f.order {
		c.updateTx(id)
	}
}

// share gives a ticket the amount that the wallet still owns of it.
func (f *forgetting) share(key []byte) {
	id := hash(key[:32])
	coin, ok := f.c.coin(key)
	_, msg, known := f.c.namedTx(id)
	if !ok || !known {
		return
	}
	left := coin
	left.setShare(f.c.claimedShare(id, msg, coin.height))
	switch {
	case left.amount == 0:
		f.drop(key)
	case left.amount != coin.amount || !bytes.Equal(left.script, coin.script):
		f.touch(key, &coin)
		f.c.saveCoin(key, &left)
	}
}

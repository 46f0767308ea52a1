package wallet

import "slices"

// Transactions that wait to be mined may pay one address behind the other, so the next
// one may lie beyond the gap of what the chain uses. What waits counts there too, up to
// one gap further: such scripts are awaited. They are among those derived ahead, so
// nobody makes the watch set grow with transactions that are never mined, and nothing
// that was mined depends on them.

// awaitable is by how many indices that may exceed what is watched of an account.
func (a *account) awaitable() uint32 { return min(a.gap, maxAhead) }

// await finds the awaited scripts, and removes what waits and concerns the wallet no
// longer, at the end of a transaction that changed what waits or what is watched.
func (c *change) await() {
	if c.err != nil || !c.weighed {
		return
	}
	for again := true; again && c.err == nil; {
		paid := c.paidIndices()
		for _, a := range c.w.sortedAccounts() {
			for branch := range uint8(branches) {
				a.waiting[branch] = paid[a.id][branch]
				c.awaitUpTo(a, branch, a.awaitedEnd(branch))
			}
		}
		if again = c.shrunk; again {
			c.shrunk = false
			c.dropUnconcerned()
		}
	}
}

// paidIndices are the indices of each account that pay the transactions which wait,
// ascending.
func (c *change) paidIndices() map[uint32][branches][]uint32 {
	paid := make(map[uint32][branches][]uint32)
	for _, p := range c.pending().byID {
		if p.dead != alive {
			continue
		}
		note := func(s *script) {
			if s != nil && s.account != 0 {
				of := paid[s.account]
				of[s.branch] = append(of[s.branch], s.index)
				paid[s.account] = of
			}
		}
		c.eachPaid(p.msg, treeOf(p.msg), func(_ uint32, _ CoinKind, s *script) { note(s) })
		for _, cm := range commitments(p.msg) {
			note(c.w.scripts[cm.script])
		}
	}
	for _, of := range paid {
		for branch := range of {
			slices.Sort(of[branch])
		}
	}
	return paid
}

// awaitedEnd is how many indices of a branch what waits counts on: those watched, and what
// a gap behind each that it pays reaches, up to what is awaitable.
func (a *account) awaitedEnd(branch uint8) uint32 {
	end := uint64(a.derived[branch])
	limit := min(end+uint64(a.awaitable()), uint64(a.known[branch]))
	for _, index := range a.waiting[branch] {
		if uint64(index) < end {
			end = max(end, min(uint64(index)+1+uint64(a.gap), limit))
		}
	}
	return uint32(end)
}

// awaitUpTo has the scripts ahead awaited below an index, and those from there on not.
func (c *change) awaitUpTo(a *account, branch uint8, end uint32) {
	for i := a.derived[branch]; i < max(end, a.awaited[branch]); i++ {
		for f := range a.forms() {
			s := a.at[f][branch][i]
			if s == nil || s.awaited == (i < end) {
				continue
			}
			s.awaited = i < end
			c.shrunk = c.shrunk || !s.awaited
			c.saveScript(s)
		}
	}
	a.awaited[branch] = end
}

// dropUnconcerned removes what waits and concerns the wallet no longer. What the owner
// has added stays, unless it was the owner who unwatched what it concerned.
func (c *change) dropUnconcerned() {
	for _, p := range c.pending().inOrder() {
		if !c.concerns(p.msg) && (!p.own || c.unwatching) {
			c.dropPending(p)
			c.remove(p.id)
		}
	}
}

// loadAwaited reads what follows from the pending transactions for accounts.
func (w *Wallet) loadAwaited(b *buckets) error {
	c := &change{buckets: b, w: w, pool: w.pool}
	paid := c.paidIndices()
	for _, a := range w.accounts {
		a.waiting = paid[a.id]
		for branch := range uint8(branches) {
			a.awaited[branch] = a.derived[branch]
			for i := a.derived[branch]; i < a.known[branch]; i++ {
				if s := a.at[payHash][branch][i]; s != nil && s.awaited {
					a.awaited[branch] = i + 1
				}
			}
		}
	}
	return c.err
}

package wallet

import (
	"cmp"
	"slices"
)

// Transactions that wait to be mined may pay one address behind the other, so the next
// one may lie beyond the gap of what the chain uses. What waits counts there too, behind
// what a peer has sent up to one gap further: such scripts are awaited. They are among
// those derived ahead, so nobody makes the watch set grow with transactions that are never
// mined, and nothing that was mined depends on them.

// awaitable is by how many indices that may always exceed what is watched of an account.
func (a *account) awaitable() uint32 { return min(a.gap, maxAhead) }

// await finds the awaited scripts, and removes what waits and concerns the wallet no
// longer, at the end of a transaction that changed what waits or what is watched.
func (c *change) await() {
	if !c.weighed {
		return
	}
	shrunk := len(c.lost) > 0 // something is watched or awaited no longer
	for again := true; again && c.err == nil; {
		paid := c.paidIndices()
		for _, a := range c.w.sortedAccounts() {
			for branch := range uint8(branches) {
				a.waiting[branch] = paid[a.id][branch]
				shrunk = c.awaitUpTo(a, branch, a.awaitedEnd(branch)) || shrunk
			}
		}
		if again = shrunk; again {
			c.dropUnconcerned()
			shrunk = false
		}
	}
}

// paidIndices are the indices of each account that pay the transactions which wait,
// ascending.
func (c *change) paidIndices() map[uint32][branches][]waitingIndex {
	paid := make(map[uint32][branches][]waitingIndex)
	for _, p := range c.pending().byID {
		if p.dead != alive {
			continue
		}
		note := func(s *script) {
			if s != nil && s.account != 0 {
				of := paid[s.account]
				of[s.branch] = append(of[s.branch], waitingIndex{s.index, !p.hearsay()})
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
			slices.SortFunc(of[branch], waitingIndex.compare)
		}
	}
	return paid
}

// waitingIndex is an index that a transaction pays which waits. It is proven if the
// owner made that or a block had it.
type waitingIndex struct {
	index  uint32
	proven bool
}

// compare orders by index, proven ones first.
func (w waitingIndex) compare(o waitingIndex) int {
	switch d := cmp.Compare(w.index, o.index); {
	case d != 0 || w.proven == o.proven:
		return d
	case w.proven:
		return -1
	}
	return 1
}

// awaitedEnd is how many indices of a branch what waits counts on: those watched, and what
// a gap behind each that it pays reaches, as far as that is known; behind what a peer has
// sent up to what is awaitable.
func (a *account) awaitedEnd(branch uint8) uint32 {
	end, known := uint64(a.derived[branch]), uint64(a.known[branch])
	heard := min(end+uint64(a.awaitable()), known)
	for _, w := range a.waiting[branch] {
		limit := heard
		if w.proven {
			limit = known
		}
		if uint64(w.index) < end {
			end = max(end, min(uint64(w.index)+1+uint64(a.gap), limit))
		}
	}
	return uint32(end)
}

// awaitUpTo has the scripts ahead awaited below an index, and those from there on not. It
// reports whether any is awaited no longer.
func (c *change) awaitUpTo(a *account, branch uint8, end uint32) (shrunk bool) {
	for i := a.derived[branch]; i < max(end, a.awaited[branch]); i++ {
		for f := range a.forms() {
			s := a.at[f][branch][i]
			if s == nil || s.awaited == (i < end) {
				continue
			}
			s.awaited = i < end
			shrunk = shrunk || !s.awaited
			c.saveScript(s)
		}
	}
	a.awaited[branch] = end
	return shrunk
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
	c := &change{buckets: b, w: w}
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

package wallet

import "slices"

// Transactions that wait to be mined may pay one address behind the other, so the next
// one may lie beyond the gap of what the chain uses. What waits counts there too, behind
// what a peer has sent up to one gap further: such scripts are awaited. They are among
// those derived ahead, so nobody makes the watch set grow with transactions that are never
// mined, and nothing that was mined depends on them.

// await finds the awaited scripts, and removes what waits and concerns the wallet no
// longer, at the end of a transaction that changed what waits or what is watched.
func (c *change) await() {
	if !c.effectsDirty {
		return
	}
	shrunk := len(c.lost.scripts) > 0 // something is watched or awaited no longer
	for again := true; again && c.err == nil; {
		paid := c.w.paidIndices()
		c.w.eachBranch(func(b *branch) {
			before, now := b.await(paid[b])
			for _, s := range b.scripts(b.derived, max(before, now)) {
				if awaited := s.index < now; awaited != s.awaited {
					s.setAwaited(awaited)
					c.saveScript(s)
					shrunk = shrunk || !awaited
				}
			}
		})
		if again = shrunk; again {
			c.dropUnconcerned()
			shrunk = false
		}
	}
}

// paidIndices are the indices of each branch that pay the transactions which wait,
// ascending.
func (w *Wallet) paidIndices() map[*branch][]waitingIndex {
	paid := make(map[*branch][]waitingIndex)
	for _, p := range w.pool.byID {
		if !p.isActive() {
			continue
		}
		w.eachReceiver(p.msg, func(s *script) {
			if b := w.branchOf(s); b != nil {
				paid[b] = append(paid[b], waitingIndex{s.index, !p.unverified()})
			}
		})
	}
	for _, waiting := range paid {
		slices.SortFunc(waiting, waitingIndex.compare)
	}
	return paid
}

// dropUnconcerned removes what waits and concerns the wallet no longer. What the owner
// has added stays, unless it was the owner who unwatched what it concerned.
func (c *change) dropUnconcerned() {
	for _, p := range c.w.pool.inOrder() {
		if !c.concerns(p.msg) && (!p.own || c.lost.by[byOwner]) {
			c.dropPending(p)
			c.remove(p.id)
		}
	}
}

// loadAwaited reads what follows from the pending transactions for accounts.
func (w *Wallet) loadAwaited(*buckets) error {
	paid := w.paidIndices()
	w.eachBranch(func(b *branch) { b.loadAwaited(paid[b]) })
	return nil
}

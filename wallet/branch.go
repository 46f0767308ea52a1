package wallet

import (
	"cmp"
	"slices"

	"dcrspv/wallet/internal/keys"
)

// branch is one branch of an account: which indices the best chain uses, how far that has
// it watched, and how far its scripts are derived. Of the last two the second is never
// less: see derive.
type branch struct {
	of     *account
	number uint8

	used    uint32 // highest index that the best chain uses, plus one
	derived uint32 // indices watched: all below this
	known   uint32 // indices with scripts: those watched and some ahead of them

	at [keys.Forms][]*script // by index, of known length; nil where the key has none

	// waiting are the indices that transactions which wait to be mined pay, ascending,
	// and awaited how many indices such ones count on.
	waiting []waitingIndex
	awaited uint32
}

func (b *branch) belong(to *account, number uint8) { b.of, b.number = to, number }

// wanted is how many indices are to be watched.
func (b *branch) wanted() uint32 {
	return uint32(max(min(uint64(b.used)+uint64(b.of.gap), keys.End), uint64(b.issued())))
}

// forms are those below the returned one: what is looked for of each key.
func (b *branch) forms() keys.Form {
	if b.of.pubKeys {
		return keys.Forms
	}
	return keys.PayHash + 1
}

// issued is how many indices were given out: external ones.
func (b *branch) issued() uint32 {
	if b.number == 0 {
		return b.of.issued
	}
	return 0
}

// use notes that an index is in use, and reports whether that is news.
func (b *branch) use(index uint32) bool {
	if index < b.used {
		return false
	}
	b.used = index + 1
	return true
}

// recount finds out anew what is in use.
func (b *branch) recount() { b.used = b.usedEnd() }

// extend has the indices watched that the gap reaches, and returns those which were not.
func (b *branch) extend() (first, end uint32) {
	first, b.derived = b.derived, max(b.derived, b.wanted())
	return first, b.derived
}

// withdraw has only those watched that the gap reaches, and returns the others.
func (b *branch) withdraw() (first, end uint32) {
	end, b.derived = b.derived, b.wanted()
	return b.derived, end
}

// know notes that the indices up to an end get scripts, and returns the first of these.
func (b *branch) know(end uint32) (first uint32) {
	first, b.known = b.known, end
	return first
}

// grow adds the script of the next index in a form, which may be nil.
func (b *branch) grow(f keys.Form, s *script) { b.at[f] = append(b.at[f], s) }

// makeRoom prepares for put.
func (b *branch) makeRoom() {
	for f := range b.forms() {
		b.at[f] = make([]*script, b.known)
	}
}

// put enters a script that was stored. It reports whether there is a place for it.
func (b *branch) put(s *script) bool {
	f := keys.FormOf(s.raw)
	if f >= b.forms() || b.at[f][s.index] != nil {
		return false
	}
	b.at[f][s.index] = s
	return true
}

// scripts are those of the indices from first to before end, in order of index and form.
func (b *branch) scripts(first, end uint32) (out []*script) {
	for i := first; i < end; i++ {
		for f := range b.forms() {
			if i < uint32(len(b.at[f])) && b.at[f][i] != nil {
				out = append(out, b.at[f][i])
			}
		}
	}
	return out
}

// walk goes up the indices as long as the gap gets there, from at least so many on: behind
// each that has a script which counts as used it begins anew. It returns those, and where
// it ends.
func (b *branch) walk(end uint32, counts func(*script) bool) (used []uint32, to uint32) {
	gap := uint64(b.of.gap)
	limit := max(gap, uint64(end))
	for i := uint64(0); i < min(limit, uint64(b.known)); i++ {
		for f := range b.forms() {
			if s := b.at[f][i]; s != nil && counts(s) {
				used = append(used, uint32(i))
				limit = max(limit, i+1+gap)
				break
			}
		}
	}
	return used, uint32(min(limit, keys.End))
}

// inUse are the indices that the chain uses, as far as the gap gets from the beginning,
// or from what was given out.
func (b *branch) inUse() []uint32 {
	used, _ := b.walk(b.issued(), func(s *script) bool { return s.usedAt != unused })
	return used
}

// usedEnd is the highest of them plus one.
func (b *branch) usedEnd() uint32 {
	if used := b.inUse(); len(used) > 0 {
		return used[len(used)-1] + 1
	}
	return 0
}

// isUsed reports whether the chain uses an index.
func (b *branch) isUsed(index uint32) bool {
	return slices.ContainsFunc(b.scripts(index, index+1), func(s *script) bool { return s.usedAt != unused })
}

// safeEnd is how many indices a wallet watches that has the account alone and sees the
// blocks up to a height.
func (b *branch) safeEnd(height uint32) uint32 {
	_, end := b.walk(0, func(s *script) bool { return s.usedAt <= height })
	return min(end, b.derived)
}

// awaitable is by how many indices what waits may always count beyond those watched.
func (b *branch) awaitable() uint32 { return min(b.of.gap, maxAhead) }

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

// await notes what waits, and returns how many indices counted on that before, and do now.
func (b *branch) await(waiting []waitingIndex) (before, now uint32) {
	b.waiting = waiting
	before, b.awaited = b.awaited, b.awaitedEnd()
	return before, b.awaited
}

// pays reports whether a transaction that waits pays an index.
func (b *branch) pays(index uint32) bool {
	_, found := slices.BinarySearchFunc(b.waiting, index, func(w waitingIndex, index uint32) int {
		return cmp.Compare(w.index, index)
	})
	return found
}

// awaitedEnd is how many indices of a branch what waits counts on: those watched, and what
// a gap behind each that it pays reaches, as far as that is known; behind what a peer has
// sent up to what is awaitable.
func (b *branch) awaitedEnd() uint32 {
	end, known := uint64(b.derived), uint64(b.known)
	heard := min(end+uint64(b.awaitable()), known)
	for _, w := range b.waiting {
		limit := heard
		if w.proven {
			limit = known
		}
		if uint64(w.index) < end {
			end = max(end, min(uint64(w.index)+1+uint64(b.of.gap), limit))
		}
	}
	return uint32(end)
}

// loadAwaited notes what waits when the file is opened. What counts on it was stored with
// the scripts.
func (b *branch) loadAwaited(waiting []waitingIndex) {
	b.waiting, b.awaited = waiting, b.derived
	for _, s := range b.scripts(b.derived, b.known) {
		if s.awaited {
			b.awaited = s.index + 1
		}
	}
}

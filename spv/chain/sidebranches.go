package chain

import "slices"

// sideBranches are the branches that may overtake the best chain. Each hangs off the
// best chain at its fork.
type sideBranches []*segment

// add enters a branch, once.
func (bs *sideBranches) add(s *segment) {
	if !slices.Contains(*bs, s) {
		*bs = append(*bs, s)
	}
}

// rebase keeps the branches when s replaces old on the best chain: all have to hang off
// the new best chain. s is not a side branch any more, and old becomes one, unless it is
// empty.
func (bs *sideBranches) rebase(old, s *segment) {
	var kept sideBranches
	for _, b := range *bs {
		if b == s {
			continue
		}
		if b = rebased(b, old, s); b != nil {
			kept = append(kept, b)
		}
	}
	if old.len() > 0 {
		kept = append(kept, old)
	}
	*bs = kept
}

// rebased is the side branch b after s has replaced old on the best chain; nil if
// nothing of it is left.
func rebased(b, old, s *segment) *segment {
	if b.fork() >= s.base {
		// It hung off a block that leaves the best chain.
		if old.len() == 0 {
			return nil // old is too long to be kept
		}
		joined := old.upTo(b.fork())
		joined.join(b)
		b = &joined
	}
	if n := b.common(s); n > 0 {
		rest := b.from(b.base + uint32(n))
		b = &rest
	}
	if b.len() == 0 {
		return nil
	}
	return b
}

// evict drops the branches with the least work until they have no more headers than
// allowed together.
func (bs *sideBranches) evict(allowed int) {
	for {
		total, least := 0, 0
		for i, b := range *bs {
			total += b.len()
			if b.work().Lt((*bs)[least].work()) {
				least = i
			}
		}
		if total <= allowed {
			return
		}
		*bs = slices.Delete(*bs, least, least+1)
	}
}

// dropBelow drops the branches that leave the best chain below a height.
func (bs *sideBranches) dropBelow(height uint32) {
	*bs = slices.DeleteFunc(*bs, func(b *segment) bool { return b.fork() < height })
}

// clear drops all branches.
func (bs *sideBranches) clear() { *bs = nil }

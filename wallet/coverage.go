package wallet

import (
	"context"
	"fmt"
	"math"

	"dcrspv/spv/chain"
)

// Birthday is the lowest birthday of any watched script or outpoint; ok is false when
// nothing is watched.
func (w *Wallet) Birthday() (height uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.birthday()
}

func (w *Wallet) birthday() (uint32, bool) {
	if !w.bornKnown {
		w.born, w.bornKnown = math.MaxUint32, true
		for _, s := range w.scripts {
			if s.watched() {
				w.born = min(w.born, s.from)
			}
		}
		for _, s := range w.points {
			w.born = min(w.born, s.from)
		}
	}
	return w.born, len(w.scripts)+len(w.points) > 0
}

// Scanned is the stretch of heights, from the birthday on, that every watched
// script has been tested on; through is not above limit. ok is false when it
// is empty.
func (w *Wallet) Scanned(limit uint32) (from, through uint32, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, ok = w.birthday()
	if !ok || from > limit {
		return 0, 0, false
	}
	through = limit
	for _, g := range w.groups {
		debt := g.debt(chain.Range{To: limit})
		if len(debt) == 0 {
			continue
		}
		if debt[0].From <= from {
			return 0, 0, false
		}
		through = min(through, debt[0].From-1)
	}
	return from, through, true
}

// Owed is how many blocks up to limit are still to be tested, for any watched
// script.
func (w *Wallet) Owed(limit uint32) (blocks uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.owed(limit)
}

func (w *Wallet) owed(limit uint32) (blocks uint32) {
	var owed chain.Ranges
	for _, g := range w.groups {
		for _, r := range g.debt(chain.Range{To: limit}) {
			owed = owed.Add(r)
		}
	}
	for _, r := range owed {
		blocks += uint32(r.Len())
	}
	return blocks
}

// Rescan marks blocks as not tested, for the given addresses and extended
// public keys or, with none given, for everything that is watched. They are
// tested again the next time a Syncer runs; what is known stays. Both ends are
// included, math.MaxUint32 is the end of the chain. Blocks below a birthday
// stay unwanted: to go lower, Watch again with a lower From.
//
// Errors: ErrRange, ErrNotWatched, ErrAddress, ErrXPub, ErrWrongNetwork.
func (w *Wallet) Rescan(ctx context.Context, from, to uint32, names ...string) error {
	if from > to {
		return fmt.Errorf("%w: it begins with block %d, and ends with block %d", ErrRange, from, to)
	}
	var only *selection
	if len(names) > 0 {
		s, err := w.selectNames(names)
		if err != nil {
			return err
		}
		only = s
	}
	return w.update(ctx, func(c *change) {
		chosen := func(*script) bool { return true }
		if only != nil {
			set := c.chosen(only)
			chosen = func(s *script) bool { return set[s] }
		}
		r := chain.Range{From: from, To: to}
		c.regroup(chosen, func(covered chain.Ranges, born uint32) chain.Ranges {
			covered = covered.Remove(r)
			for _, u := range unwanted(born) {
				covered = covered.Add(u)
			}
			return covered
		})
	})
}

// uncover takes away what was tested above a height, in all groups. Every
// group gets a new label: a scan under way may hold blocks of another branch.
func (c *change) uncover(above uint32) {
	all := func(*script) bool { return true }
	c.regroup(all, func(covered chain.Ranges, born uint32) chain.Ranges {
		if above < math.MaxUint32 {
			covered = covered.Remove(chain.Range{From: above + 1, To: math.MaxUint32})
		}
		for _, u := range unwanted(born) {
			covered = covered.Add(u)
		}
		return covered
	})
	for _, g := range c.w.groups {
		g.given = false
		c.w.relabel(g)
	}
}

package spv

import (
	"context"
	"fmt"
	"slices"

	"dcrspv/spv/chain"
	"dcrspv/spv/internal/registry"

	"github.com/decred/dcrd/wire"
)

// filterStage fetches the filters from the birthday to the end of the stored
// headers, in batches, from several peers at a time, and commits them in
// height order.
type filterStage struct {
	from  uint32       // the lowest height wanted
	held  chain.Ranges // what is on disk
	units []*unit      // under way or waiting to be written, by height

	set filterSet // those that no header commits to
}

const (
	// maxFilterUnits bounds how far the fetching runs ahead of the writing, and
	// with it the memory held by filters that wait for a slower one before
	// them: 160 batches of 100 filters.
	maxFilterUnits = 160

	// writeFilters is what the number of filters written at a time is a multiple
	// of while there are more to come: whole records, and enough of them that
	// the ends that each write rewrites leave few holes in the file.
	writeFilters = 4000
)

// planFilters makes units of the blocks whose filters are missing.
func (e *engine) planFilters() {
	f := &e.filters
	from, ok := e.filtersFrom()
	if !ok {
		return
	}
	f.from = from
	tip := e.store.tip.Height
	if f.from > tip || len(f.units) >= maxFilterUnits {
		return
	}
	complete := e.tipHeld()
	for _, missing := range f.plannedRanges().Missing(chain.Range{From: f.from, To: tip}) {
		for from := missing.From; from <= missing.To; {
			// Batches end below multiples of 100, so that whole batches make
			// whole records.
			to := from - from%wire.MaxCFiltersV2PerBatch + wire.MaxCFiltersV2PerBatch - 1
			if to > missing.To {
				to = missing.To
				if to == tip && !complete {
					return // more headers will make this a full batch
				}
			}
			if f.set.exists && from <= f.set.last {
				to = min(to, f.set.last)
			}
			if len(f.units) >= maxFilterUnits {
				return
			}
			u, err := e.filterUnit(chain.Range{From: from, To: to})
			if err != nil {
				e.fail(err)
				return
			}
			f.insert(u)
			from = to + 1
		}
	}
}

// filtersFrom is the lowest height that filters are wanted from. It is not
// known before every wallet has told its birthday.
func (e *engine) filtersFrom() (uint32, bool) {
	from, wanted := uint32(0), e.cfg.Birthday != nil
	if wanted {
		from = *e.cfg.Birthday
	}
	for _, w := range e.wallets {
		if !w.answered {
			return 0, false
		}
		if w.watching && (!wanted || w.birthday < from) {
			from, wanted = w.birthday, true
		}
	}
	if set := &e.filters.set; set.exists && from <= set.last {
		from = 0 // only the whole set can be verified
	}
	return from, true
}

// plannedRanges is what is held or under way.
func (f *filterStage) plannedRanges() chain.Ranges {
	planned := f.held
	for _, u := range f.units {
		planned = planned.Add(chain.Range{From: u.from(), To: u.to()})
	}
	return planned
}

// insert keeps the units in height order.
func (f *filterStage) insert(u *unit) {
	i := len(f.units)
	for i > 0 && f.units[i-1].from() > u.from() {
		i--
	}
	f.units = append(f.units, nil)
	copy(f.units[i+1:], f.units[i:])
	f.units[i] = u
}

// filterUnit is the request for the filters of a range of the best chain.
func (e *engine) filterUnit(r chain.Range) (*unit, error) {
	headers, hashes, ok := e.chain.Blocks(r)
	if !ok {
		return nil, fmt.Errorf("headers %d to %d are not in the chain", r.From, r.To)
	}
	u := newUnit(registry.Filters)
	u.headers, u.hashes, u.result = headers, hashes, filtersLanded
	rules, set := e.rules, &e.filters.set
	inSet := set.exists && r.From <= set.last
	right, known := set.rightHash(r)
	u.fetch = func(ctx context.Context, p Source, fl *flight) error {
		filters, err := p.Filters(ctx, u.hashes)
		if err != nil {
			return err
		}
		for i, filter := range filters {
			if err := rules.CheckFilter(&u.headers[i], filter); err != nil {
				return fmt.Errorf("%w: block %d", errBadFilter, u.headers[i].Height())
			}
		}
		if inSet {
			fl.hash = stretchHash(filters)
			if known && fl.hash != right {
				return fmt.Errorf("%w: blocks %d to %d", errFilterSet, r.From, r.To)
			}
		}
		fl.filters = filters
		return nil
	}
	return u, nil
}

func filtersLanded(e *engine, fl *flight) {
	if fl.err != nil {
		return
	}
	u := fl.unit
	u.ready, u.hash = fl.filters, fl.hash
	e.finish(u)
	if u.only == "" {
		e.filters.set.deliver(chain.Range{From: u.from(), To: u.to()}, fl.s.addr, fl.hash)
	}
}

// readyRun returns the consecutive filters that can be written now. While more
// will follow it waits for whole records.
func (f *filterStage) readyRun() (from uint32, filters [][]byte) {
	end := f.readyEnd()
	if end == 0 {
		return 0, nil
	}
	from = f.units[0].from()
	filters = make([][]byte, 0, end-from)
	for _, u := range f.units {
		if u.from() < end {
			filters = append(filters, u.ready...)
		}
	}
	return from, filters
}

// readyEnd is the block after those whose filters can be written; 0 if none can.
func (f *filterStage) readyEnd() uint32 {
	var next, whole uint32 // whole: the last end of a record
	for i, u := range f.units {
		if i > 0 && u.from() != next {
			break // what follows is held already
		}
		if !u.Done() {
			return whole
		}
		next = u.to() + 1
		if next%writeFilters == 0 {
			whole = next
		}
	}
	return next // nothing more is under way
}

// setHeld takes note of what the disk holds; above the height given it is not of
// the best chain.
func (f *filterStage) setHeld(held chain.Ranges, height uint32) {
	f.held = held.Remove(chain.Range{From: height + 1, To: ^uint32(0)})
	f.units = slices.DeleteFunc(f.units, func(u *unit) bool {
		return u.Done() && f.held.Covers(chain.Range{From: u.from(), To: u.to()})
	})
}

// truncateAbove forgets the requests for what has left the best chain, and returns
// them to be called off.
func (f *filterStage) truncateAbove(height uint32) (dropped []*unit) {
	kept := f.units[:0]
	for _, u := range f.units {
		if u.to() <= height {
			kept = append(kept, u)
		} else {
			dropped = append(dropped, u)
		}
	}
	f.units = kept
	if f.set.exists && height < f.set.last {
		dropped = append(dropped, f.set.reset(height)...)
	}
	return dropped
}

// through is the end of the filters held from the birthday on.
func (f *filterStage) through() (uint32, bool) {
	return f.held.Through(f.from)
}

// filtersDone reports whether every wanted filter up to the tip is on disk.
func (e *engine) filtersDone() bool {
	if _, ok := e.filtersFrom(); !ok {
		return false
	}
	tip := e.chain.Tip()
	if e.store.tip != tip || !e.filtersTrusted() {
		return false
	}
	if e.filters.from > tip.Height {
		return true
	}
	through, ok := e.filters.through()
	return ok && through == tip.Height
}

// scanLimit is the height up to which blocks from the birthday on can be
// tested. Where that is above the tip there is nothing to wait for.
func (e *engine) scanLimit() (uint32, bool) {
	if !e.filtersTrusted() {
		return 0, false
	}
	if tip := e.store.tip.Height; e.filters.from > tip {
		return tip, true
	}
	return e.filters.through()
}

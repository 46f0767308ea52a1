package spv

import (
	"cmp"
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
	from     uint32       // the lowest height wanted
	held     chain.Ranges // what is on disk
	requests []*request   // under way or waiting to be written, by height

	legacy legacyFilters // the oldest, which no header commits to
}

const (
	// maxFilterRequests bounds how far the fetching runs ahead of the writing, and
	// with it the memory held by filters that wait for a slower one before
	// them: 160 batches of 100 filters.
	maxFilterRequests = 160

	// writeFilters is what the number of filters written at a time is a multiple
	// of while there are more to come: whole records, and enough of them that
	// the ends that each write rewrites leave few holes in the file.
	writeFilters = 4000
)

func newFilterStage(held chain.Ranges, rules *chain.Rules) filterStage {
	return filterStage{held: held, legacy: newLegacyFilters(rules)}
}

// planFilters makes requests for the blocks whose filters are missing.
func (e *engine) planFilters() {
	f := &e.filters
	from, ok := e.filtersFrom()
	if !ok {
		return
	}
	f.from = from
	tip := e.disk.tip.Height
	if f.from > tip || len(f.requests) >= maxFilterRequests {
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
			if f.legacy.holds(from) {
				to = min(to, f.legacy.last)
			}
			if len(f.requests) >= maxFilterRequests {
				return
			}
			r, err := e.filterRequest(chain.Range{From: from, To: to})
			if err != nil {
				e.fail(err)
				return
			}
			f.insert(r)
			from = to + 1
		}
	}
}

// filtersFrom is the lowest height that filters are wanted from. It is not
// known before every wallet has answered.
func (e *engine) filtersFrom() (uint32, bool) {
	from, wanted := uint32(0), e.cfg.Birthday != nil
	if wanted {
		from = *e.cfg.Birthday
	}
	for _, w := range e.wallets {
		if !w.answered {
			if w.hangs(e.now) {
				continue // nobody waits for it
			}
			return 0, false
		}
		if w.watching && (!wanted || w.birthday < from) {
			from, wanted = w.birthday, true
		}
	}
	if e.filters.legacy.holds(from) {
		from = 0 // only the whole set can be verified
	}
	return from, true
}

// plannedRanges is what is held or under way. Requests that follow each other, as most do,
// are added at once.
func (f *filterStage) plannedRanges() chain.Ranges {
	planned := f.held
	for i := 0; i < len(f.requests); {
		span := f.requests[i].span()
		for i++; i < len(f.requests) && f.requests[i].from() == span.To+1; i++ {
			span.To = f.requests[i].to()
		}
		planned = planned.Add(span)
	}
	return planned
}

// insert keeps the requests in height order.
func (f *filterStage) insert(r *request) {
	i, _ := slices.BinarySearchFunc(f.requests, r, func(a, b *request) int { return cmp.Compare(a.from(), b.from()) })
	f.requests = slices.Insert(f.requests, i, r)
}

// replace puts requests for its parts in the place of one.
func (f *filterStage) replace(r *request, parts ...*request) {
	i := slices.Index(f.requests, r)
	f.requests = slices.Replace(f.requests, i, i+1, parts...)
}

// lowest is the request for the lowest missing filters; nil if none is missing.
func (f *filterStage) lowest() *request {
	for _, r := range f.requests {
		if !r.Done() {
			return r
		}
	}
	return nil
}

// filterRequest asks for the filters of a range of the best chain.
func (e *engine) filterRequest(span chain.Range) (*request, error) {
	headers, hashes, ok := e.chain.Blocks(span)
	if !ok {
		return nil, fmt.Errorf("headers %d to %d are not in the chain", span.From, span.To)
	}
	check := e.filters.legacy.check(span)
	rules := e.rules
	fetch := func(ctx context.Context, p Source) (got fetched, err error) {
		filters, err := p.Filters(ctx, hashes)
		if err != nil {
			return got, err
		}
		if len(filters) != len(hashes) {
			return got, fmt.Errorf("%w: %d filters of %d", ErrProtocol, len(filters), len(hashes))
		}
		for i, filter := range filters {
			if err := rules.CheckFilter(&headers[i], filter); err != nil {
				return got, fmt.Errorf("%w: block %d", errBadFilter, headers[i].Height())
			}
		}
		hash, err := check(filters)
		return fetched{filters: filters, hash: hash}, err
	}
	ended := func(e *engine, r *request, addr string, got fetched, err error) {
		if err != nil {
			return
		}
		r.keep(got)
		e.finish(r)
		if r.only == "" {
			e.filters.legacy.deliver(span, addr, got.hash)
		}
	}
	return newRequest(registry.Filters, headers, hashes, fetch, ended), nil
}

// readyRun returns the consecutive filters that can be written now. While more
// will follow it waits for whole records.
func (f *filterStage) readyRun() (from uint32, filters [][]byte) {
	end := f.readyEnd()
	if end == 0 {
		return 0, nil
	}
	from = f.requests[0].from()
	filters = make([][]byte, 0, end-from)
	for _, r := range f.requests {
		if r.from() < end {
			filters = append(filters, r.got.filters...)
		}
	}
	return from, filters
}

// readyEnd is where the filters that can be written end: one block further; 0 if none can.
func (f *filterStage) readyEnd() uint32 {
	var next, whole uint32 // whole: the last end of a record
	for i, r := range f.requests {
		if i > 0 && r.from() != next {
			break // what follows is held already
		}
		if !r.Done() {
			return whole
		}
		next = r.to() + 1
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
	f.requests = slices.DeleteFunc(f.requests, func(u *request) bool {
		return u.Done() && f.held.Covers(chain.Range{From: u.from(), To: u.to()})
	})
}

// truncateAbove forgets the requests for what has left the best chain, and returns
// them to be called off.
func (f *filterStage) truncateAbove(height uint32) (dropped []*request) {
	f.requests = slices.DeleteFunc(f.requests, func(r *request) bool {
		if r.to() > height {
			dropped = append(dropped, r)
		}
		return r.to() > height
	})
	if f.legacy.exists && height < f.legacy.last {
		dropped = append(dropped, f.legacy.reset(height)...)
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
	if e.disk.tip != tip || !e.filtersTrusted() {
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
	if tip := e.disk.tip.Height; e.filters.from > tip {
		return tip, true
	}
	return e.filters.through()
}

// legacyWanted reports whether the set is needed and not verified yet.
func (e *engine) legacyWanted() bool {
	from, ok := e.filtersFrom()
	return ok && e.filters.legacy.holds(from) && !e.filters.legacy.verified
}

// filtersTrusted reports whether all filters that are held from the birthday on
// are verified. What is not committed to is part of the set.
func (e *engine) filtersTrusted() bool {
	s := &e.filters.legacy
	if !s.exists || s.verified {
		return true
	}
	from, ok := e.filtersFrom()
	return ok && from > s.last
}

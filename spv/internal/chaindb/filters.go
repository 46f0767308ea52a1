package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"
)

// PutFilters stores the filters of consecutive blocks from a height on, in one
// synced transaction, in place of those that are held already. It keeps no
// reference to them.
//
// The caller has verified the filters. ErrGap if one has no header here. They
// may come in any order and at any place of the chain. It is best to give some 2000 at a
// time, in ascending order: a call costs two syncs of the disk, and rewrites the
// segments at its ends.
func (db *DB) PutFilters(from uint32, filters [][]byte) error {
	if len(filters) == 0 {
		return nil
	}
	return db.update(func(r *reader) error {
		to := uint64(from) + uint64(len(filters)) - 1
		if to > uint64(r.tip.Height) {
			return fmt.Errorf("%w: filters %d to %d, the tip is %d", ErrGap, from, to, r.tip.Height)
		}
		heights := chain.Range{From: from, To: uint32(to)}
		r.setFilters(r.filters.Add(heights))
		return r.editFilters(heights, func(height uint32) []byte {
			if f := filters[height-from]; f != nil {
				return f
			}
			return []byte{} // nil would say that it is not held
		})
	})
}

// DropFilters forgets the filters of the given heights. Their space in the file
// is used again.
func (db *DB) DropFilters(heights chain.Range) error {
	return db.update(func(r *reader) error {
		return r.dropFilters(heights)
	})
}

// truncateFilters drops the filters above a height.
func (r *reader) truncateFilters(above uint32) error {
	if above == r.tip.Height {
		return nil
	}
	return r.dropFilters(chain.Range{From: above + 1, To: r.tip.Height})
}

// dropFilters drops the filters of the given heights, as far as they are held.
func (r *reader) dropFilters(drop chain.Range) error {
	for _, held := range r.filters {
		part := chain.Range{From: max(held.From, drop.From), To: min(held.To, drop.To)}
		if part.From > part.To {
			continue
		}
		if err := r.editFilters(part, func(uint32) []byte { return nil }); err != nil {
			return err
		}
	}
	r.setFilters(r.filters.Remove(drop))
	return nil
}

// editFilters sets each filter of the range to the result of filter; nil means not
// held. Only the segments of the range are written.
func (r *reader) editFilters(heights chain.Range, filter func(height uint32) []byte) error {
	bucket := r.tx.Bucket(filtersBucket)
	bucket.FillPercent = 1 // keys come mostly in ascending order
	first, _ := segmentOf(heights.From)
	last, _ := segmentOf(heights.To)
	for segment := first; segment <= last; segment++ {
		start := segment * segmentBlocks
		var filters records
		whole := start >= heights.From && heights.To-start >= segmentBlocks-1
		if !whole {
			if err := r.filterSegment(segment, &filters); err != nil {
				return err
			}
		}
		for i := range filters {
			if h := start + uint32(i); h >= heights.From && h <= heights.To {
				filters[i] = filter(h)
			}
		}
		if err := r.putFilters(segment, &filters); err != nil {
			return err
		}
	}
	return nil
}

// putFilters stores a filter segment. An empty one is not kept.
func (r *reader) putFilters(segment uint32, filters *records) error {
	value := filters.append(r.values.take(filters.size()))
	if len(value) == 0 {
		return r.tx.Bucket(filtersBucket).Delete(segmentKey(segment))
	}
	return put(r.tx, filtersBucket, segmentKey(segment), value)
}

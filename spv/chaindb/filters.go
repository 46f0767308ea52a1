package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// PutFilters stores the filters of consecutive blocks from a height on, in one
// synced transaction, in place of those that are held already. It keeps no
// reference to them.
//
// The caller has verified the filters. ErrGap if one has no header here. They
// may come in any order and at any place of the chain, but it is best to give
// some 2000 at a time, in ascending order: a call costs two syncs of the disk, and
// rewrites the ends it touches.
func (db *DB) PutFilters(from uint32, filters [][]byte) error {
	if len(filters) == 0 {
		return nil
	}
	return db.update(func(tx *bbolt.Tx, s *state) error {
		to := uint64(from) + uint64(len(filters)) - 1
		if to > uint64(s.tip.Height) {
			return fmt.Errorf("%w: filters %d to %d, the tip is %d", ErrGap, from, to, s.tip.Height)
		}
		put := chain.Range{From: from, To: uint32(to)}
		s.filters = s.filters.Add(put)
		return db.editFilters(tx, put, func(height uint32) []byte {
			if f := filters[height-from]; f != nil {
				return f
			}
			return []byte{} // nil would say that it is not held
		})
	})
}

// DropFilters forgets the filters of the given heights. Their space in the file
// is used again.
func (db *DB) DropFilters(r chain.Range) error {
	return db.update(func(tx *bbolt.Tx, s *state) error {
		return db.dropFilters(tx, s, r)
	})
}

// truncateFilters drops the filters above a height.
func (db *DB) truncateFilters(tx *bbolt.Tx, s *state, above uint32) error {
	if above == s.tip.Height {
		return nil
	}
	return db.dropFilters(tx, s, chain.Range{From: above + 1, To: s.tip.Height})
}

// dropFilters drops the filters of the given heights, as far as they are held.
func (db *DB) dropFilters(tx *bbolt.Tx, s *state, drop chain.Range) error {
	for _, held := range s.filters {
		r := chain.Range{From: max(held.From, drop.From), To: min(held.To, drop.To)}
		if r.From > r.To {
			continue
		}
		if err := db.editFilters(tx, r, func(uint32) []byte { return nil }); err != nil {
			return err
		}
	}
	s.filters = s.filters.Remove(drop)
	return nil
}

// editFilters sets each filter of the range to what filter says; nil means not
// held. Only the segments of the range are written.
func (db *DB) editFilters(tx *bbolt.Tx, r chain.Range, filter func(height uint32) []byte) error {
	bucket := tx.Bucket(filtersBucket)
	bucket.FillPercent = 1 // keys come mostly in ascending order
	first, _ := segmentOf(r.From)
	last, _ := segmentOf(r.To)
	for segment := first; segment <= last; segment++ {
		start := segment * segmentBlocks
		var filters records
		whole := start >= r.From && r.To-start >= segmentBlocks-1
		if !whole {
			if err := db.filterSegment(tx, segment, &filters); err != nil {
				return err
			}
		}
		for i := range filters {
			if h := start + uint32(i); h >= r.From && h <= r.To {
				filters[i] = filter(h)
			}
		}
		if err := putSegment(bucket, segment, filters.value()); err != nil {
			return err
		}
	}
	return nil
}

// putSegment stores a filter segment. An empty one is not kept.
func putSegment(bucket *bbolt.Bucket, segment uint32, value []byte) error {
	if len(value) == 0 {
		return bucket.Delete(segmentKey(segment))
	}
	return bucket.Put(segmentKey(segment), value)
}

// filterSegment reads the filters of a segment. They point into the mapping.
func (db *DB) filterSegment(tx *bbolt.Tx, segment uint32, filters *records) error {
	if err := filters.parse(tx.Bucket(filtersBucket).Get(segmentKey(segment))); err != nil {
		return corrupt(db.path, "filters from %d: %v", segment*segmentBlocks, err)
	}
	return nil
}

package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"

	"go.etcd.io/bbolt"
)

// Blocks calls fn for each block of the range in ascending order, until fn
// returns false, with the block's header and filter. Both are memory of the
// mapped file: they must not be changed, and are valid only until fn returns.
//
// All of it is one read transaction: fn sees the chain as it was at the start,
// whatever is written meanwhile. The space that such writes free is not used again
// before it ends; and should the file outgrow its mapping, which is a gigabyte at
// first, but on Windows and on 32-bit systems hardly more than the file, they wait
// for it. So fn must not write to the DB, nor wait for somebody who does, and a
// scan of a whole chain is better made in pieces.
//
// ErrNotFound if a filter of the range is not held; fn has not been called then.
func (db *DB) Blocks(heights chain.Range, fn func(height uint32, h *chain.Header, filter []byte) bool) error {
	return db.view(func(r *reader) error {
		if missing := r.filters.Missing(heights); len(missing) > 0 {
			return fmt.Errorf("%w: filter %d in %s", ErrNotFound, missing[0].From, db.path)
		}
		return r.blocks(heights, fn)
	})
}

// Read is Blocks for a range of which some filters may not be held: they are nil.
// ErrNotFound if the range reaches above the tip.
func (db *DB) Read(heights chain.Range, fn func(height uint32, h *chain.Header, filter []byte)) error {
	return db.view(func(r *reader) error {
		if heights.To > r.tip.Height {
			return r.noHeader(heights.To)
		}
		return r.blocks(heights, func(height uint32, h *chain.Header, filter []byte) bool {
			fn(height, h, filter)
			return true
		})
	})
}

// blocks calls fn for each block of a range, until fn returns false.
func (r *reader) blocks(heights chain.Range, fn func(uint32, *chain.Header, []byte) bool) error {
	first, _ := segmentOf(heights.From)
	last, _ := segmentOf(heights.To)
	return eachSegment(r.tx, first, last, func(segment uint32) (bool, error) {
		return r.blocksOf(segment, heights, fn)
	})
}

// eachSegment calls fn for the segments first to last, until it returns false or
// an error, and has the system read ahead and forget what was read: a scan of a
// file that is not in memory becomes some five times as fast, and one of a large
// file leaves little of it in ours.
func eachSegment(tx *bbolt.Tx, first, last uint32, fn func(segment uint32) (more bool, err error)) error {
	const (
		distance    = 16 // segments: one to two megabytes
		forgetAfter = 3  // segments: fewer are not worth it
	)
	headers, filters := tx.Bucket(headersBucket), tx.Bucket(filtersBucket)
	ahead := first
	if last-first >= forgetAfter {
		defer readDone(tx)
	}
	for segment := first; segment <= last; segment++ {
		for ; ahead <= last && ahead <= segment+distance; ahead++ {
			readAhead(headers.Get(segmentKey(ahead)))
			readAhead(filters.Get(segmentKey(ahead)))
		}
		more, err := fn(segment)
		if (segment-first)%distance == distance-1 {
			readDone(tx)
		}
		if !more || err != nil {
			return err
		}
	}
	return nil
}

// blocksOf calls fn for the blocks of one segment that are in the range. It
// reports whether fn wants more.
func (r *reader) blocksOf(segment uint32, heights chain.Range,
	fn func(uint32, *chain.Header, []byte) bool) (more bool, err error) {

	headers, count, err := r.linkedSegment(segment)
	if err != nil {
		return false, err
	}
	var filters records
	if err := r.filterSegment(segment, &filters); err != nil {
		return false, err
	}
	start := segment * segmentBlocks
	for i := range count {
		height := start + uint32(i)
		if height < heights.From {
			continue
		}
		if height > heights.To {
			break
		}
		if filters[i] == nil && r.filters.Contains(height) {
			return false, r.damage(Filters, height, "filter %d is missing", height)
		}
		if !fn(height, headerAt(headers, i), filters[i]) {
			return false, nil
		}
	}
	return true, nil
}

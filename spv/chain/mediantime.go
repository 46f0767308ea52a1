package chain

import (
	"fmt"
	"time"
)

const (
	// MedianTimeBlocks is how many blocks the median time is taken of, fewer near the
	// genesis block.
	MedianTimeBlocks = 11

	// MaxFuture is how far a block may be ahead of the clock (dcrd blockchain:
	// MaxTimeOffsetSeconds).
	MaxFuture = 2 * time.Hour
)

// medianTime is the median of the times of prev and the blocks before it, 11 in
// all, fewer near the genesis block. Of an even number it is the upper one of
// the two in the middle, as in dcrd (CalcPastMedianTime). !ok if an ancestor is
// not known.
func medianTime(prev *Header, anc Ancestor) (median uint32, ok bool) {
	var times [MedianTimeBlocks]uint32
	height := prev.Height()
	n := int(min(height, MedianTimeBlocks-1)) + 1
	for i := range n {
		h := anc.from(prev, height-uint32(i))
		if h == nil {
			return 0, false
		}
		// Insert into the sorted times. Blocks come newest first here, and in
		// nearly the reverse of that order they were made.
		t, j := h.Timestamp(), i
		for ; j > 0 && times[j-1] < t; j-- {
			times[j] = times[j-1]
		}
		times[j] = t
	}
	// Sorted latest first: the upper middle is at (n-1)/2.
	return times[(n-1)/2], true
}

// MedianTime returns the median time of up to 11 headers in ascending order.
func MedianTime(headers []Header) time.Time {
	if len(headers) == 0 {
		return time.Time{}
	}
	last := &headers[len(headers)-1]
	first := last.Height() + 1 - uint32(len(headers))
	median, _ := medianTime(last, func(height uint32) *Header {
		if height < first {
			return nil
		}
		return &headers[height-first]
	})
	return time.Unix(int64(median), 0)
}

// checkMedianTime checks that h is later than the median of the blocks before it.
func checkMedianTime(h, prev *Header, anc Ancestor) error {
	median, ok := medianTime(prev, anc)
	if !ok || h.Timestamp() <= median {
		return fmt.Errorf("%w: %d, median %d", ErrMedianTime, h.Timestamp(), median)
	}
	return nil
}

// checkFuture checks that h is not too far ahead of now.
func checkFuture(h *Header, now time.Time) error {
	if h.Time().After(now.Add(MaxFuture)) {
		return fmt.Errorf("%w: %v, now %v", ErrFuture, h.Time().UTC(), now.UTC())
	}
	return nil
}

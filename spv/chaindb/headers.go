package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
	"go.etcd.io/bbolt"
)

// Header returns the header of the stored chain at a height. ErrNotFound above
// the tip. It costs about a microsecond.
func (db *DB) Header(height uint32) (chain.Header, error) {
	var header chain.Header
	err := db.view(func(tx *bbolt.Tx) error {
		h, err := db.header(tx, height)
		if err == nil {
			header = *h
		}
		return err
	})
	return header, err
}

// Headers returns the headers of a range of the stored chain. ErrNotFound if it
// reaches above the tip.
func (db *DB) Headers(r chain.Range) ([]chain.Header, error) {
	headers := make([]chain.Header, 0, uint64(r.To)-uint64(r.From)+1)
	err := db.view(func(tx *bbolt.Tx) error {
		for height := r.From; ; {
			segment, index := segmentOf(height)
			value, count, err := db.headerSegment(tx, segment)
			if err != nil {
				return err
			}
			for ; index < count && height <= r.To; index, height = index+1, height+1 {
				headers = append(headers, *headerAt(value, index))
			}
			if height > r.To {
				return nil
			}
			if count < segmentBlocks {
				return fmt.Errorf("%w: header %d in %s", ErrNotFound, height, db.path)
			}
		}
	})
	return headers, err
}

// header returns the header at a height, pointing into the mapping.
func (db *DB) header(tx *bbolt.Tx, height uint32) (*chain.Header, error) {
	segment, index := segmentOf(height)
	value, count, err := db.headerSegment(tx, segment)
	if err != nil {
		return nil, err
	}
	if index >= count {
		return nil, fmt.Errorf("%w: header %d in %s", ErrNotFound, height, db.path)
	}
	return headerAt(value, index), nil
}

// headerSegment returns a header segment and the number of headers in it.
func (db *DB) headerSegment(tx *bbolt.Tx, segment uint32) (value []byte, count int, err error) {
	value = tx.Bucket(headersBucket).Get(segmentKey(segment))
	count, err = headerCount(value)
	if err != nil {
		return nil, 0, corrupt(db.path, "headers from %d: %v", segment*segmentBlocks, err)
	}
	return value, count, nil
}

// ReplaceHeaders drops the headers and the filters above a height, and puts the
// given headers in their place: it extends the chain (above is the tip), and
// reorganizes it. work is that of the whole new chain, genesis to the last
// header. All of it happens in one synced transaction: 2000 headers, the size of
// a message, are a good amount for a call.
//
// The caller has checked the headers. ErrGap if above is higher than the tip, or
// the headers do not link to the block there, or are not consecutive.
func (db *DB) ReplaceHeaders(above uint32, headers []chain.Header, work uint256.Uint256) error {
	return db.update(func(tx *bbolt.Tx, s *state) error {
		if above > s.tip.Height {
			return fmt.Errorf("%w: headers above %d, the tip is %d", ErrGap, above, s.tip.Height)
		}
		base, err := db.header(tx, above)
		if err != nil {
			return err
		}
		if err := linked(base, headers); err != nil {
			return err
		}
		if err := db.truncateFilters(tx, s, above); err != nil {
			return err
		}
		if err := db.writeHeaders(tx, s.tip.Height, above, headers); err != nil {
			return err
		}
		s.tip, s.work = base.ID(), work
		if n := len(headers); n > 0 {
			s.tip = headers[n-1].ID()
		}
		return nil
	})
}

// linked checks that headers follow base: the first one's parent, and every
// height.
func linked(base *chain.Header, headers []chain.Header) error {
	if len(headers) > 0 && headers[0].PrevBlock() != base.Hash() {
		return fmt.Errorf("%w: header %d does not follow the stored one", ErrGap, headers[0].Height())
	}
	next := base.Height() + 1
	for i := range headers {
		if h := headers[i].Height(); h != next {
			return fmt.Errorf("%w: header %d where %d is due", ErrGap, h, next)
		}
		next++
	}
	return nil
}

// writeHeaders replaces the headers above a height, up to the old tip, by the
// given ones.
func (db *DB) writeHeaders(tx *bbolt.Tx, tip, above uint32, headers []chain.Header) error {
	bucket := tx.Bucket(headersBucket)
	bucket.FillPercent = 1 // keys come in ascending order
	segment, kept := segmentOf(above + 1)
	for kept > 0 || len(headers) > 0 {
		old, count, err := db.headerSegment(tx, segment)
		if err != nil {
			return err
		}
		if count < kept {
			return corrupt(db.path, "header %d is missing", above)
		}
		n := min(len(headers), segmentBlocks-kept)
		value := make([]byte, 0, (kept+n)*chain.HeaderSize)
		value = append(value, old[:kept*chain.HeaderSize]...)
		for i := range headers[:n] {
			value = append(value, headers[i][:]...)
		}
		if err := bucket.Put(segmentKey(segment), value); err != nil {
			return err
		}
		headers = headers[n:]
		segment++
		kept = 0
	}
	last, _ := segmentOf(tip)
	return deleteSegments(bucket, segment, last)
}

// deleteSegments deletes the segments first to last.
func deleteSegments(bucket *bbolt.Bucket, first, last uint32) error {
	for segment := first; segment <= last; segment++ {
		if err := bucket.Delete(segmentKey(segment)); err != nil {
			return err
		}
	}
	return nil
}

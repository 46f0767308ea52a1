package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/math/uint256"
)

// Header returns the header of the stored chain at a height. ErrNotFound above the tip.
// It costs a fraction of a microsecond, some ten if it is in another segment than the
// last one.
func (db *DB) Header(height uint32) (chain.Header, error) {
	c, err := db.checked(height)
	if err != nil {
		return chain.Header{}, err
	}
	_, index := segmentOf(height)
	return *headerAt(c.headers, index), nil
}

// Headers returns the headers of a range of the stored chain. ErrNotFound if it reaches
// above the tip.
func (db *DB) Headers(heights chain.Range) ([]chain.Header, error) {
	if heights.From > heights.To {
		return nil, nil
	}
	var headers []chain.Header
	err := db.view(func(r *reader) error {
		if heights.To > r.tip.Height {
			return r.noHeader(heights.To)
		}
		headers = make([]chain.Header, 0, heights.Len())
		for height := heights.From; height <= heights.To; {
			segment, index := segmentOf(height)
			value, count, err := r.linkedSegment(segment)
			if err != nil {
				return err
			}
			for ; index < count && height <= heights.To; index, height = index+1, height+1 {
				headers = append(headers, *headerAt(value, index))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return headers, nil
}

// ReplaceHeaders drops the headers and the filters above a height, and puts the
// given headers in their place: it extends the chain (above is the tip), and
// reorganizes it. work is that of the whole new chain, genesis to the last
// header. All of it happens in one synced transaction: 2000 headers, the size of
// a message, are a good amount for a call.
//
// The caller has checked the headers. ErrGap if above is higher than the tip, or
// the headers do not link to the block there, or are not consecutive.
//
// If the headers lead up to the part that [DB.Mend] has set aside, that part belongs to
// the chain again, and the rest of the headers is not needed: Tip and Filters tell. If
// the file was not trusted when it was set aside, it is not trusted any more: see
// [DB.Adopt].
func (db *DB) ReplaceHeaders(above uint32, headers []chain.Header, work uint256.Uint256) error {
	return db.update(func(r *reader) error {
		if above > r.tip.Height {
			return fmt.Errorf("%w: headers above %d, the tip is %d", ErrGap, above, r.tip.Height)
		}
		base, err := r.header(above)
		if err != nil {
			return err
		}
		if err := linked(base, headers); err != nil {
			return err
		}
		if err := r.truncateFilters(above); err != nil {
			return err
		}
		below, joins, err := r.join(above+1, headers)
		if err != nil {
			return err
		}
		tip := base.ID()
		if n := len(headers); n > 0 {
			tip = headers[n-1].ID()
		}
		if err := r.writeHeaders(above, below); err != nil {
			return err
		}
		if !joins {
			r.setTip(tip, work)
			return nil
		}
		r.setDistrust(!r.detached.trusted)
		r.attach()
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

// writeHeaders replaces the headers above a height, up to the tip, by the given ones.
func (r *reader) writeHeaders(above uint32, headers []chain.Header) error {
	bucket := r.tx.Bucket(headersBucket)
	bucket.FillPercent = 1 // keys come in ascending order
	segment, kept := segmentOf(above + 1)
	for kept > 0 || len(headers) > 0 {
		var old []byte
		if kept > 0 {
			var err error
			if old, _, err = r.headerSegment(segment); err != nil {
				return err
			}
		}
		n := min(len(headers), segmentBlocks-kept)
		value := r.values.take((kept+n)*chain.HeaderSize + checksumSize)
		value = append(value, old[:kept*chain.HeaderSize]...)
		for i := range headers[:n] {
			value = append(value, headers[i][:]...)
		}
		if err := put(r.tx, headersBucket, segmentKey(segment), value); err != nil {
			return err
		}
		headers = headers[n:]
		segment++
		kept = 0
	}
	last, _ := segmentOf(r.tip.Height)
	return deleteSegments(bucket, segment, last)
}

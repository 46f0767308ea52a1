package chaindb

import (
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/chainhash"
	"go.etcd.io/bbolt"
)

// reader reads one state of the file, in a transaction. In a write transaction it is the
// state that the transaction makes.
type reader struct {
	path  string
	rules *chain.Rules
	tx    *bbolt.Tx
	*state

	values   *valueMemory // of a write transaction
	distrust bool         // once it is written, the file is not trusted any more
}

// setDistrust says whether the file is trusted once it is written.
func (r *reader) setDistrust(distrust bool) { r.distrust = distrust }

// header returns the header at a height, pointing into the mapping. ErrNotFound above
// the tip.
func (r *reader) header(height uint32) (*chain.Header, error) {
	segment, index := segmentOf(height)
	if height > r.tip.Height {
		return nil, r.noHeader(height)
	}
	value, _, err := r.headerSegment(segment)
	if err != nil {
		return nil, err
	}
	return headerAt(value, index), nil
}

func (r *reader) noHeader(height uint32) error {
	return fmt.Errorf("%w: header %d in %s", ErrNotFound, height, r.path)
}

// headerSegment returns a segment of the chain's headers. It is complete.
func (r *reader) headerSegment(segment uint32) (value []byte, count int, err error) {
	value, count, err = r.segmentOfHeaders(segment)
	start := segment * segmentBlocks
	if due := int(min(segmentBlocks, r.tip.Height+1-start)); err == nil && count != due {
		return nil, 0, r.damage(Headers, start, "there are %d headers from %d on, not %d", count, start, due)
	}
	return value, count, err
}

// segmentOfHeaders returns a stored segment of headers, complete or not.
func (r *reader) segmentOfHeaders(segment uint32) (value []byte, count int, err error) {
	value, err = get(r.tx, headersBucket, segmentKey(segment))
	if err == nil {
		count, err = headerCount(value)
	}
	if err != nil {
		return nil, 0, r.damage(Headers, segment*segmentBlocks, "%w", err)
	}
	return value, count, nil
}

// filterSegment reads the filters of a segment. They point into the mapping.
func (r *reader) filterSegment(segment uint32, filters *records) error {
	value, err := get(r.tx, filtersBucket, segmentKey(segment))
	if err == nil {
		err = filters.parse(value)
	}
	if err != nil {
		return r.damage(Filters, segment*segmentBlocks, "%w", err)
	}
	return nil
}

// linkedSegment is headerSegment, and checks that the next segment continues it: a
// segment of another branch would be just as well formed. Inside a segment nothing can be
// exchanged, as it has one checksum.
func (r *reader) linkedSegment(segment uint32) (value []byte, count int, err error) {
	value, count, err = r.headerSegment(segment)
	if err != nil {
		return nil, 0, err
	}
	last := segment*segmentBlocks + uint32(count) - 1
	says := r.tip.Hash
	if last < r.tip.Height {
		// The next segment may be damaged: here only its first hash counts.
		next := r.tx.Bucket(headersBucket).Get(segmentKey(segment + 1))
		if says = (chainhash.Hash{}); len(next) >= chain.HeaderSize {
			says = headerAt(next, 0).PrevBlock()
		}
	}
	if headerAt(value, count-1).Hash() == says {
		return value, count, nil
	}
	if last < r.tip.Height {
		if _, err := r.header(last + 1); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, r.unlinked(last)
}

// unlinked is the Damage of a header that the next one does not follow. Either may be
// wrong.
func (r *reader) unlinked(height uint32) error {
	first, _ := segmentOf(height)
	last, _ := segmentOf(height + 1)
	return r.damageOf(Headers, chain.Range{From: first * segmentBlocks, To: last*segmentBlocks + segmentBlocks - 1},
		"header %d does not follow header %d", height+1, height)
}

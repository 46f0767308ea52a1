package chaindb

import (
	"bytes"
	"errors"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/chaincfg/v3"
)

// part is a segment on its way through Verify. A worker checks the hashes and
// the proof of work of its headers and the commitments of its filters; the
// results are read when checked is closed.
type part struct {
	start   uint32 // height of the first block
	headers []byte // both are in the mapping
	packed  []byte
	checked chan struct{}

	genesis bool          // header 0 is here and right
	first   *chain.Header // first header that has a parent; nil if there is none
	batch   chain.Batch   // good headers, without the genesis block
	filters records       // good if err is nil
	err     error         // first fault: of a header above batch, or of a filter
}

// part reads a segment; the error is that of a segment that has not the headers
// it should have.
func (v *verifier) part(segment uint32) (*part, error) {
	value, count, err := v.db.headerSegment(v.tx, segment)
	if err != nil {
		return nil, err
	}
	start := segment * segmentBlocks
	due := int(min(segmentBlocks, v.state.tip.Height+1-start))
	if count != due {
		return nil, v.corrupt("%d headers from %d on, not %d", count, start, due)
	}
	packed := v.tx.Bucket(filtersBucket).Get(segmentKey(segment))
	return &part{start: start, headers: value, packed: packed, checked: make(chan struct{})}, nil
}

// check does a worker's share. held are the heights whose filter the file should
// have.
func (p *part) check(db *DB, held chain.Ranges) {
	defer close(p.checked)
	p.err = db.file.Guard(func() error {
		headers := make([]chain.Header, len(p.headers)/chain.HeaderSize)
		for i := range headers {
			headers[i] = *headerAt(p.headers, i)
		}
		if err := p.checkHeaders(db, headers); err != nil {
			return err
		}
		return p.checkFilters(db, headers, held)
	})
	p.err = wrap("reading", db.path, p.err)
}

// checkHeaders makes the batch.
func (p *part) checkHeaders(db *DB, headers []chain.Header) error {
	next := p.start
	if next == 0 {
		if genesis, _ := db.rules.Genesis(); headers[0] != genesis {
			return corrupt(db.path, "header 0 is not that of the genesis block")
		}
		p.genesis = true
		next, headers = 1, headers[1:]
	}
	if len(headers) == 0 {
		return nil
	}
	// The headers of a batch are checked against each other; the first has
	// nothing before it here.
	p.first = &headers[0]
	if h := p.first.Height(); h != next {
		return corrupt(db.path, "header %d: %w: it says %d", next, chain.ErrHeight, h)
	}
	batch, err := db.rules.Check(headers)
	p.batch = batch
	if err != nil {
		// Without the place in the batch, which is of no interest.
		return corrupt(db.path, "header %d: %w", next+uint32(len(batch.Headers)), errors.Unwrap(err))
	}
	return nil
}

// checkFilters unpacks the filters, and checks that those are here that should
// be and that they are what the headers commit to.
func (p *part) checkFilters(db *DB, headers []chain.Header, held chain.Ranges) error {
	if err := p.filters.parse(p.packed); err != nil {
		return corrupt(db.path, "filters from %d: %v", p.start, err)
	}
	for i, filter := range p.filters {
		height := p.start + uint32(i)
		err := error(nil)
		switch here := filter != nil; {
		case here && i >= len(headers):
			err = errors.New("there is no such block")
		case here != held.Contains(height):
			err = fmt.Errorf("held is %v, should be %v", here, !here)
		case here && height == 0:
			err = checkGenesisFilter(db.rules.Params(), filter)
		case here:
			err = db.rules.CheckFilter(&headers[i], filter)
		}
		if err != nil {
			return corrupt(db.path, "filter %d: %w", height, err)
		}
	}
	return nil
}

// checkGenesisFilter checks the filter of the genesis block, which is made from
// the block itself.
func checkGenesisFilter(params *chaincfg.Params, filter []byte) error {
	want, err := genesisFilter(params)
	if err == nil && !bytes.Equal(filter, want) {
		err = fmt.Errorf("%w: not that of the genesis block", chain.ErrFilter)
	}
	return err
}

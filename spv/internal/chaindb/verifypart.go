package chaindb

import (
	"bytes"
	"errors"
	"fmt"

	"dcrspv/spv/chain"
)

// part is a segment on its way through Verify. A worker checks the hashes and
// the proof of work of its headers and the commitments of its filters; the
// results are read when checked is closed.
type part struct {
	start   uint32 // height of the first block
	headers []byte // in the mapping
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
	value, _, err := v.headerSegment(segment)
	return &part{start: segment * segmentBlocks, headers: value, checked: make(chan struct{})}, err
}

// check does a worker's share.
func (p *part) check(v *verifier) {
	defer close(p.checked)
	p.err = v.db.file.Guard(func() error {
		headers := make([]chain.Header, len(p.headers)/chain.HeaderSize)
		for i := range headers {
			headers[i] = *headerAt(p.headers, i)
		}
		if err := p.checkHeaders(v.reader, headers); err != nil {
			return err
		}
		return p.checkFilters(v.reader, headers)
	})
	p.err = wrap("reading", v.path, p.err)
}

// checkHeaders makes the batch.
func (p *part) checkHeaders(r *reader, headers []chain.Header) error {
	next := p.start
	if next == 0 {
		if genesis, _ := r.rules.Genesis(); headers[0] != genesis {
			return r.damage(Headers, p.start, "header 0 is not that of the genesis block")
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
		return r.damage(Headers, p.start, "header %d: %w: it says %d", next, chain.ErrHeight, h)
	}
	batch, err := r.rules.Check(headers)
	p.batch = batch
	if err != nil {
		// Without the place in the batch, which is of no interest.
		return r.damage(Headers, p.start, "header %d: %w", next+uint32(len(batch.Headers)), errors.Unwrap(err))
	}
	return nil
}

// checkFilters unpacks the filters, and checks that those are here that should
// be and that they are what the headers commit to.
func (p *part) checkFilters(r *reader, headers []chain.Header) error {
	if err := r.filterSegment(p.start/segmentBlocks, &p.filters); err != nil {
		return err
	}
	for i, filter := range p.filters {
		height := p.start + uint32(i)
		err := error(nil)
		switch here := filter != nil; {
		case here && i >= len(headers):
			err = errors.New("there is no such block")
		case here != r.filters.Contains(height):
			err = fmt.Errorf("held is %v, should be %v", here, !here)
		case here && height == 0:
			err = checkGenesisFilter(r.rules, filter)
		case here:
			err = r.rules.CheckFilter(&headers[i], filter)
		}
		if err != nil {
			return r.damage(Filters, height, "filter %d: %w", height, err)
		}
	}
	return nil
}

// checkGenesisFilter checks the filter of the genesis block, which is made from
// the block itself.
func checkGenesisFilter(rules *chain.Rules, filter []byte) error {
	if _, want := genesisOf(rules); !bytes.Equal(filter, want) {
		return fmt.Errorf("%w: not that of the genesis block", chain.ErrFilter)
	}
	return nil
}
